//! Encrypts the secrets of second factors, so that a copy of the database contains no codes.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use doyen_core::Unexpected;

use super::totp::Secret;

/// Returns nonce, ciphertext and tag. The subject is authenticated too, so that a row cannot be
/// moved to another user.
pub(super) fn seal(key: &[u8; 32], subject: &str, secret: &Secret) -> Result<Vec<u8>, Unexpected> {
    let mut nonce = [0; NONCE_LEN];
    getrandom::fill(&mut nonce)?;
    let mut sealed = secret.to_vec();
    cipher(key)?.seal_in_place_append_tag(
        Nonce::assume_unique_for_key(nonce),
        Aad::from(subject.as_bytes()),
        &mut sealed,
    )?;
    Ok([nonce.as_slice(), &sealed].concat())
}

/// Decrypts the secret.
pub(super) fn open(
    key: &[u8; 32],
    subject: &str,
    mut sealed: Vec<u8>,
) -> Result<Secret, Unexpected> {
    let broken = || {
        Unexpected::new(
            "a second factor cannot be opened: `auth.signing_key` is not the one it was sealed with, or the row was changed",
        )
    };
    if sealed.len() <= NONCE_LEN {
        return Err(broken());
    }
    let mut rest = sealed.split_off(NONCE_LEN);
    let nonce = Nonce::try_assume_unique_for_key(&sealed).map_err(|_| broken())?;
    let opened = cipher(key)?
        .open_in_place(nonce, Aad::from(subject.as_bytes()), &mut rest)
        .map_err(|_| broken())?;
    Secret::try_from(&*opened).map_err(|_| broken())
}

fn cipher(key: &[u8; 32]) -> Result<LessSafeKey, Unexpected> {
    let key = UnboundKey::new(&AES_256_GCM, key)?;
    Ok(LessSafeKey::new(key))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_same_key_and_subject_open_it() {
        let (key, other) = ([1; 32], [2; 32]);
        let secret = *b"12345678901234567890";
        let sealed = seal(&key, "usr_1", &secret).unwrap();
        assert_eq!(open(&key, "usr_1", sealed.clone()).unwrap(), secret);
        assert!(
            !sealed
                .windows(8)
                .any(|part| secret.windows(8).any(|known| known == part))
        );
        assert_ne!(sealed, seal(&key, "usr_1", &secret).unwrap());
        assert!(open(&key, "usr_2", sealed.clone()).is_err());
        assert!(open(&other, "usr_1", sealed.clone()).is_err());
        for place in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[place] ^= 1;
            assert!(open(&key, "usr_1", changed).is_err(), "{place}");
        }
        assert!(open(&key, "usr_1", sealed[..12].to_vec()).is_err());
        assert!(open(&key, "usr_1", Vec::new()).is_err());
    }
}
