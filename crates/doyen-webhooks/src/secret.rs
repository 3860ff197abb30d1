//! The secret of a webhook.

use std::fmt;

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use doyen_core::{Secret, Unexpected};

/// Prefix of a secret as text.
const PREFIX: &str = "whsec_";
/// Length of a new secret. The standard permits 24 to 64 bytes.
const NEW_BYTES: usize = 32;
/// Minimum length of a secret of another service. The standard asks for 24 bytes; some have less.
const MIN_BYTES: usize = 16;
/// Maximum length.
const MAX_BYTES: usize = 64;

/// A secret that sender and receiver share. It is never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct WebhookSecret(Vec<u8>);

impl WebhookSecret {
    /// Creates a random secret.
    ///
    /// # Errors
    ///
    /// Returns an error if the system has no random bytes.
    pub fn generate() -> Result<Self, Unexpected> {
        let mut bytes = vec![0; NEW_BYTES];
        getrandom::fill(&mut bytes)?;
        Ok(Self(bytes))
    }

    /// Parses a secret: `whsec_` and 16 to 64 bytes in base64.
    ///
    /// # Errors
    ///
    /// Returns an error for any other text. It does not contain the text.
    pub fn parse(text: &str) -> Result<Self, BadSecret> {
        let encoded = text.strip_prefix(PREFIX).ok_or(BadSecret)?;
        let bytes = STANDARD.decode(encoded).map_err(|_| BadSecret)?;
        Self::from_bytes(bytes)
    }

    /// Creates a secret from its bytes, as from a store that encrypts them.
    ///
    /// # Errors
    ///
    /// Returns an error if these are not 16 to 64 bytes.
    pub fn from_bytes(bytes: Vec<u8>) -> Result<Self, BadSecret> {
        match bytes.len() {
            MIN_BYTES..=MAX_BYTES => Ok(Self(bytes)),
            _ => Err(BadSecret),
        }
    }

    /// Returns the bytes, to be encrypted.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Returns the text, which the receiver needs.
    pub fn to_text(&self) -> Secret<String> {
        Secret::new(format!("{PREFIX}{}", STANDARD.encode(&self.0)))
    }

    pub(crate) fn key(&self) -> hmac::Key {
        hmac::Key::new(hmac::HMAC_SHA256, &self.0)
    }
}

impl fmt::Debug for WebhookSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// The text is not a secret of a webhook.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadSecret;

impl fmt::Display for BadSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("must be `whsec_` and 16 to 64 bytes in base64, as the sender shows it")
    }
}

impl std::error::Error for BadSecret {}
