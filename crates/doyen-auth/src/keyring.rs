//! The keys that sign and verify access tokens.
//!
//! A key has one algorithm and one name, its `kid`. The `kid` of a token selects the key and with
//! it the algorithm; the `alg` of the token only has to agree. So no text in a token changes how it
//! is verified.
//!
//! Every key is derived from the seed and its number, so a ring can be rebuilt at any time and no
//! secret is stored. The table of [`SigningKeys`](crate::SigningKeys) records the numbers in use.

mod algorithm;
mod pair;
mod public;

use std::fmt;
use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

pub use algorithm::{Algorithm, AlgorithmName};
use pair::Pair;
use public::PublicKey;

use doyen_secret::{KeyDeriver, parse_key};

/// A signing key, and further public keys that are accepted.
///
/// ```
/// use doyen_auth::{Algorithm, KeyRing};
/// use doyen_secret::Seed;
///
/// let old = KeyRing::new(&Seed::generate()?.deriver("signing"))?;
/// let new = KeyRing::first(&Seed::generate()?.deriver("signing"), Algorithm::Es256)?
///     .also_trust(&old.public_key())?;
/// assert_eq!(new.jwks()["keys"].as_array().map(Vec::len), Some(2));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct KeyRing {
    pair: Pair,
    /// The signing key is the first.
    keys: Vec<Key>,
    name: AlgorithmName,
}

/// A public key and its name.
pub(crate) struct Key {
    pub(crate) kid: Arc<str>,
    public: PublicKey,
}

/// The public keys in the form that is served.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeySet {
    /// The JWK Set (RFC 7517) as JSON.
    pub json: String,
    /// A strong entity tag, in quotes.
    pub etag: String,
}

impl KeyRing {
    /// Creates a ring with the first Ed25519 key of this seed.
    ///
    /// # Errors
    ///
    /// Returns an error if no key can be derived. With a random seed this does not happen.
    pub fn new(keys: &KeyDeriver) -> Result<Self, BadKey> {
        Self::first(keys, Algorithm::Ed25519)
    }

    /// Creates a ring with the first key of this seed for this algorithm.
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new).
    pub fn first(keys: &KeyDeriver, algorithm: Algorithm) -> Result<Self, BadKey> {
        Self::numbered(keys, algorithm, 1)
    }

    /// Creates a ring whose signing key has this number.
    pub(crate) fn numbered(
        keys: &KeyDeriver,
        algorithm: Algorithm,
        number: u32,
    ) -> Result<Self, BadKey> {
        Ok(Self::of(Pair::derive(keys, algorithm, number)?))
    }

    fn of(pair: Pair) -> Self {
        Self {
            keys: vec![Key::new(pair.public())],
            pair,
            name: AlgorithmName::default(),
        }
    }

    /// Also accepts and publishes the key of this number.
    pub(crate) fn and(
        mut self,
        keys: &KeyDeriver,
        algorithm: Algorithm,
        number: u32,
    ) -> Result<Self, BadKey> {
        self.push(Pair::derive(keys, algorithm, number)?.public());
        Ok(self)
    }

    /// Also accepts and publishes an Ed25519 public key of another seed, in the format of
    /// [`public_key`](Self::public_key).
    ///
    /// # Errors
    ///
    /// Returns an error if the text is not 32 bytes in base64url, or a weak key under which anyone
    /// can sign.
    pub fn also_trust(mut self, public: &str) -> Result<Self, BadKey> {
        self.push(PublicKey::Ed25519(parse_key(public).ok_or(BadKey)?));
        Ok(self)
    }

    fn push(&mut self, public: PublicKey) {
        let key = Key::new(public);
        if !self.has(&key.kid) {
            self.keys.push(key);
        }
    }

    /// Sets the name of Ed25519 in tokens.
    #[must_use]
    pub const fn algorithm_name(mut self, name: AlgorithmName) -> Self {
        self.name = name;
        self
    }

    /// Returns the public part of the signing key, in base64url: for Ed25519 the `x` of its JWK,
    /// for ES256 the uncompressed point.
    pub fn public_key(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.keys[0].public.bytes())
    }

    /// Returns the name of the signing key: its thumbprint (RFC 7638).
    pub fn kid(&self) -> &str {
        &self.keys[0].kid
    }

    /// Returns the public keys as a JWK Set (RFC 7517), for `/.well-known/jwks.json`. The signing
    /// key is the first.
    pub fn jwks(&self) -> Value {
        let jwk = |key: &Key| {
            let mut jwk = key.public.jwk();
            jwk["kid"] = Value::from(&*key.kid);
            jwk["use"] = Value::from("sig");
            jwk["alg"] = Value::from(self.alg(key));
            jwk
        };
        json!({ "keys": self.keys.iter().map(jwk).collect::<Vec<_>>() })
    }

    /// Returns the same as text, with an entity tag.
    pub fn key_set(&self) -> KeySet {
        let json = self.jwks().to_string();
        let hash = digest(&SHA256, json.as_bytes());
        let etag = format!("\"{}\"", URL_SAFE_NO_PAD.encode(&hash.as_ref()[..16]));
        KeySet { json, etag }
    }

    /// Returns the name of the signing key's algorithm for the header of a token.
    pub(crate) fn signing_alg(&self) -> &'static str {
        self.alg(&self.keys[0])
    }

    fn alg(&self, key: &Key) -> &'static str {
        match key.public {
            PublicKey::Ed25519(_) => self.name.as_str(),
            PublicKey::Es256(_) => Algorithm::Es256.as_str(),
        }
    }

    pub(crate) const fn name(&self) -> AlgorithmName {
        self.name
    }

    /// Returns the key of this name.
    pub(crate) fn find(&self, kid: &str) -> Option<&Key> {
        self.keys.iter().find(|key| &*key.kid == kid)
    }

    /// True if the key of this name is accepted.
    pub(crate) fn has(&self, kid: &str) -> bool {
        self.find(kid).is_some()
    }

    /// True if the other ring accepts every key of this one, under the same name of its algorithm.
    pub(crate) fn all_in(&self, other: &KeyRing) -> bool {
        self.name == other.name && self.keys.iter().all(|key| other.has(&key.kid))
    }

    /// True if a token of this key may name its algorithm like this. The comparison is exact.
    pub(crate) fn is_algorithm(&self, key: &Key, alg: &str) -> bool {
        match key.public {
            PublicKey::Ed25519(_) => {
                alg == Algorithm::Ed25519.as_str() || alg == self.name.as_str()
            }
            PublicKey::Es256(_) => alg == Algorithm::Es256.as_str(),
        }
    }

    pub(crate) fn sign(&self, message: &[u8]) -> Result<[u8; 64], BadKey> {
        self.pair.sign(message)
    }
}

impl Key {
    fn new(public: PublicKey) -> Self {
        Self {
            kid: public.thumbprint().into(),
            public,
        }
    }

    /// True if the signature is valid.
    pub(crate) fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        self.public.verify(message, signature)
    }
}

impl fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list()
            .entries(self.keys.iter().map(|key| &key.kid))
            .finish()
    }
}

/// Returns the name of the key with this number.
pub(crate) fn kid_of(
    keys: &KeyDeriver,
    algorithm: Algorithm,
    number: u32,
) -> Result<String, BadKey> {
    Ok(Pair::derive(keys, algorithm, number)?.public().thumbprint())
}

/// The text is not a key, or no key can be derived.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BadKey;

impl fmt::Display for BadKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("must be an Ed25519 key: 32 bytes in base64url (43 characters, no padding)")
    }
}

impl std::error::Error for BadKey {}

#[cfg(test)]
pub(crate) mod testing {
    use super::*;

    /// A ring with a known Ed25519 secret, such as one printed in a standard.
    pub(crate) fn raw_ed25519(secret: &str) -> KeyRing {
        let secret = URL_SAFE_NO_PAD.decode(secret).unwrap();
        KeyRing::of(Pair::ed25519(&secret.try_into().unwrap()).unwrap())
    }

    /// A ring with a known P-256 secret.
    pub(crate) fn raw_p256(secret: &str) -> KeyRing {
        let secret: [u8; 32] = URL_SAFE_NO_PAD.decode(secret).unwrap().try_into().unwrap();
        KeyRing::of(Pair::p256(|_| secret).unwrap())
    }
}

#[cfg(test)]
mod tests;
