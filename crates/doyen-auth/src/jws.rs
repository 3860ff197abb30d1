//! A signed token (JWS, RFC 7515) in compact form, read strictly.
//!
//! Cheap checks come first. The claims are parsed only after the signature is verified.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::Members;

/// Header members that change how a token is read (`crit`, `b64`, `zip`, `cty`) or that bring a
/// key. A key is never taken from a token or fetched from an address in it.
const REJECTED_MEMBERS: [&str; 8] = ["crit", "b64", "zip", "cty", "jwk", "jku", "x5u", "x5c"];

/// A token whose signature is not verified yet.
///
/// ```
/// use doyen_auth::{Jws, JwsError};
///
/// let token = Jws::parse("eyJhbGciOiJFUzI1NiJ9.e30.c2ln").unwrap();
/// assert_eq!(token.header().text("alg"), Some("ES256"));
/// assert_eq!(token.verify(|_message, _signature| false).err(), Some(JwsError::Signature));
/// ```
#[derive(Debug)]
pub struct Jws<'t> {
    message: &'t str,
    header: Members,
    claims: Vec<u8>,
    signature: Vec<u8>,
}

/// The rule that a token violates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JwsError {
    /// The token is not three parts with two dots between them.
    NotCompact,
    /// A part is not base64url without padding and without spare bits.
    NotBase64,
    /// The header is not a JSON object, or has a member twice.
    Header,
    /// The header changes how the token is read, or brings a key.
    Extension,
    /// The signature is invalid.
    Signature,
    /// The claims are not a JSON object, or have a member twice.
    Claims,
}

impl<'t> Jws<'t> {
    /// Parses everything but the claims.
    ///
    /// # Errors
    ///
    /// Returns an error if the token is malformed or its header is not allowed.
    pub fn parse(text: &'t str) -> Result<Self, JwsError> {
        let (message, signature) = text.rsplit_once('.').ok_or(JwsError::NotCompact)?;
        let (header, claims) = message.split_once('.').ok_or(JwsError::NotCompact)?;
        if claims.contains('.') {
            return Err(JwsError::NotCompact);
        }
        // Each value has one text in this alphabet: padding and spare bits are errors.
        let decode = |part: &str| {
            URL_SAFE_NO_PAD
                .decode(part)
                .map_err(|_| JwsError::NotBase64)
        };
        let (header, claims, signature) = (decode(header)?, decode(claims)?, decode(signature)?);
        let header = Members::parse(&header).ok_or(JwsError::Header)?;
        if REJECTED_MEMBERS
            .iter()
            .any(|name| header.get(name).is_some())
        {
            return Err(JwsError::Extension);
        }
        Ok(Self {
            message,
            header,
            claims,
            signature,
        })
    }

    /// The members of the header, which are not verified yet.
    pub fn header(&self) -> &Members {
        &self.header
    }

    /// Returns the claims if `verify` accepts the message and its signature.
    ///
    /// # Errors
    ///
    /// Returns an error if the signature is invalid or the claims are malformed.
    pub fn verify(&self, verify: impl FnOnce(&[u8], &[u8]) -> bool) -> Result<Members, JwsError> {
        if !verify(self.message.as_bytes(), &self.signature) {
            return Err(JwsError::Signature);
        }
        Members::parse(&self.claims).ok_or(JwsError::Claims)
    }
}
