//! Evidence of anti-patterns, collected while an application runs.
//!
//! The plugin [`Evidence`] observes requests through the port
//! [`RequestObserver`](doyen_core::RequestObserver). A request that shows an anti-pattern causes a
//! finding: a warning with a stable code in the log, and a count in the metric
//! `evidence_findings_total`. In an application's tests, the test kit fails a test on the code
//! `repeated_statement`.
//!
//! | code | the request |
//! | --- | --- |
//! | `repeated_statement` | ran the same query for each of several rows (N+1) |
//! | `blocking_poll` | blocked its thread, or computed, without an `await` |
//! | `connection_held` | had an open transaction while it waited for something else |
//! | `long_transaction` | had a transaction open for long |
//! | `unbounded_list` | read many rows with a query without a limit |
//! | `large_response` | got a large JSON response |
//! | `cache_stampede` | loaded a cached value that several others load at the same time |
//! | `missing_limit` | did expensive work, and no rate limit counted it |
//!
//! The command `explain` shows the plans of the slowest statements of a recorded run, or of one
//! statement, with the index that a plan lacks.
//!
//! It does not observe jobs, event handlers and sockets, and it changes nothing.

// The macros generate paths that begin with `::doyen::__private`; here that is this crate.
extern crate self as doyen;

#[cfg(feature = "database")]
mod explain;
mod finding;
mod limits;
mod observation;
mod observer;
mod plugin;
#[cfg(feature = "database")]
mod record;
mod settings;
mod thread_usage;

#[cfg(feature = "database")]
pub use explain::plan_shape;
pub use plugin::Evidence;
pub use settings::EvidenceSettings;

/// Names for generated code. Not part of the public API.
#[doc(hidden)]
pub mod __private {
    pub use doyen_settings as settings;
}
