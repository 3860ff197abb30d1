//! The webhook.

use std::time::Duration;

use doyen::domain::id::Named;
use doyen::domain::{DAY, Id, Input, Output, Patch, Timestamp};

use crate::access::UserId;

/// Webhook id: `whk_...`.
pub type WebhookId = Id<Webhook>;

impl Named for Webhook {
    const PREFIX: &'static str = "whk";
}

/// Time for which the previous secret signs too after a change.
pub const SECRET_OVERLAP: Duration = DAY;

/// A URL that receives events.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Webhook {
    /// Webhook id.
    pub id: WebhookId,
    /// User who created it.
    pub owner: UserId,
    /// Where events are sent.
    pub url: String,
    /// Events that are sent, sorted and without duplicates.
    pub events: Vec<EventName>,
    /// Purpose, for people.
    pub description: Option<String>,
    /// Version of the API whose shape the data of messages has; the newest one if `None`.
    pub api_version: Option<String>,
    /// False if nothing is sent.
    pub enabled: bool,
    /// Time of the first failure since the last success.
    pub failing_since: Option<Timestamp>,
    /// Creation time.
    pub created_at: Timestamp,
    /// Time of the last change by a user.
    pub updated_at: Timestamp,
    /// Version number, incremented by each change by a user.
    pub version: i64,
}

/// Name of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Input, Output)]
pub enum EventName {
    /// A ticket was created.
    #[input(rename = "ticket.created")]
    #[output(rename = "ticket.created")]
    Created,
    /// The content of a ticket changed.
    #[input(rename = "ticket.updated")]
    #[output(rename = "ticket.updated")]
    Updated,
    /// A ticket was assigned.
    #[input(rename = "ticket.assigned")]
    #[output(rename = "ticket.assigned")]
    Assigned,
    /// A ticket was solved.
    #[input(rename = "ticket.solved")]
    #[output(rename = "ticket.solved")]
    Solved,
    /// A ticket was closed.
    #[input(rename = "ticket.closed")]
    #[output(rename = "ticket.closed")]
    Closed,
    /// A ticket was reopened.
    #[input(rename = "ticket.reopened")]
    #[output(rename = "ticket.reopened")]
    Reopened,
    /// A public comment was added. Internal notes are not sent.
    #[input(rename = "ticket.commented")]
    #[output(rename = "ticket.commented")]
    Commented,
    /// A test, which is sent on request only, whether subscribed or not.
    #[input(rename = "webhook.test")]
    #[output(rename = "webhook.test")]
    Test,
}

/// A webhook before it is created.
#[derive(Clone, Debug)]
pub struct Draft {
    /// Where events are sent.
    pub url: String,
    /// Events that are sent.
    pub events: Vec<EventName>,
    /// Purpose, for people.
    pub description: Option<String>,
    /// Version of the API whose shape the data of messages has.
    pub api_version: Option<String>,
}

/// Changes to a webhook.
#[derive(Clone, Debug, Default)]
pub struct Edit {
    /// New URL.
    pub url: Patch<String>,
    /// New events.
    pub events: Patch<Vec<EventName>>,
    /// New description.
    pub description: Patch<Option<String>>,
    /// True to send events, false to stop.
    pub enabled: Patch<bool>,
}

impl Webhook {
    /// Creates an enabled webhook.
    pub fn new(draft: Draft, owner: UserId, now: Timestamp) -> Self {
        Self {
            id: WebhookId::new(),
            owner,
            url: draft.url,
            events: sorted(draft.events),
            description: draft.description,
            api_version: draft.api_version,
            enabled: true,
            failing_since: None,
            created_at: now,
            updated_at: now,
            version: 1,
        }
    }

    /// Applies changes. Enabling it forgets earlier failures.
    pub fn edit(&mut self, edit: Edit) {
        edit.url.apply(&mut self.url);
        edit.events.map(sorted).apply(&mut self.events);
        edit.description.apply(&mut self.description);
        let was_enabled = self.enabled;
        edit.enabled.apply(&mut self.enabled);
        if self.enabled && !was_enabled {
            self.failing_since = None;
        }
    }

    /// Increments the version and sets the time of the last change.
    pub fn touch(&mut self, now: Timestamp) {
        self.version += 1;
        self.updated_at = now;
    }

    /// Returns true if this event is sent.
    pub fn wants(&self, event: EventName) -> bool {
        self.enabled && (event == EventName::Test || self.events.contains(&event))
    }
}

fn sorted(mut events: Vec<EventName>) -> Vec<EventName> {
    events.sort();
    events.dedup();
    events
}

impl EventName {
    /// All events.
    pub const ALL: [EventName; 8] = [
        EventName::Created,
        EventName::Updated,
        EventName::Assigned,
        EventName::Solved,
        EventName::Closed,
        EventName::Reopened,
        EventName::Commented,
        EventName::Test,
    ];

    /// Returns the name.
    pub const fn as_str(self) -> &'static str {
        match self {
            EventName::Created => "ticket.created",
            EventName::Updated => "ticket.updated",
            EventName::Assigned => "ticket.assigned",
            EventName::Solved => "ticket.solved",
            EventName::Closed => "ticket.closed",
            EventName::Reopened => "ticket.reopened",
            EventName::Commented => "ticket.commented",
            EventName::Test => "webhook.test",
        }
    }

    /// Returns the event with this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|event| event.as_str() == name)
    }
}
