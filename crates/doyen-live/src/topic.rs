//! Topics: what a connection subscribes to.

use std::sync::Arc;

use doyen_core::event::{RecordedEvent, matches};

/// A topic: a name on the wire, and the events of the log that belong to it.
///
/// ```
/// use doyen_live::Topic;
///
/// assert_eq!(Topic::of("ticket:tkt_1").name(), "ticket:tkt_1");
/// assert_eq!(Topic::events("queue", "ticket.*").name(), "queue");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Topic {
    name: Arc<str>,
    /// The pattern of event topics; without one, the events of the aggregate of this name.
    pattern: Option<Arc<str>>,
}

impl Topic {
    /// The events of one aggregate: `ticket:tkt_…`.
    pub fn of(aggregate: &str) -> Self {
        Self {
            name: aggregate.into(),
            pattern: None,
        }
    }

    /// The events of all aggregates with this event topic: `ticket.created`, `ticket.*`.
    pub fn events(name: &str, pattern: &str) -> Self {
        Self {
            name: name.into(),
            pattern: Some(pattern.into()),
        }
    }

    /// Returns the name.
    pub fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn shared_name(&self) -> Arc<str> {
        Arc::clone(&self.name)
    }

    pub(crate) fn pattern(&self) -> Option<&str> {
        self.pattern.as_deref()
    }

    /// True if the event belongs to it.
    pub(crate) fn has(&self, event: &RecordedEvent) -> bool {
        match &self.pattern {
            Some(pattern) => matches(pattern, &event.topic),
            None => event.aggregate.as_deref() == Some(&*self.name),
        }
    }
}
