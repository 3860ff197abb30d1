//! The keys that sign and verify access tokens.
//!
//! A key has one algorithm, Ed25519, and one name, its `kid`. The `kid` of a token picks the key and with it the algorithm; the token's own
//! `alg` must only agree. So nothing a token says can change how it is checked.
//!
//! Rotation, without an outage: publish the next public key (`also_trust`) on every node; when the caches of the key set have run out, make
//! it the signing key and keep the old public key (`also_trust`) for as long as the longest token lives; then drop it.

use std::fmt;

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::Seed;
use crate::seed::bytes32;

/// One key that signs, and public keys that are accepted beside it.
///
/// ```
/// use doyen_auth::{KeyRing, Seed};
///
/// let old = KeyRing::new(&Seed::generate()?)?;
/// let new = KeyRing::new(&Seed::generate()?)?.also_trust(&old.public_key())?;
/// assert_eq!(new.jwks()["keys"].as_array().map(Vec::len), Some(2));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct KeyRing {
    pair: Ed25519KeyPair,
    /// The signing key is the first.
    keys: Vec<Key>,
    name: AlgorithmName,
}

struct Key {
    kid: String,
    public: [u8; 32],
}

/// What the algorithm is called in tokens and in the key set. The signature is the same.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AlgorithmName {
    /// `Ed25519`, its name since RFC 9864. Tokens with the old name are refused.
    #[default]
    Ed25519,
    /// `EdDSA`, the name of RFC 8037, which RFC 9864 deprecates: for consumers whose library does not know the new one yet. Tokens with
    /// either name are accepted.
    EdDsa,
}

impl AlgorithmName {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            AlgorithmName::Ed25519 => "Ed25519",
            AlgorithmName::EdDsa => "EdDSA",
        }
    }
}

impl KeyRing {
    /// A ring whose signing key is made from this seed.
    ///
    /// # Errors
    ///
    /// No key can be made from it; with a seed that was drawn at random this does not happen.
    pub fn new(seed: &Seed) -> Result<Self, BadKey> {
        let pair = Ed25519KeyPair::from_seed_unchecked(seed.bytes()).map_err(|_| BadKey)?;
        let public: [u8; 32] = pair.public_key().as_ref().try_into().map_err(|_| BadKey)?;
        Ok(Self {
            pair,
            keys: vec![Key {
                kid: thumbprint(&public),
                public,
            }],
            name: AlgorithmName::default(),
        })
    }

    /// Accepts and publishes another public key: the one that signed until now, or the one that will sign next. The text is what
    /// [`public_key`](Self::public_key) of its ring gives.
    ///
    /// # Errors
    ///
    /// It is not 32 bytes in base64url.
    pub fn also_trust(mut self, public: &str) -> Result<Self, BadKey> {
        let public = bytes32(public).ok_or(BadKey)?;
        let kid = thumbprint(&public);
        if self.keys.iter().all(|known| known.kid != kid) {
            self.keys.push(Key { kid, public });
        }
        Ok(self)
    }

    /// Calls the algorithm by another name.
    #[must_use]
    pub const fn algorithm_name(mut self, name: AlgorithmName) -> Self {
        self.name = name;
        self
    }

    /// The public half of the signing key, in base64url: the `x` of its JWK.
    pub fn public_key(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.keys[0].public)
    }

    /// The name of the signing key: its thumbprint (RFC 7638).
    pub fn kid(&self) -> &str {
        &self.keys[0].kid
    }

    /// The public keys as a JWK Set (RFC 7517), for `/.well-known/jwks.json`. The signing key is the first.
    pub fn jwks(&self) -> Value {
        let jwk = |key: &Key| {
            json!({
                "kty": "OKP", "crv": "Ed25519", "x": URL_SAFE_NO_PAD.encode(key.public),
                "kid": key.kid, "use": "sig", "alg": self.name.as_str(),
            })
        };
        json!({ "keys": self.keys.iter().map(jwk).collect::<Vec<_>>() })
    }

    /// A strong entity tag for the key set, in its quotes.
    pub fn jwks_etag(&self) -> String {
        let hash = digest(&SHA256, self.jwks().to_string().as_bytes());
        format!("\"{}\"", URL_SAFE_NO_PAD.encode(&hash.as_ref()[..16]))
    }

    pub(crate) const fn name(&self) -> AlgorithmName {
        self.name
    }

    /// True when a token of ours may call its algorithm this. Exact: there is no other spelling.
    pub(crate) fn is_algorithm(&self, alg: &str) -> bool {
        alg == AlgorithmName::Ed25519.as_str() || alg == self.name.as_str()
    }

    pub(crate) fn sign(&self, message: &[u8]) -> impl AsRef<[u8]> + use<> {
        self.pair.sign(message)
    }

    /// Checks a signature with the key of this name. `None` when there is no such key.
    pub(crate) fn verify(&self, kid: &str, message: &[u8], signature: &[u8]) -> Option<bool> {
        let key = self.keys.iter().find(|key| key.kid == kid)?;
        Some(
            UnparsedPublicKey::new(&ED25519, key.public)
                .verify(message, signature)
                .is_ok(),
        )
    }
}

impl fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list()
            .entries(self.keys.iter().map(|key| &key.kid))
            .finish()
    }
}

/// The members of the JWK that RFC 8037 asks for, in their order and without spaces.
fn thumbprint(public: &[u8; 32]) -> String {
    let x = URL_SAFE_NO_PAD.encode(public);
    URL_SAFE_NO_PAD.encode(digest(
        &SHA256,
        format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{x}"}}"#).as_bytes(),
    ))
}

/// The text is not a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BadKey;

impl fmt::Display for BadKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("must be an Ed25519 key: 32 bytes in base64url (43 characters, no padding)")
    }
}

impl std::error::Error for BadKey {}

#[cfg(test)]
mod tests {
    use super::*;

    /// The key of RFC 8037, appendix A, with the values printed there.
    fn rfc_8037() -> KeyRing {
        KeyRing::new(&Seed::parse("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A").unwrap()).unwrap()
    }

    #[test]
    fn the_key_of_rfc_8037_has_the_thumbprint_printed_there() {
        let ring = rfc_8037();
        assert_eq!(
            ring.public_key(),
            "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"
        );
        assert_eq!(ring.kid(), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
    }

    #[test]
    fn the_signature_of_rfc_8037_comes_out() {
        let signature =
            rfc_8037().sign(b"eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc");
        let expected = "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";
        assert_eq!(URL_SAFE_NO_PAD.encode(signature), expected);
    }

    #[test]
    fn the_key_set_is_public_and_its_tag_changes_with_it() {
        let ring = rfc_8037();
        let alone = ring.jwks_etag();
        assert!(!ring.jwks().to_string().contains("nWGxne"));
        assert!(ring.jwks()["keys"][0].get("d").is_none());
        let other = KeyRing::new(&Seed::generate().unwrap()).unwrap();
        let both = ring
            .also_trust(&other.public_key())
            .unwrap()
            .also_trust(&other.public_key())
            .unwrap();
        assert_eq!(both.jwks()["keys"].as_array().unwrap().len(), 2);
        assert_ne!(both.jwks_etag(), alone);
        assert!(alone.starts_with('"') && alone.ends_with('"'));
    }

    #[test]
    fn a_public_key_that_is_none_is_refused() {
        // The last two are points of small order, under which anybody can sign.
        for text in [
            "",
            "abc",
            "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo=",
            &URL_SAFE_NO_PAD.encode([0; 32]),
            &{
                let mut one = [0; 32];
                one[0] = 1;
                URL_SAFE_NO_PAD.encode(one)
            },
        ] {
            assert!(rfc_8037().also_trust(text).is_err(), "{text}");
        }
    }

    #[test]
    fn the_old_name_of_the_algorithm_is_read_only_when_asked_for() {
        let ring = rfc_8037();
        assert!(ring.is_algorithm("Ed25519") && !ring.is_algorithm("EdDSA"));
        let ring = ring.algorithm_name(AlgorithmName::EdDsa);
        assert!(ring.is_algorithm("Ed25519") && ring.is_algorithm("EdDSA"));
        assert_eq!(ring.jwks()["keys"][0]["alg"], "EdDSA");
    }
}
