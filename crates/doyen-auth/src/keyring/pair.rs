//! A signing key, derived from the seed.

use aws_lc_rs::agreement::{ECDH_P256, PrivateKey};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _,
};

use super::public::PublicKey;
use super::{Algorithm, BadKey};
use doyen_secret::KeyDeriver;

/// A candidate for a P-256 key is out of range with a probability of 2^-32, so this many in a row
/// do not occur.
const MAX_CANDIDATES: u32 = 16;

pub(super) enum Pair {
    Ed25519(Ed25519KeyPair),
    Es256(EcdsaKeyPair, SystemRandom),
}

impl Pair {
    /// Derives the key of this number. The same seed gives the same key; keys of other numbers and
    /// algorithms are unrelated.
    pub(super) fn derive(
        keys: &KeyDeriver,
        algorithm: Algorithm,
        number: u32,
    ) -> Result<Self, BadKey> {
        let label = format!("{}/{number}", algorithm.label());
        match algorithm {
            Algorithm::Ed25519 => Self::ed25519(&keys.derive(&label)),
            Algorithm::Es256 => Self::p256(|attempt| match attempt {
                0 => keys.derive(&label),
                _ => keys.derive(&format!("{label}/{attempt}")),
            }),
        }
    }

    pub(super) fn ed25519(secret: &[u8; 32]) -> Result<Self, BadKey> {
        Ed25519KeyPair::from_seed_unchecked(secret)
            .map(Pair::Ed25519)
            .map_err(|_| BadKey)
    }

    /// Returns the first candidate from 1 to the order of the curve minus 1 (FIPS 186-5, A.2.2):
    /// each such number is equally likely.
    pub(super) fn p256(candidate: impl Fn(u32) -> [u8; 32]) -> Result<Self, BadKey> {
        for attempt in 0..MAX_CANDIDATES {
            let secret = candidate(attempt);
            // It refuses zero and values from the order on.
            let Ok(private) = PrivateKey::from_private_key(&ECDH_P256, &secret) else {
                continue;
            };
            let public = private.compute_public_key().map_err(|_| BadKey)?;
            return EcdsaKeyPair::from_private_key_and_public_key(
                &ECDSA_P256_SHA256_FIXED_SIGNING,
                &secret,
                public.as_ref(),
            )
            .map(|pair| Pair::Es256(pair, SystemRandom::new()))
            .map_err(|_| BadKey);
        }
        Err(BadKey)
    }

    pub(super) fn public(&self) -> PublicKey {
        match self {
            Pair::Ed25519(pair) => PublicKey::Ed25519(copied(pair.public_key().as_ref())),
            Pair::Es256(pair, _) => PublicKey::Es256(copied(pair.public_key().as_ref())),
        }
    }

    /// Both signatures have 64 bytes. That of ECDSA is `r` followed by `s`, as RFC 7518 requires.
    pub(super) fn sign(&self, message: &[u8]) -> Result<[u8; 64], BadKey> {
        match self {
            Pair::Ed25519(pair) => Ok(copied(pair.sign(message).as_ref())),
            Pair::Es256(pair, random) => pair
                .sign(random, message)
                .map(|signature| copied(signature.as_ref()))
                .map_err(|_| BadKey),
        }
    }
}

/// Converts bytes whose length a standard guarantees.
fn copied<const N: usize>(bytes: &[u8]) -> [u8; N] {
    debug_assert_eq!(bytes.len(), N);
    let mut out = [0; N];
    for (to, from) in out.iter_mut().zip(bytes) {
        *to = *from;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The order of P-256 (FIPS 186-5; SEC 2).
    const ORDER: [u8; 32] = [
        0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
        0xff, 0xbc, 0xe6, 0xfa, 0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63,
        0x25, 0x51,
    ];

    #[test]
    fn a_candidate_that_is_no_key_is_passed_over() {
        let mut last = ORDER;
        last[31] -= 1;
        let candidates = [[0; 32], ORDER, [0xff; 32], last];
        let made = Pair::p256(|attempt| candidates[attempt as usize]).unwrap();
        let alone = Pair::p256(|_| last).unwrap();
        assert_eq!(made.public().thumbprint(), alone.public().thumbprint());
        assert!(Pair::p256(|_| [0; 32]).is_err(), "it ends");
    }

    #[test]
    fn keys_are_the_same_for_the_same_number_and_differ_otherwise() {
        let fresh = || doyen_secret::Seed::generate().unwrap().deriver("signing");
        let (seed, other) = (fresh(), fresh());
        let kid = |keys: &KeyDeriver, algorithm, number| {
            Pair::derive(keys, algorithm, number)
                .unwrap()
                .public()
                .thumbprint()
        };
        for algorithm in [Algorithm::Ed25519, Algorithm::Es256] {
            assert_eq!(kid(&seed, algorithm, 7), kid(&seed, algorithm, 7));
            assert_ne!(kid(&seed, algorithm, 7), kid(&seed, algorithm, 8));
            assert_ne!(kid(&seed, algorithm, 7), kid(&other, algorithm, 7));
        }
    }
}
