//! Background jobs: the plugin [`JobsPlugin`] and the engine that runs them.
//!
//! What a job is, and how to enqueue one, is described at [`doyen_core::job`]. This crate stores
//! the jobs and runs them:
//!
//! | file | contents |
//! | --- | --- |
//! | `plugin.rs` | the plugin: what it registers |
//! | `queue.rs` | the port `JobQueue`: enqueues on the Session of the request |
//! | `store` | every statement on the tables |
//! | `worker.rs` | the loop of a node: claims jobs and runs them |
//! | `worker/run.rs` | one attempt: context, Session, trace, timeout, outcome |
//! | `dispatch.rs` | how workers learn of new jobs: `jobs.dispatch` |
//! | `cron.rs` | schedules |
//! | `upkeep.rs` | heartbeat, rescue, retention, figures |
//! | `commands.rs` | the commands `jobs list`, `show`, `retry` … |
//!
//! # States
//!
//! ```text
//! scheduled → queued → running → done
//!     ↑                   ├────→ failed      (attempts used up, or permanent)
//!     └──── retry ────────┼────→ cancelled
//!                         └────→ queued      (handed back by a drain, or its worker died)
//! ```
//!
//! # Why an effect is applied once
//!
//! A claim sets `node` and increments `attempts`. The mark `done` is one more statement in the
//! transaction of the job, with `WHERE node = .. AND attempts = ..`. A worker that was taken for
//! dead, and whose job another one has claimed since, changes no row there and rolls back.

// The macros generate paths that begin with `::doyen::__private`; here that is this crate.
extern crate self as doyen;

mod commands;
mod core;
mod cron;
mod dispatch;
mod figures;
mod plugin;
mod queue;
#[cfg(feature = "redis")]
mod redis;
mod settings;
mod store;
mod upkeep;
mod worker;

pub use crate::core::JobsCore;
pub use plugin::JobsPlugin;
pub use queue::SqlJobs;
pub use settings::{DispatchKind, JobSettings, QueueSettings};
pub use store::TABLES;
pub use worker::Worker;

/// Names for generated code. Not part of the public API.
#[doc(hidden)]
pub mod __private {
    pub use doyen_core::__private::*;
    pub use doyen_data as data;
    pub use doyen_settings as settings;
}
