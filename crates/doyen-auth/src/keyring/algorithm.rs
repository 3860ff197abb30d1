//! Signature algorithms and their names.

use std::fmt;

/// The algorithm of a signing key. It never changes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Algorithm {
    /// Ed25519 (RFC 8032): fast, and signatures need no random numbers.
    #[default]
    Ed25519,
    /// ECDSA on P-256 with SHA-256 (RFC 7518), for consumers whose library has no Ed25519.
    Es256,
}

impl Algorithm {
    /// Returns its name in a token and in a key set.
    pub const fn as_str(self) -> &'static str {
        match self {
            Algorithm::Ed25519 => "Ed25519",
            Algorithm::Es256 => "ES256",
        }
    }

    /// Returns the algorithm of this name. The comparison is exact.
    pub fn parse(name: &str) -> Option<Self> {
        [Algorithm::Ed25519, Algorithm::Es256]
            .into_iter()
            .find(|algorithm| algorithm.as_str() == name)
    }

    /// Returns its name in the label for key derivation. It must never change.
    pub(super) const fn label(self) -> &'static str {
        match self {
            Algorithm::Ed25519 => "ed25519",
            Algorithm::Es256 => "es256",
        }
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// The name of Ed25519 in tokens and in the key set. The signature is the same.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AlgorithmName {
    /// `Ed25519`, its name since RFC 9864. Tokens with the old name are refused.
    #[default]
    Ed25519,
    /// `EdDSA`, the name of RFC 8037, which RFC 9864 deprecates: for consumers whose library does
    /// not know the new one yet. Tokens with either name are accepted.
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
