//! Accounts over HTTP: login, sessions, API keys, second factors, and the security log.
//!
//! An application keeps its users in its own table. It implements [`Users`] to find them and mounts
//! [`Accounts`], which brings the routes, tables and settings for authentication.
//!
//! | item | purpose |
//! | --- | --- |
//! | [`Accounts`] | the plugin that an application mounts |
//! | [`Users`], [`UserRecord`] | the port to the application's own users |
//! | [`PasswordLogin`], [`TokenPair`] | a login with routes and bodies of your own |
//! | [`ApiKeys`], [`ApiKeyIdentity`] | keys of users, for programs |
//! | [`SessionUser`] | a caller with a login session, not a program with a key |
//! | [`sessions`] | login sessions: refresh, end, list, revocations |
//! | [`CookieSessions`] | cookie sessions |
//! | [`emails`], [`Mailbox`] | verify an address, reset a password, change an address |
//! | [`factor`] | a second factor |
//! | [`throttle`] | slows down failed logins |
//! | [`onetime`] | single-use tokens in links |
//! | [`security`] | the security log, in the log and in a table |
//!
//! It has no users: registration, profiles and roles belong to the application.

// The macros generate paths that begin with `::doyen::__private`; here that is this crate.
extern crate self as doyen;

mod account_keys;
mod batch;
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
mod plugin;
mod proof;
mod resolve;
pub mod security;
mod session_user;
pub mod sessions;
pub mod throttle;
mod token_plugin;
mod users;

pub use cookies::{CookieSessions, CsrfFailed, InvalidSession};
pub use emails::{
    AccountMail, AccountMailKind, EmailSettings, InvalidLink, MailText, MailTexts, Mailbox,
};
pub use keys::{
    ApiKeyIdentity, ApiKeySettings, ApiKeys, INVALID_KEY, InvalidKey, KEY_PATTERN, KeyPrefix,
};
pub use login::{InvalidCredentials, LogIn, NotOffered, PasswordLogin, TokenPair, WrongPassword};
pub use openid::{LinkMode, OpenIdSettings};
#[cfg(feature = "oidc")]
pub use openid::{OpenId, OpenIdLogin, WrongOpenId};
pub use plugin::{AccountRoutes, AccountSettings, Accounts};
pub use session_user::{SessionRequired, SessionUser};
pub use sessions::{CurrentSession, Revocations, SessionEngine, SessionSettings, Sessions};
pub use token_plugin::{AccessTokens, PasswordSettings, SigningAlgorithm, TokenSettings};
pub use users::{UserRecord, Users};

/// The tables of accounts, on both databases.
pub const TABLES: doyen_data::Migrations = doyen_macros::migrations!("migrations");

/// Names for generated code. Not part of the public API.
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
