//! Reasons to refuse a token.

use std::fmt;

/// The rule that a token breaks. It is for the log; the client gets `invalid_token`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Rejected {
    /// It is longer than 8 KiB.
    TooLong,
    /// It is not three parts with two dots between them.
    NotCompact,
    /// A part is not base64url in its one valid form: no padding, no spare bits.
    NotBase64,
    /// The header is not a JSON object with `typ`, `alg` and `kid` as text, each member once.
    Header,
    /// The header has a member that would change how the token is read, or that brings a key.
    Extension,
    /// Another kind of token.
    Type,
    /// The key is unknown.
    UnknownKey,
    /// The algorithm is not that of the key.
    Algorithm,
    /// The signature is invalid.
    Signature,
    /// The claims are not a JSON object with all required members, each once and of its type.
    Claims,
    /// A time is missing or is not a whole number of seconds.
    Time,
    /// Expired.
    Expired,
    /// Not valid yet.
    NotYetValid,
    /// Another issuer.
    Issuer,
    /// Another audience.
    Audience,
    /// Its session, key or client was revoked, or has other rights since.
    Revoked,
}

impl fmt::Display for Rejected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Rejected::TooLong => "the token is longer than 8 KiB",
            Rejected::NotCompact => "the token is not three parts with two dots between them",
            Rejected::NotBase64 => "a part of the token is not strict base64url",
            Rejected::Header => {
                "the header of the token is not an object with `typ`, `alg` and `kid`, each once"
            }
            Rejected::Extension => "the header of the token has an extension or a key",
            Rejected::Type => "the token is not an access token (`typ` is not `at+jwt`)",
            Rejected::UnknownKey => "the token names a key (`kid`) that is unknown",
            Rejected::Algorithm => "the token's `alg` is not the algorithm of its key",
            Rejected::Signature => "the token's signature is invalid",
            Rejected::Claims => "the token's claims are incomplete or of a wrong type",
            Rejected::Time => "a time in the token is missing or not a whole number of seconds",
            Rejected::Expired => "the token has expired",
            Rejected::NotYetValid => "the token is not valid yet",
            Rejected::Issuer => "the token has another issuer",
            Rejected::Audience => "the token has another audience",
            Rejected::Revoked => {
                "the session, key or client of the token was revoked or has other rights now"
            }
        })
    }
}

impl std::error::Error for Rejected {}
