//! The port of message brokers.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;

/// Time in which a broker recognizes a message that is published again, at least.
pub const DEDUPLICATION_WINDOW: Duration = Duration::from_secs(120);

/// Time after which a message that is not acknowledged is delivered again.
pub const REDELIVERY: Duration = Duration::from_secs(30);

/// An event on its way to or from a broker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BrokerMessage {
    /// Id of the event. The broker drops a message whose id it has stored recently.
    pub id: String,
    /// Topic: `ticket.created`.
    pub topic: String,
    /// The aggregate: `ticket:tkt_…`.
    pub aggregate: Option<String>,
    /// The payload as JSON.
    pub payload: String,
    /// The `traceparent` of the request that emitted it.
    pub trace: Option<String>,
}

/// A message that a subscription received.
#[derive(Clone, Debug)]
pub struct Received {
    /// The message.
    pub message: BrokerMessage,
    /// Identifies it for [`Subscription::acknowledge`].
    pub token: String,
}

/// A message broker that keeps messages until they are acknowledged.
///
/// # Contract
///
/// - `publish` returns once the message is stored. A message is published again if that is not
///   known; within [`DEDUPLICATION_WINDOW`] the broker stores it once.
/// - Messages that were published one after another are received in this order.
/// - Each group receives each message, and again, within [`REDELIVERY`], until it is acknowledged.
///   A group that is created later begins with the oldest message that is kept. One subscription
///   of a group is in use at a time.
#[async_trait]
pub trait Broker: Send + Sync + fmt::Debug {
    /// Name for logs and reports: `nats`.
    fn name(&self) -> &'static str;

    /// Stores a message.
    ///
    /// # Errors
    ///
    /// Returns an error if the broker is unavailable or has not confirmed the message in time.
    async fn publish(&self, message: &BrokerMessage) -> Result<(), BrokerError>;

    /// Joins a group.
    ///
    /// # Errors
    ///
    /// Returns an error if the broker is unavailable.
    async fn subscribe(&self, group: &str) -> Result<Box<dyn Subscription>, BrokerError>;

    /// Checks that the broker responds.
    ///
    /// # Errors
    ///
    /// Returns an error if it does not respond within a second.
    async fn ping(&self) -> Result<(), BrokerError>;
}

/// A member of a group that receives messages.
#[async_trait]
pub trait Subscription: Send {
    /// Returns the next messages, at most `max`. It waits up to `wait` for the first one, and
    /// returns an empty list if none comes.
    ///
    /// # Errors
    ///
    /// Returns an error if the broker is unavailable.
    async fn fetch(&mut self, max: usize, wait: Duration) -> Result<Vec<Received>, BrokerError>;

    /// Removes messages from the group.
    ///
    /// # Errors
    ///
    /// Returns an error if the broker is unavailable. The messages may then be received again.
    async fn acknowledge(&mut self, messages: &[Received]) -> Result<(), BrokerError>;
}

/// The broker is unavailable, or refused a request.
#[derive(Debug)]
pub struct BrokerError(String);

impl BrokerError {
    /// Creates an error from its text, which must not contain a password.
    pub fn new(text: impl fmt::Display) -> Self {
        Self(text.to_string())
    }
}

impl fmt::Display for BrokerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for BrokerError {}
