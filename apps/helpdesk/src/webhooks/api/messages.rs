//! The messages that webhooks receive, for the OpenAPI document.

use doyen::prelude::*;
use doyen::schema::contract::OutboundCall;

use crate::tickets::{SentComment, SentTicket};
use crate::webhooks::domain::{EventName, WebhookId};

/// A message about a ticket.
#[derive(Output)]
struct TicketMessage {
    /// Event.
    #[output(rename = "type")]
    kind: EventName,
    /// Time of the message.
    timestamp: Timestamp,
    /// The ticket.
    data: SentTicket,
}

/// A message about a comment.
#[derive(Output)]
struct CommentMessage {
    /// Event.
    #[output(rename = "type")]
    kind: EventName,
    /// Time of the message.
    timestamp: Timestamp,
    /// The comment.
    data: SentComment,
}

/// A test message.
#[derive(Output)]
struct TestMessage {
    /// Event.
    #[output(rename = "type")]
    kind: EventName,
    /// Time of the message.
    timestamp: Timestamp,
    /// The webhook that is tested.
    data: TestedWebhook,
}

/// The webhook that is tested.
#[derive(Output)]
struct TestedWebhook {
    /// Webhook id.
    webhook: WebhookId,
}

/// Returns a description of the message of each event.
pub(crate) fn messages() -> impl Iterator<Item = OutboundCall> {
    EventName::ALL.into_iter().map(|event| {
        let name = event.as_str();
        match event {
            EventName::Created => ticket(name, "A ticket was created"),
            EventName::Updated => ticket(name, "The content of a ticket changed"),
            EventName::Assigned => ticket(name, "A ticket was assigned"),
            EventName::Solved => ticket(name, "A ticket was solved"),
            EventName::Closed => ticket(name, "A ticket was closed"),
            EventName::Reopened => ticket(name, "A ticket was reopened"),
            EventName::Commented => {
                OutboundCall::post::<CommentMessage>(name).summary("A public comment was added")
            }
            EventName::Test => {
                OutboundCall::post::<TestMessage>(name).summary("A test was requested")
            }
        }
    })
}

fn ticket(name: &'static str, summary: &'static str) -> OutboundCall {
    OutboundCall::post::<TicketMessage>(name).summary(summary)
}
