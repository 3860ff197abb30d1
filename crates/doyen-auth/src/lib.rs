//! Identity: signed access tokens, the keys that sign them, and passwords.
//!
//! ```
//! use std::sync::Arc;
//!
//! use doyen_auth::{KeyRing, Seed, TokenOptions, Tokens};
//! use doyen_core::{Caller, SystemClock};
//!
//! # fn main() -> Result<(), doyen_core::Unexpected> {
//! let ring = KeyRing::new(&Seed::generate()?)?;
//! let tokens = Tokens::new(ring, TokenOptions::new("https://shop.example", "https://shop.example"), Arc::new(SystemClock))?;
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
//! | [`Seed`] | the secret everything is derived from; a development file made at the first start |
//! | [`KeyRing`] | the key that signs and the public keys that are still, or already, accepted |
//! | [`SigningKeys`] | which keys are in use, in a table that all nodes share; rotation |
//! | [`Tokens`] | issues access tokens and verifies them, strictly, with a memory for those it has seen |
//! | [`Bearer`] | `Authorization: Bearer` to [`Caller`](doyen_core::Caller) |
//! | [`Identifiers`] | several ways to say who one is, asked in order |
//! | [`RevocationList`] | which sessions, keys and clients no longer count, on every node within seconds |
//! | [`Passwords`], [`NewPassword`] | argon2id behind a limit, and the rules for a new password |
//!
//! What it does not do: it stores nothing. Sessions, refresh tokens and API keys live in a database.

mod bearer;
mod identifiers;
mod keyring;
mod keys;
mod members;
mod password;
mod revocation;
mod seed;
mod token;

pub use bearer::{Bearer, INVALID_TOKEN, InvalidToken};
pub use identifiers::{INVALID_REQUEST, Identifiers};
pub use keyring::{Algorithm, AlgorithmName, BadKey, KeyRing, KeySet};
pub use keys::{KEY_SET_MAX_AGE, KEY_TABLES, KeyError, KeyState, Rotation, SigningKeys, StoredKey};
pub use password::{
    BadPasswordOptions, NewPassword, Overloaded, PasswordOptions, Passwords, Verdict, WeakPassword,
};
pub use revocation::{REVOKED, Reading, Revocation, RevocationList, RevocationSource};
pub use seed::{BadSeed, Seed};
pub use token::{BadTokenOptions, Claims, IssuedToken, Rejected, TokenOptions, Tokens};
