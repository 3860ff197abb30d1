//! The root secret of an application, and the keys that are derived from it.
//!
//! An application has one [`Seed`] of 32 random bytes. Every other key (signing keys, cursor keys,
//! keys of plugins) is derived from it by a label, so that there is one secret to keep and nothing
//! to store. A part of the application gets a [`KeyDeriver`], which is limited to labels below one
//! purpose, and never the seed itself.

mod cookies;
mod deriver;
mod seed;

pub use cookies::CookieKeys;
pub use deriver::KeyDeriver;
pub use seed::{BadSeed, Seed, parse_key};
