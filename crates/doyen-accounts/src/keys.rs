//! API keys: what a program shows instead of a person who logs in.
//!
//! A key looks like `helpdesk_` and 49 letters and digits: a prefix that people and secret scanners know, 43 drawn at random (256 bits), and 6
//! that are a checksum of the rest. So a typing error, or a guess, is refused before anybody asks the database. It is shown once, when it
//! is made; what is kept is its SHA-256, and a secret this long needs no slower hash.
//!
//! A key belongs to a user and may do what it was made for, as far as its owner may do it today. Only somebody who logged in manages keys.
//!
//! What it costs: a node reads a key and its owner at most once in four seconds; that is also how long a revoked key, a disabled owner or a
//! scope taken away may go unnoticed. When and from where a key is used is written by one task, at most once a minute for each key.

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
