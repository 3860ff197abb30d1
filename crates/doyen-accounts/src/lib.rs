//! Accounts over HTTP: log in, sessions, keys, second factors, and the log of what happened to them.
//!
//! An application has users of its own, in a table of its own. It says how to find one ([`Users`]) and mounts [`Accounts`]; everything that
//! has to do with proving who somebody is then works: routes, tables and settings.
//!
//! | room | holds |
//! | --- | --- |
//! | [`Accounts`] | what an application mounts |
//! | [`Users`], [`UserRecord`] | the port to the application's own users |
//! | [`ApiKeys`], [`ApiKeyIdentity`] | keys that a user makes for programs |
//! | [`Person`] | somebody who logged in, not a program with a key |
//! | [`sessions`] | login sessions: refresh, end, list, and what was revoked |
//! | [`CookieSessions`] | sessions carried by a cookie |
//! | [`emails`], [`Mailbox`] | verify an address, set a forgotten password, change an address |
//! | [`factor`] | a second factor |
//! | [`throttle`] | who fails to log in too often waits |
//! | [`onetime`] | the tokens in the links of mails |
//! | [`security`] | the security log: what happened to accounts, in the log and in a table |
//!
//! What it does not do: it has no users. Who registers, what a profile holds and which roles there are is the application's own business.

// The macros write `::doyen::__private::...`; inside this crate that is this crate.
extern crate self as doyen;

mod account_keys;
mod clients;
mod cookies;
pub mod emails;
pub mod factor;
mod jwks;
mod key_commands;
mod keys;
mod login;
pub mod onetime;
mod openid;
mod person;
mod plugin;
mod proof;
pub mod security;
pub mod sessions;
pub mod throttle;
mod token_plugin;
mod users;

pub use cookies::{CookieSessions, CsrfFailed, InvalidSession};
pub use emails::{EmailSettings, InvalidLink, Mailbox};
pub use keys::{
    ApiKeyIdentity, ApiKeySettings, ApiKeys, INVALID_KEY, InvalidKey, KEY_PATTERN, KeyPrefix,
};
pub use login::{InvalidCredentials, LogIn, NotOffered, WrongPassword};
pub use openid::{LinkMode, OpenIdSettings};
#[cfg(feature = "oidc")]
pub use openid::{OpenId, OpenIdLogin, WrongOpenId};
pub use person::{Person, SessionRequired};
pub use plugin::{AccountSettings, Accounts};
pub use sessions::{OwnSession, Revocations, SessionEngine, SessionSettings, Sessions};
pub use token_plugin::{AccessTokens, SigningAlgorithm, TokenSettings};
pub use users::{UserRecord, Users};

/// The tables of accounts, on both databases.
pub const TABLES: doyen_data::Migrations = doyen_macros::migrations!("migrations");

/// What the macros write against. Not part of the public API.
#[doc(hidden)]
pub mod __private {
    pub use doyen_data as data;
    pub use doyen_schema::__private::*;
    pub use doyen_settings as settings;
    /// The part for routes.
    pub mod web {
        pub use doyen_web::__private::*;
    }
}

/// Where `migrations!` finds the types it writes.
#[doc(hidden)]
pub mod data {
    pub use doyen_data::*;
}
