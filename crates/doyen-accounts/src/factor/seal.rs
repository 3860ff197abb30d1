//! The secret at rest: sealed, so that who reads the database has no codes.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use doyen_auth::Seed;
use doyen_core::Unexpected;

use super::totp::Secret;

/// Nonce, ciphertext, tag. Whose it is goes in as well: a row can not be moved to somebody else.
pub(super) fn seal(seed: &Seed, subject: &str, secret: &Secret) -> Result<Vec<u8>, Unexpected> {
    let mut nonce = [0; NONCE_LEN];
    getrandom::fill(&mut nonce)?;
    let mut sealed = secret.to_vec();
    key(seed)?.seal_in_place_append_tag(
        Nonce::assume_unique_for_key(nonce),
        Aad::from(subject.as_bytes()),
        &mut sealed,
    )?;
    Ok([nonce.as_slice(), &sealed].concat())
}

/// The secret again.
pub(super) fn open(seed: &Seed, subject: &str, mut sealed: Vec<u8>) -> Result<Secret, Unexpected> {
    let broken = || {
        Unexpected::new(
            "a second factor can not be opened: `auth.signing_key` is not the one it was sealed with, or the row was changed",
        )
    };
    if sealed.len() <= NONCE_LEN {
        return Err(broken());
    }
    let mut rest = sealed.split_off(NONCE_LEN);
    let nonce = Nonce::try_assume_unique_for_key(&sealed).map_err(|_| broken())?;
    let opened = key(seed)?
        .open_in_place(nonce, Aad::from(subject.as_bytes()), &mut rest)
        .map_err(|_| broken())?;
    Secret::try_from(&*opened).map_err(|_| broken())
}

fn key(seed: &Seed) -> Result<LessSafeKey, Unexpected> {
    let key = UnboundKey::new(&AES_256_GCM, &seed.derive("second factor"))?;
    Ok(LessSafeKey::new(key))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_same_seed_and_subject_open_it() {
        let (seed, other) = (Seed::generate().unwrap(), Seed::generate().unwrap());
        let secret = *b"12345678901234567890";
        let sealed = seal(&seed, "usr_1", &secret).unwrap();
        assert_eq!(open(&seed, "usr_1", sealed.clone()).unwrap(), secret);
        assert!(
            !sealed
                .windows(8)
                .any(|part| secret.windows(8).any(|known| known == part))
        );
        assert_ne!(sealed, seal(&seed, "usr_1", &secret).unwrap());
        assert!(open(&seed, "usr_2", sealed.clone()).is_err());
        assert!(open(&other, "usr_1", sealed.clone()).is_err());
        for place in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[place] ^= 1;
            assert!(open(&seed, "usr_1", changed).is_err(), "{place}");
        }
        assert!(open(&seed, "usr_1", sealed[..12].to_vec()).is_err());
        assert!(open(&seed, "usr_1", Vec::new()).is_err());
    }
}
