//! Tickets for receivers that are no users, such as webhooks.

use std::sync::Arc;

use doyen::prelude::*;
use serde_json::Value;

use super::domain::{
    Comment, CommentId, Person, Priority, Status, Tag, Ticket, TicketId, TicketRepository, Viewer,
};
use crate::access::{Role, User, UserId};

/// Returns tickets and comments as JSON, as a reader of every ticket without internal notes sees
/// them: without the notes, and without their number.
#[derive(Clone, Inject)]
pub(crate) struct TicketFeed {
    repository: Arc<dyn TicketRepository>,
}

impl TicketFeed {
    /// Returns a ticket, or `None` if it does not exist.
    pub(crate) async fn ticket(&self, id: &str) -> Result<Option<Value>, Unexpected> {
        let Ok(id) = id.parse() else { return Ok(None) };
        let found = self.repository.find(every_ticket(), id).await?;
        let sent = found.map(SentTicket::from);
        Ok(sent.map(serde_json::to_value).transpose()?)
    }

    /// Returns a public comment, or `None` if it does not exist or is a note.
    pub(crate) async fn comment(
        &self,
        ticket: &str,
        id: &str,
    ) -> Result<Option<Value>, Unexpected> {
        let (Ok(ticket), Ok(id)) = (ticket.parse(), id.parse()) else {
            return Ok(None);
        };
        let found = self
            .repository
            .comment_of(every_ticket(), ticket, id)
            .await?;
        let sent = found
            .filter(|comment| !comment.internal)
            .map(SentComment::from);
        Ok(sent.map(serde_json::to_value).transpose()?)
    }
}

/// A viewer that sees every ticket and is not a user.
fn every_ticket() -> Viewer {
    Viewer::from(User {
        id: UserId::new(),
        role: Role::Agent,
    })
}

/// A ticket as webhooks receive it.
#[derive(Output)]
#[output(name = "WebhookTicket", from = Ticket)]
pub(crate) struct SentTicket {
    /// Ticket id.
    id: TicketId,
    /// Subject, in one line.
    subject: String,
    /// Description of the problem.
    body: String,
    /// Status.
    status: Status,
    /// Priority.
    priority: Priority,
    /// Tags, in alphabetical order.
    tags: Vec<Tag>,
    /// User who created the ticket.
    reporter: Person,
    /// User to whom the ticket is assigned, or null.
    assignee: Option<Person>,
    /// Number of public comments.
    #[output(value = ticket.comments)]
    comment_count: u32,
    /// Creation time.
    created_at: Timestamp,
    /// Time of the last change or comment.
    updated_at: Timestamp,
    /// Version number, incremented by each change.
    version: i64,
    /// Links to the ticket.
    #[output(rename = "_links", value = SentLinks::to(ticket.id))]
    links: SentLinks,
}

/// The links of a ticket that was sent.
#[derive(Output)]
#[output(name = "WebhookTicketLinks")]
struct SentLinks {
    /// The ticket.
    #[output(rename = "self")]
    own: SentLink,
}

/// A link to an operation of the API.
#[derive(Output)]
#[output(name = "WebhookLink")]
struct SentLink {
    /// Path of the resource.
    #[output(example = "/v1/tickets/tkt_01jd9m3z6veqjsk4dy2hjcg8x4")]
    href: String,
}

impl SentLinks {
    fn to(id: TicketId) -> Self {
        let href = format!("/v1/tickets/{id}");
        Self {
            own: SentLink { href },
        }
    }
}

/// A comment as webhooks receive it.
#[derive(Output)]
#[output(name = "WebhookComment", from = Comment)]
pub(crate) struct SentComment {
    /// Comment id.
    id: CommentId,
    /// Id of the ticket.
    ticket: TicketId,
    /// Author.
    author: Person,
    /// Text of the comment.
    body: String,
    /// Always false: internal notes are not sent.
    internal: bool,
    /// Creation time.
    created_at: Timestamp,
}
