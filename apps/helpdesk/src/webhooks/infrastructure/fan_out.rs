//! From an event of a ticket to its deliveries.

use doyen::domain::event::RecordedEvent;
use doyen::prelude::*;
use serde_json::Value;

use crate::tickets::TicketFeed;
use crate::webhooks::domain::{EventName, MessageId, Webhooks};

/// Creates a delivery for each webhook that wants the event. It runs in a unit of work that also
/// marks the event as handled, so each delivery exists once.
pub(crate) async fn fan_out(
    event: RecordedEvent,
    webhooks: Webhooks,
    tickets: TicketFeed,
) -> Result<(), Unexpected> {
    let Some(name) = EventName::named(&event.topic) else {
        return Ok(());
    };
    let fact: Value = serde_json::from_str(&event.payload)?;
    // Internal notes never leave: who reads what arrives at a URL is unknown.
    if fact["internal"] == true || !webhooks.wants(name).await? {
        return Ok(());
    }
    let id = |field: &str| fact[field].as_str().unwrap_or_default().to_owned();
    let data = match name {
        EventName::Commented => tickets.comment(&id("ticket"), &id("comment")).await?,
        _ => tickets.ticket(&id("ticket")).await?,
    };
    // The ticket was deleted meanwhile: there is nothing left to show.
    let Some(data) = data else { return Ok(()) };
    webhooks
        .publish(MessageId::from(event.id), name, &data.to_string())
        .await
}
