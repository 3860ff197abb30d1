//! API keys: credentials of programs that act for a user.
//!
//! A key looks like `helpdesk_` and 49 letters and digits: a prefix for people and secret scanners,
//! 43 random characters (256 bits), and a checksum of 6. A typing error or a guess is rejected
//! without the database. The key is shown once; only its SHA-256 is stored, because a secret of
//! this length needs no slower hash.
//!
//! A key belongs to a user and has those of its scopes that its owner still has. Managing keys
//! requires a login session.
//!
//! A node reads a key and its owner about once a second. For that long, a revoked key, a
//! disabled owner or a removed scope may go unnoticed. A background task records the use of each
//! key, at most once a minute.

mod api;
mod cache;
mod engine;
mod identity;
mod owners;
mod pattern;
mod problems;
mod rows;
mod settings;
mod store;
mod usage;

pub(crate) use api::routes;
pub use engine::ApiKeys;
pub use identity::ApiKeyIdentity;
pub use pattern::KEY_PATTERN;
pub(crate) use pattern::{fingerprint, mint};
pub(crate) use problems::Ungranted;
pub use problems::{INVALID_KEY, InvalidKey};
pub use settings::{ApiKeySettings, KeyPrefix};
pub(crate) use store::granted;
