//! Traces, logs and metrics over OTLP, the protocol of OpenTelemetry.
//!
//! The plugin [`Otlp`] observes requests, jobs, event handlers and messages of live connections
//! through the port [`RequestObserver`](doyen_core::RequestObserver). Each collects a record of
//! bounded size. At its end the record becomes spans if the trace is sampled, if the work failed,
//! or if it was slow; otherwise it is dropped.
//!
//! | file | contents |
//! | --- | --- |
//! | `plugin`, `settings` | the plugin and its settings |
//! | `observer`, `record` | which work is recorded; the record of one request |
//! | `spans`, `logs`, `metrics` | records, access lines and the metrics as messages of the protocol |
//! | `exemplars` | traces that the metrics refer to |
//! | `queue` | what waits to be exported, bounded in bytes |
//! | `export` | the loop that sends batches, with retries, until the application stops |
//! | `collector`, `grpc` | one request to the collector, over HTTP or gRPC |
//! | `sql` | statements without their literals |
//! | `admin` | the share of sampled traces, changed while the application runs |
//!
//! A collector that is unavailable costs the telemetry and nothing else: no request waits for it.
//!
//! What it does not do: it receives nothing, and carries neither `tracestate` nor baggage.

// The macros generate paths that begin with `::doyen::__private`; here that is this crate.
extern crate self as doyen;

mod admin;
mod collector;
mod counters;
mod exemplars;
mod export;
mod grpc;
mod logs;
mod metrics;
mod observer;
mod plugin;
mod queue;
mod record;
mod resource;
mod settings;
mod spans;
mod sql;

pub use plugin::Otlp;
pub use settings::{OtlpProtocol, OtlpSettings};

/// Names for generated code. Not part of the public API.
#[doc(hidden)]
pub mod __private {
    pub use doyen_schema::__private::*;
    pub use doyen_settings as settings;
    /// The part for routes.
    pub mod web {
        pub use doyen_web::__private::*;
    }
}
