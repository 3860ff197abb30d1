//! Identity: signed access tokens, the keys that sign them, and passwords.
//!
//! ```
//! use std::sync::Arc;
//!
//! use doyen_auth::{KeyRing, TokenOptions, Tokens};
//! use doyen_core::{Caller, SystemClock};
//! use doyen_secret::Seed;
//!
//! # fn main() -> Result<(), doyen_core::Unexpected> {
//! let ring = KeyRing::new(&Seed::generate()?.deriver("signing"))?;
//! let options = TokenOptions::new("https://shop.example", "https://shop.example");
//! let tokens = Tokens::new(ring, options, Arc::new(SystemClock))?;
//!
//! let mut caller = Caller::new("usr_1");
//! caller.scopes = vec!["orders:read".into()];
//! let issued = tokens.issue(&caller)?;
//! assert_eq!(*tokens.verify(&issued.token)?.caller, caller);
//! # Ok(())
//! # }
//! ```
//!
//! | part | is |
//! | --- | --- |
//! | [`KeyRing`] | the signing key, and the public keys that are accepted |
//! | [`SigningKeys`] | the keys in use, in a table that all nodes share; rotation |
//! | [`Tokens`] | issues access tokens, and verifies them strictly, with a cache |
//! | [`Jws`] | a signed token in compact form, also of other issuers |
//! | [`Bearer`] | identifies a [`Caller`](doyen_core::Caller) by `Authorization: Bearer` |
//! | [`RevocationList`] | revoked sessions, keys and clients, known to every node within seconds |
//! | [`Passwords`], [`NewPassword`], [`PasswordRules`] | argon2id with limited concurrency, and the rules for a new password |
//!
//! It stores the numbers of the signing keys in use ([`KEY_TABLES`]), never the keys. Sessions,
//! refresh tokens and API keys belong to `doyen-accounts`.

// The derives generate paths that begin with `::doyen::__private`.
extern crate doyen_core as doyen;

mod bearer;
mod jws;
mod keyring;
mod keys;
mod members;
mod password;
mod revocation;
mod token;

pub use bearer::{Bearer, CheckToken, INVALID_TOKEN, InvalidToken};
pub use jws::{Jws, JwsError};
pub use keyring::{Algorithm, AlgorithmName, BadKey, KeyRing, KeySet};
pub use keys::{KEY_SET_MAX_AGE, KEY_TABLES, KeyError, KeyState, Rotation, SigningKeys, StoredKey};
pub use members::{Members, strict_json};
pub use password::{
    BadPasswordOptions, NewPassword, Overloaded, PasswordOptions, PasswordRules, Passwords,
    Verdict, WeakPassword,
};
pub use revocation::{REVOKED, Reading, Revocation, RevocationList, RevocationSource};
pub use token::{BadTokenOptions, Claims, IssuedToken, Rejected, TokenOptions, TokenUses, Tokens};
