//! Mails at rest: encrypted, because a mail may contain a link that works like a password.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use doyen_core::{Mail, Unexpected};
use serde::{Deserialize, Serialize};

/// Encrypts mails (AES-256-GCM) with a key that is derived from the root secret.
pub(crate) struct MailSeal {
    key: [u8; 32],
}

/// The parts of a mail.
#[derive(Serialize, Deserialize)]
struct StoredMail {
    to: String,
    subject: String,
    text: String,
}

impl MailSeal {
    pub(crate) const fn new(key: [u8; 32]) -> Self {
        Self { key }
    }

    /// Returns nonce, ciphertext and tag in Base64.
    pub(crate) fn seal(&self, mail: &Mail) -> Result<String, Unexpected> {
        let mut sealed = serde_json::to_vec(&StoredMail {
            to: mail.to().to_owned(),
            subject: mail.subject().to_owned(),
            text: mail.text().to_owned(),
        })?;
        let mut nonce = [0; NONCE_LEN];
        getrandom::fill(&mut nonce)?;
        self.cipher()?.seal_in_place_append_tag(
            Nonce::assume_unique_for_key(nonce),
            Aad::empty(),
            &mut sealed,
        )?;
        Ok(STANDARD_NO_PAD.encode([nonce.as_slice(), &sealed].concat()))
    }

    /// Decrypts a mail.
    ///
    /// # Errors
    ///
    /// Returns an error if the root secret was replaced, or the text was changed.
    pub(crate) fn open(&self, sealed: &str) -> Result<Mail, Unexpected> {
        let broken = || {
            Unexpected::new(
                "the mail cannot be opened: the root secret is not the one it was sealed with, or the row was changed",
            )
        };
        let mut sealed = STANDARD_NO_PAD.decode(sealed).map_err(|_| broken())?;
        if sealed.len() <= NONCE_LEN {
            return Err(broken());
        }
        let mut rest = sealed.split_off(NONCE_LEN);
        let nonce = Nonce::try_assume_unique_for_key(&sealed).map_err(|_| broken())?;
        let opened = self
            .cipher()?
            .open_in_place(nonce, Aad::empty(), &mut rest)
            .map_err(|_| broken())?;
        let StoredMail { to, subject, text } = serde_json::from_slice(opened)?;
        Ok(Mail::new(to, subject, text)?)
    }

    fn cipher(&self) -> Result<LessSafeKey, Unexpected> {
        Ok(LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &self.key)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_same_key_opens_a_mail() {
        let mail = Mail::new("a@example.com", "s", "https://x/#token=secret").unwrap();
        let seal = MailSeal::new([1; 32]);
        let sealed = seal.seal(&mail).unwrap();
        assert_eq!(seal.open(&sealed).unwrap(), mail);
        assert_ne!(seal.seal(&mail).unwrap(), sealed);
        assert!(MailSeal::new([2; 32]).open(&sealed).is_err());
        for end in 0..sealed.len() {
            assert!(seal.open(&sealed[..end]).is_err(), "{end}");
        }
    }
}
