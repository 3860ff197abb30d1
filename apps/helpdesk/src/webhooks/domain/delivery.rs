//! A message to a webhook.

use doyen::domain::id::Named;
use doyen::domain::{Id, Output, Timestamp};

use super::{EventName, WebhookId};

/// Delivery id: `dlv_...`.
pub type DeliveryId = Id<Delivery>;

impl Named for Delivery {
    const PREFIX: &'static str = "dlv";
}

/// Message id: `msg_...`. All webhooks get the same one for an event, at each attempt.
pub type MessageId = Id<Message>;

/// The type of message ids.
#[derive(Debug)]
pub struct Message;

impl Named for Message {
    const PREFIX: &'static str = "msg";
}

/// An event on its way to one webhook.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// Delivery id.
    pub id: DeliveryId,
    /// The webhook.
    pub webhook: WebhookId,
    /// Id of the message, in the header `webhook-id`.
    pub message: MessageId,
    /// The event.
    pub event: EventName,
    /// The body, as it is sent and signed.
    pub payload: String,
    /// Status.
    pub status: DeliveryStatus,
    /// Number of attempts since it was created or requested again: the next one is this late.
    pub tries: u32,
    /// The latest attempts, oldest first.
    pub attempts: Vec<Attempt>,
    /// Time of the next attempt; `None` if there is none.
    pub next_try_at: Option<Timestamp>,
    /// Creation time.
    pub created_at: Timestamp,
}

/// Status of a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Output)]
pub enum DeliveryStatus {
    /// An attempt is due.
    Pending,
    /// The receiver accepted it with a 2xx.
    Delivered,
    /// No attempt succeeded, and none is due.
    Failed,
}

/// One attempt. The response body is not stored, because it could come from an internal service.
#[derive(Clone, Debug, PartialEq, Eq, Output)]
pub struct Attempt {
    /// Time of the attempt.
    pub at: Timestamp,
    /// Status of the response, or null if there was none.
    pub response_status: Option<u16>,
    /// Duration in milliseconds.
    pub duration_ms: u64,
    /// Reason why there was no response, or null.
    #[output(example = "no response in time")]
    pub error: Option<String>,
}

impl Delivery {
    /// Creates a delivery whose first attempt is due.
    pub fn new(
        webhook: WebhookId,
        message: MessageId,
        event: EventName,
        payload: String,
        now: Timestamp,
    ) -> Self {
        Self {
            id: DeliveryId::new(),
            webhook,
            message,
            event,
            payload,
            status: DeliveryStatus::Pending,
            tries: 0,
            attempts: Vec::new(),
            next_try_at: Some(now),
            created_at: now,
        }
    }

    /// Makes a further attempt due at once, followed by retries as at first.
    pub fn repeat(&mut self, now: Timestamp) {
        self.status = DeliveryStatus::Pending;
        self.tries = 0;
        self.next_try_at = Some(now);
    }
}

impl DeliveryStatus {
    /// All statuses.
    pub const ALL: [DeliveryStatus; 3] = [
        DeliveryStatus::Pending,
        DeliveryStatus::Delivered,
        DeliveryStatus::Failed,
    ];

    /// Returns the name of the status.
    pub const fn as_str(self) -> &'static str {
        match self {
            DeliveryStatus::Pending => "pending",
            DeliveryStatus::Delivered => "delivered",
            DeliveryStatus::Failed => "failed",
        }
    }

    /// Returns the status with this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == name)
    }
}
