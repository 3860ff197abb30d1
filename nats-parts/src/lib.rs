//! NATS.
mod nats;
pub use nats::NatsBroker;
