//! Logs: `tracing` events, and one line for each request.
//!
//! ```no_run
//! use doyen_observe::{LogFormat, LogOptions};
//!
//! # fn main() -> Result<(), doyen_observe::LogError> {
//! let logs = doyen_observe::init(&LogOptions {
//!     format: LogFormat::Json,
//!     filter: "info,shop=debug".to_owned(),
//!     ..LogOptions::default()
//! })?;
//! let access = logs.access_log();
//! tracing::info!(port = 8000, "listening");
//! # Ok(())
//! # }
//! ```
//!
//! | part | is |
//! | --- | --- |
//! | [`init`], [`LogOptions`] | `tracing` events as lines on standard output |
//! | [`LogTap`], [`LogReceiver`] | warnings and errors for a plugin that sends them elsewhere |
//! | [`span`] | a part of a request that traces and the console show |
//! | [`steps`] | the steps of observed work, for plugins that show or export them |
//! | [`AccessLog`] | the sink for [`AccessRecord`](doyen_core::AccessRecord): one line per request |
//!
//! Both write through one background thread, so a slow terminal or a full pipe does not delay a
//! request. If 4 MiB are waiting, further lines are dropped, and a line reports their number. A
//! closed output is not an error.
//!
//! A client cannot forge a line: its text is truncated, and every character that could end a line,
//! move the cursor or change the direction of the text is escaped, in both formats.
//!
//! What it does not do: it rotates no files (the platform does) and sends nothing over the network.

mod access;
mod layer;
mod lines;
mod logs;
mod receiver;
mod sample;
pub mod steps;
mod text;

pub use access::AccessLog;
pub use doyen_core::span;
pub use lines::LostLines;
pub use logs::{LogError, LogFilter, LogFormat, LogOptions, Logs, init, init_with};
pub use receiver::{LogEvent, LogReceiver, LogTap};
