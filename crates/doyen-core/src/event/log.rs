//! The port that reads the event log.

use std::sync::Arc;

use crate::event::RecordedEvent;
use crate::inject::BoxFuture;
use crate::{Port, Unexpected};

/// A page of the event log.
#[derive(Clone, Debug, Default)]
pub struct LogPage {
    /// The events, in the order of their positions.
    pub events: Vec<RecordedEvent>,
    /// True if events after the requested position are no longer kept: the reader has missed some
    /// and must read the current state instead.
    pub has_gap: bool,
}

/// Reads the events that are kept, of all nodes, in one order.
///
/// A position is assigned after the commit, by one node at a time, in the order in which events
/// become visible. A reader that remembers the last position it has seen therefore misses no event:
/// none appears later with a smaller position. Use the position as the id of a server-sent event.
///
/// The log is bounded by age and by number: `events.keep_for` and `events.keep_max`.
pub trait EventLog: Send + Sync {
    /// Returns events of an aggregate (`ticket:tkt_…`) after a position, the oldest first.
    fn after<'a>(
        &'a self,
        aggregate: &'a str,
        position: i64,
        limit: u32,
    ) -> BoxFuture<'a, Result<LogPage, Unexpected>>;

    /// Returns events of a topic (`ticket.created`, `ticket.*`) after a position, of all
    /// aggregates, the oldest first.
    fn after_topic<'a>(
        &'a self,
        topic: &'a str,
        position: i64,
        limit: u32,
    ) -> BoxFuture<'a, Result<LogPage, Unexpected>>;

    /// Returns the last position that was assigned: a new reader begins there.
    fn last_position(&self) -> BoxFuture<'_, Result<i64, Unexpected>>;
}

impl<A: EventLog + 'static> Port<A> for dyn EventLog {
    fn adapt(adapter: A) -> Arc<Self> {
        Arc::new(adapter)
    }
}
