//! The security log: what happened to accounts, as events with stable names, in the log and in a table.
//!
//! An event is a line in the log at once (`target` is `security`), and a row in `auth_events` shortly after, written by one task in
//! batches: an attacker who fails to log in a thousand times a second does not make the database do a thousand transactions. What is
//! written when: a crash may lose the rows of the last moment, never the lines.
//!
//! The names stand in [`doyen_core::security`]. Ask for `Arc<dyn SecurityLog>` to write events of your own.

mod api;
mod log;
mod rows;
mod writer;

pub(crate) use api::routes;
pub use log::SqlSecurityLog;
pub use writer::SecurityWriter;
