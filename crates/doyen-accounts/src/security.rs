//! The security log: events of accounts with stable names, in the log and in a table.
//!
//! An event is written to the log at once (target `security`), and shortly after to the table
//! `auth_events`, in batches by a background task: a flood of failed logins causes few
//! transactions. A crash may lose the last rows, but not the log lines.
//!
//! The names are in [`doyen_core::security`]. Inject `Arc<dyn SecurityLog>` to write your own
//! events.

mod api;
mod log;
mod rows;
mod writer;

pub(crate) use api::routes;
pub use log::SqlSecurityLog;
pub(crate) use writer::FAMILIES;
pub use writer::SecurityWriter;
