//! Events: the plugin [`Events`], which delivers the outbox to handlers and to a message broker.
//!
//! `Session::emit` stores an event in the transaction of the change. After the commit:
//!
//! | step | file | what it promises |
//! | --- | --- | --- |
//! | put new events in order | `store/sequence.rs` | one node at a time assigns positions: no event is skipped, and none appears later with a smaller position |
//! | claim deliveries | `store/claim.rs` | a lease for each delivery; for each handler, one node has the events of an aggregate |
//! | call the handler | `deliver.rs` | the mark "delivered" is part of the handler's own transaction |
//! | after a failure | `store/settle.rs` | the next attempt after a pause; parked after the last one |
//! | remove old events | `sweep.rs` | by age and number, never one that waits |
//!
//! A delivery is a row of `events_deliveries` for each event and handler. It is deleted when the
//! handler succeeds, so the table holds only what waits.
//!
//! What bounds the memory: `events.concurrency` lanes, each with at most 16 events of at most 512
//! KiB.

// The macros generate paths that begin with `::doyen::__private`; here that is this crate.
extern crate self as doyen;

pub mod broker;
mod commands;
mod consume;
mod deliver;
mod inbox;
mod log;
mod metrics;
mod plugin;
mod relay;
mod settings;
mod store;
mod sweep;
mod tables;

pub use inbox::Inbox;
pub use plugin::{BrokerOverride, Events};
pub use settings::{BrokerKind, EventSettings};
pub use tables::TABLES;

/// Names for generated code. Not part of the public API.
#[doc(hidden)]
pub mod __private {
    pub use doyen_core::__private::*;
    pub use doyen_data::__private::*;
    pub use doyen_settings as settings;
}
