//! Secrets at rest: encrypted, so that a copy of the database signs nothing.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use doyen_core::Unexpected;

use crate::WebhookSecret;

impl WebhookSecret {
    /// Encrypts the secret (AES-256-GCM) with a key that is derived from the root secret. `owner`,
    /// such as the id of the webhook, is authenticated too: a row cannot be moved to another one.
    ///
    /// # Errors
    ///
    /// Returns an error if the system has no random bytes.
    pub fn seal(&self, key: &[u8; 32], owner: &str) -> Result<Vec<u8>, Unexpected> {
        let mut nonce = [0; NONCE_LEN];
        getrandom::fill(&mut nonce)?;
        let mut sealed = self.as_bytes().to_vec();
        cipher(key)?.seal_in_place_append_tag(
            Nonce::assume_unique_for_key(nonce),
            Aad::from(owner.as_bytes()),
            &mut sealed,
        )?;
        Ok([nonce.as_slice(), &sealed].concat())
    }

    /// Decrypts a secret.
    ///
    /// # Errors
    ///
    /// Returns an error if it was sealed with another key or for another owner, or was changed.
    pub fn open(key: &[u8; 32], owner: &str, mut sealed: Vec<u8>) -> Result<Self, Unexpected> {
        let broken = || {
            Unexpected::new(
                "the secret of a webhook cannot be opened: the root secret is not the one it was sealed with, or the row was changed",
            )
        };
        if sealed.len() <= NONCE_LEN {
            return Err(broken());
        }
        let mut rest = sealed.split_off(NONCE_LEN);
        let nonce = Nonce::try_assume_unique_for_key(&sealed).map_err(|_| broken())?;
        let opened = cipher(key)?
            .open_in_place(nonce, Aad::from(owner.as_bytes()), &mut rest)
            .map_err(|_| broken())?;
        Self::from_bytes(opened.to_vec()).map_err(|_| broken())
    }
}

fn cipher(key: &[u8; 32]) -> Result<LessSafeKey, Unexpected> {
    Ok(LessSafeKey::new(UnboundKey::new(&AES_256_GCM, key)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_same_key_and_owner_open_a_secret() {
        let secret = WebhookSecret::generate().unwrap_or_else(|error| panic!("{error:?}"));
        let (key, other) = ([1; 32], [2; 32]);
        let seal = || {
            secret
                .seal(&key, "whk_1")
                .unwrap_or_else(|error| panic!("{error:?}"))
        };
        let sealed = seal();
        assert!(
            WebhookSecret::open(&key, "whk_1", sealed.clone()).is_ok_and(|opened| opened == secret)
        );
        assert_ne!(sealed, seal());
        assert!(
            !sealed
                .windows(8)
                .any(|part| secret.as_bytes().windows(8).any(|known| known == part))
        );
        assert!(WebhookSecret::open(&key, "whk_2", sealed.clone()).is_err());
        assert!(WebhookSecret::open(&other, "whk_1", sealed.clone()).is_err());
        for place in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[place] ^= 1;
            assert!(
                WebhookSecret::open(&key, "whk_1", changed).is_err(),
                "{place}"
            );
        }
        assert!(WebhookSecret::open(&key, "whk_1", Vec::new()).is_err());
    }
}
