//! Login sessions: what somebody has from a login to its end.
//!
//! A session is a row. Its owner carries it in one of two ways: an access token, good for minutes and checked without a question to any
//! database, with a refresh token that is spent for the next pair; or a cookie, for pages of the same site.
//!
//! | part | is |
//! | --- | --- |
//! | [`Sessions`] | open, list, end; the service to ask for |
//! | [`SessionStore`], [`SqlSessions`], `RedisSessions` | where they are kept |
//! | [`Revocations`] | what no longer counts although its tokens have not expired |
//! | [`OwnSession`] | the session of the caller, for routes about one's own account |
//! | `family` | what a refresh token is worth: rotation, the lost answer, reuse |
//! | `secrets` | how tokens and cookies are made, and what is kept of them |
//!
//! A session ends when nobody uses it (`auth.session.idle`), after a time of its own (`auth.session.absolute`), when its owner or an
//! administrator ends it, and when one of its refresh tokens is used a second time. An access token that was given before its session
//! expired lives on for its own few minutes; one of a session that was *ended* is refused within five seconds on every node.

mod api;
mod device;
mod engine;
mod family;
mod own;
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

pub(crate) use api::{Own, public, routes};
pub use engine::SessionEngine;
pub use own::OwnSession;
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
