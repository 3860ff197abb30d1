//! The public keys of a provider (RFC 7517): RSA, P-256 and Ed25519, each for its one algorithm.

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ED25519, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents,
    UnparsedPublicKey,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

/// The accepted algorithms of ID tokens: not `none`, and none with a shared secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Algorithm {
    Rs256,
    Es256,
    EdDsa,
}

impl Algorithm {
    pub(super) fn named(name: &str) -> Option<Self> {
        match name {
            "RS256" => Some(Self::Rs256),
            "ES256" => Some(Self::Es256),
            "EdDSA" | "Ed25519" => Some(Self::EdDsa),
            _ => None,
        }
    }
}

/// A public key.
pub(super) struct Jwk {
    kid: Option<String>,
    algorithm: Algorithm,
    /// Modulus of an RSA key, or all of another key.
    bytes: Vec<u8>,
    /// Exponent of an RSA key.
    exponent: Vec<u8>,
}

impl Jwk {
    /// Parses a key. Returns `None` if its type is not supported or it is not for signatures.
    fn read(json: &Value) -> Option<Self> {
        let text = |name: &str| json.get(name).and_then(Value::as_str);
        let part = |name: &str| URL_SAFE_NO_PAD.decode(text(name)?).ok();
        if text("use").is_some_and(|usage| usage != "sig") {
            return None;
        }
        if json.get("key_ops").is_some_and(|all| !can_verify(all)) {
            return None;
        }
        let (algorithm, bytes, exponent) = match (text("kty")?, text("crv")) {
            ("RSA", _) => (Algorithm::Rs256, part("n")?, part("e")?),
            ("EC", Some("P-256")) => {
                let (x, y) = (part("x")?, part("y")?);
                if x.len() != 32 || y.len() != 32 {
                    return None;
                }
                (Algorithm::Es256, [&[4][..], &x, &y].concat(), Vec::new())
            }
            ("OKP", Some("Ed25519")) => (Algorithm::EdDsa, part("x")?, Vec::new()),
            _ => return None,
        };
        // A key has one algorithm, and its `alg` must agree.
        if text("alg").is_some_and(|name| Algorithm::named(name) != Some(algorithm)) {
            return None;
        }
        Some(Self {
            kid: text("kid").map(str::to_owned),
            algorithm,
            bytes,
            exponent,
        })
    }

    pub(super) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        match self.algorithm {
            Algorithm::Rs256 => RsaPublicKeyComponents {
                n: &self.bytes,
                e: &self.exponent,
            }
            .verify(&RSA_PKCS1_2048_8192_SHA256, message, signature)
            .is_ok(),
            Algorithm::Es256 => UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, &self.bytes)
                .verify(message, signature)
                .is_ok(),
            Algorithm::EdDsa => UnparsedPublicKey::new(&ED25519, &self.bytes)
                .verify(message, signature)
                .is_ok(),
        }
    }
}

/// True if these operations of a key (RFC 7517 section 4.3) include the verification of signatures.
fn can_verify(operations: &Value) -> bool {
    let all = operations.as_array();
    all.is_some_and(|all| all.iter().any(|operation| operation == "verify"))
}

/// Parses the supported keys of a key set.
pub(super) fn read(json: &Value) -> Vec<Jwk> {
    let keys = json.get("keys").and_then(Value::as_array);
    keys.into_iter().flatten().filter_map(Jwk::read).collect()
}

/// Returns the key of a token: by name, or the only key for its algorithm if the token names none.
pub(super) fn pick<'k>(
    keys: &'k [Jwk],
    kid: Option<&str>,
    algorithm: Algorithm,
) -> Option<&'k Jwk> {
    let mut fitting = keys
        .iter()
        .filter(|key| key.algorithm == algorithm && (kid.is_none() || key.kid.as_deref() == kid));
    let first = fitting.next()?;
    fitting.next().is_none().then_some(first)
}
