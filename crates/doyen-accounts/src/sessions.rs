//! Login sessions, from a login to their end.
//!
//! A session is a row. The client holds either a short-lived access token, verified without a
//! database, with a refresh token that is exchanged for the next pair; or a cookie, for pages of
//! the same site.
//!
//! | part | is |
//! | --- | --- |
//! | [`Sessions`] | open, list, end: the service to inject |
//! | [`SessionStore`], [`SqlSessions`], `RedisSessions` | the stores |
//! | [`Revocations`] | sessions, keys and clients whose tokens are rejected before they expire |
//! | [`CurrentSession`] | the session of the caller, for routes about their own account |
//! | `family` | what a refresh token is worth: rotation, the lost answer, reuse |
//! | `uses` | when sessions were last used |
//! | `secrets` | creates tokens and cookies, and their hashes |
//!
//! A session ends after idle time (`auth.session.idle`), after its lifetime
//! (`auth.session.absolute`), when its owner or an administrator ends it, and when one of its
//! refresh tokens is used twice. An access token outlives the expiry of its session by its own few
//! minutes; after a session was *ended*, it is rejected within five seconds on every node.

mod api;
mod current;
mod device;
mod engine;
mod family;
mod problems;
mod record;
#[cfg(feature = "redis")]
mod redis;
mod revocations;
pub(crate) mod secrets;
mod service;
mod settings;
mod sql;
mod store;
mod uses;

pub(crate) use api::{Own, public, routes};
pub use current::CurrentSession;
pub use engine::SessionEngine;
pub use problems::{FindSession, InvalidGrant, Refresh, SessionNotFound};
pub use record::{LoginSession, Rotation, Seen, SessionId, SessionKind, SessionRecord};
#[cfg(feature = "redis")]
pub use redis::RedisSessions;
pub use revocations::Revocations;
pub(crate) use service::caller;
pub use service::{OpenSession, Sessions};
pub use settings::{SessionSettings, SessionStoreKind, Transport};
pub use sql::SqlSessions;
pub use store::SessionStore;
pub(crate) use uses::SessionUses;
