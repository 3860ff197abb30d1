//! WebSockets: typed messages in both directions.
//!
//! | file | contents |
//! | --- | --- |
//! | `handler` | functions that handle messages, as routes |
//! | `handshake` | the checks before the 101 |
//! | `connection` | what a handler can do with its connection |
//! | `session` | the loop of one socket |
//! | `rate` | the limit of messages |
//! | `wire` | the frames of RFC 6455 |

mod connection;
mod handler;
mod handshake;
mod rate;
mod session;
mod wire;

pub use connection::Connection;
pub use handler::{SocketFailure, SocketHandler, SocketProblem, SocketRoute, socket};
pub(crate) use handshake::Origins;
pub use handshake::{BAD_HANDSHAKE, FORBIDDEN_ORIGIN, UPGRADE_REQUIRED};
