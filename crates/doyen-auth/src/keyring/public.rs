//! A public key: verification, JWK and thumbprint.

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, ED25519, UnparsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

#[derive(Clone, Copy)]
pub(super) enum PublicKey {
    Ed25519([u8; 32]),
    /// The uncompressed point: 4, x, y.
    Es256([u8; 65]),
}

impl PublicKey {
    pub(super) const fn bytes(&self) -> &[u8] {
        match self {
            PublicKey::Ed25519(bytes) => bytes,
            PublicKey::Es256(bytes) => bytes,
        }
    }

    pub(super) fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        let done = match self {
            PublicKey::Ed25519(key) => {
                UnparsedPublicKey::new(&ED25519, key).verify(message, signature)
            }
            PublicKey::Es256(key) => {
                UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, key).verify(message, signature)
            }
        };
        done.is_ok()
    }

    /// Returns the members of its JWK that define the key (RFC 8037, RFC 7518).
    pub(super) fn jwk(&self) -> Value {
        match self {
            PublicKey::Ed25519(key) => {
                json!({ "kty": "OKP", "crv": "Ed25519", "x": text(key) })
            }
            PublicKey::Es256(key) => {
                json!({ "kty": "EC", "crv": "P-256", "x": text(&key[1..33]), "y": text(&key[33..]) })
            }
        }
    }

    /// Returns the hash of those members, in alphabetical order and without spaces (RFC 7638).
    pub(super) fn thumbprint(&self) -> String {
        let members = match self {
            PublicKey::Ed25519(key) => {
                format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{}"}}"#, text(key))
            }
            PublicKey::Es256(key) => format!(
                r#"{{"crv":"P-256","kty":"EC","x":"{}","y":"{}"}}"#,
                text(&key[1..33]),
                text(&key[33..])
            ),
        };
        text(digest(&SHA256, members.as_bytes()).as_ref())
    }
}

fn text(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}
