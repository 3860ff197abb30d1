//! Events: facts that other parts of a system react to.
//!
//! | who | does |
//! | --- | --- |
//! | a domain | emits an [`Event`] in its unit of work: `Session::emit` |
//! | a module | registers a handler: `Module::on("reserve_stock", reserve_stock)` |
//! | a plugin | `app.contribute(EventHandler::new(name, handler))`, and `manifest.requires("events")` |
//! | the plugin `events` | delivers each event to the handlers and to the [`Broker`] |
//! | a reader of the log | injects `Arc<dyn EventLog>`: see [`EventLog`] |

mod broker;
mod handler;
mod log;

use serde::Serialize;

pub use broker::{
    Broker, BrokerError, BrokerMessage, DEDUPLICATION_WINDOW, REDELIVERY, Received, Subscription,
};
pub use handler::{
    Delivery, EventHandler, HandleEvent, HandlerError, ReceiveEvent, RecordedEvent, matches,
};
pub use log::{EventLog, LogPage};

/// A fact that is published under a topic.
///
/// `#[derive(Event)]` generates the topic and the payload, which is a JSON object with the fields.
/// On an enum, each variant is an event: its topic is the topic of the enum and the name of the
/// variant. `key` names the field with the id of the aggregate that the event is about.
///
/// ```
/// # extern crate doyen_core as doyen;
/// use doyen_core::Event;
///
/// #[derive(Event)]
/// #[event(topic = "order", key = "order")]
/// enum OrderEvent {
///     Placed { order: String, quantity: u32 },
///     #[event(topic = "payment.received")]
///     Paid { order: String },
/// }
///
/// let event = OrderEvent::Placed { order: "ord_1".into(), quantity: 2 };
/// assert_eq!(event.topic(), "order.placed");
/// assert_eq!(event.aggregate().as_deref(), Some("order:ord_1"));
/// assert_eq!(serde_json::to_string(&event).unwrap(), r#"{"order":"ord_1","quantity":2}"#);
///
/// let paid = OrderEvent::Paid { order: "ord_1".into() };
/// assert_eq!(paid.topic(), "payment.received");
/// // The events of one enum with the same key are of the same aggregate.
/// assert_eq!(paid.aggregate().as_deref(), Some("order:ord_1"));
/// ```
///
/// A type with its own `Serialize` implements the trait by hand.
pub trait Event: Serialize {
    /// Returns the topic, such as `order.placed`.
    fn topic(&self) -> &'static str;

    /// Returns the aggregate that the event is about, such as `order:ord_1`. Each handler receives
    /// the events of one aggregate in their order. Events without an aggregate have no order.
    fn aggregate(&self) -> Option<String> {
        None
    }
}

/// An event as a handler receives it.
///
/// `#[derive(EventData)]` reads the payload of the topics that `#[derive(Event)]` would publish.
/// One type can derive both. A domain that reacts to events of another one declares its own type
/// with the fields that it needs; further fields of the payload are ignored.
///
/// ```
/// # extern crate doyen_core as doyen;
/// use doyen_core::EventData;
///
/// #[derive(Debug, PartialEq, EventData)]
/// #[event(topic = "order.placed")]
/// struct OrderPlaced {
///     order: String,
/// }
///
/// assert_eq!(OrderPlaced::TOPICS, ["order.placed"]);
/// let event = OrderPlaced::decode("order.placed", r#"{"order":"ord_1","quantity":2}"#).unwrap();
/// assert_eq!(event, OrderPlaced { order: "ord_1".into() });
/// ```
pub trait EventData: Sized + Send + 'static {
    /// The topics of its events.
    const TOPICS: &'static [&'static str];

    /// Reads an event from its JSON.
    ///
    /// # Errors
    ///
    /// Returns an error if the payload does not have the fields of this type, or the topic is not
    /// one of [`TOPICS`](Self::TOPICS).
    fn decode(topic: &str, payload: &str) -> Result<Self, serde_json::Error>;
}

/// Returns the error of [`EventData::decode`] for another topic.
#[doc(hidden)]
pub fn unknown_topic(topic: &str) -> serde_json::Error {
    serde::de::Error::custom(format!("the topic `{topic}` is not one of this type"))
}
