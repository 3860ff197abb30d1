//! Live connections: WebSockets and server-sent events, with topics, resume and presence.
//!
//! ```
//! # extern crate doyen_live as doyen_live;
//! use doyen_live::Topic;
//!
//! // The events of one aggregate, and those of all tickets.
//! let one = Topic::of("ticket:tkt_1");
//! let all = Topic::events("queue", "ticket.*");
//! # let _ = (one, all);
//! ```
//!
//! | module | contents |
//! | --- | --- |
//! | `events` | [`Events`]: a topic as server-sent events |
//! | `socket` | [`Connection`]: typed messages over a WebSocket |
//! | `hub`, `reader` | subscriptions, and the delivery of the event log to them |
//! | `feed` | [`Feed`]: what one reader sees of an event |
//! | `access`, `admission` | the checks of connections, and their limits |
//! | `tokens` | single-use connection tokens |
//! | `presence` | the users present at a topic, over all nodes |
//! | [`fanout`] | what processes tell each other at once |
//! | `asyncapi` | the document of the sockets |
//!
//! The events are those of the plugin `events`: an event that is emitted in a unit of work leaves
//! after its commit, on every node, in order. The id of an event is its position in the log, so a
//! client resumes on any node. Each connection has a bounded buffer ([`CloseReason`]), and nothing
//! waits for a connection.

// The macros generate paths that begin with `::doyen::__private`; here that is this crate.
extern crate self as doyen;

mod access;
mod admission;
mod asyncapi;
mod events;
pub mod fanout;
mod feed;
mod hub;
mod live;
mod outlet;
mod plugin;
mod presence;
mod reader;
mod reason;
mod settings;
mod socket;
mod stats;
mod tables;
mod tokens;
mod topic;
mod work;

pub use admission::TOO_MANY_CONNECTIONS;
pub use events::Events;
pub use feed::{Change, Feed, Presence};
pub use hub::Hub;
pub use live::Live;
pub use plugin::LivePlugin;
pub use reason::CloseReason;
pub use settings::LiveSettings;
pub use socket::{
    BAD_HANDSHAKE, Connection, FORBIDDEN_ORIGIN, SocketFailure, SocketHandler, SocketProblem,
    SocketRoute, UPGRADE_REQUIRED, socket,
};
pub use tables::TABLES;
pub use tokens::{CONNECTION_TOKEN, tokens};
pub use topic::Topic;

/// Names for generated code. Not part of the public API.
#[doc(hidden)]
pub mod __private {
    pub use doyen_data as data;
    pub use doyen_schema::__private::*;
    pub use doyen_settings as settings;
}
