//! Events: facts that other parts of a system react to.

use serde::Serialize;

/// A fact that is published under a topic.
///
/// `#[derive(Event)]` generates the topic and the payload, which is a JSON object with the fields.
/// On an enum, each variant is an event: its topic is the topic of the enum and the name of the
/// variant.
///
/// ```
/// # extern crate doyen_core as doyen;
/// use doyen_core::Event;
///
/// #[derive(Event)]
/// #[event(topic = "orders")]
/// enum OrderEvent {
///     Placed { order: String, quantity: u32 },
///     #[event(topic = "payments.received")]
///     Paid { order: String },
/// }
///
/// let event = OrderEvent::Placed { order: "ord_1".into(), quantity: 2 };
/// assert_eq!(event.topic(), "orders.placed");
/// assert_eq!(serde_json::to_string(&event).unwrap(), r#"{"order":"ord_1","quantity":2}"#);
/// assert_eq!(OrderEvent::Paid { order: "ord_1".into() }.topic(), "payments.received");
/// ```
///
/// A type with its own `Serialize` implements the trait by hand.
pub trait Event: Serialize {
    /// Returns the topic, such as `orders.placed`.
    fn topic(&self) -> &'static str;
}
