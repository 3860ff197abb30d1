//! Tickets for receivers that are no users, such as webhooks.

use std::sync::Arc;

use doyen::prelude::*;
use serde_json::{Value, json};

use super::domain::{Comment, Person, Ticket, TicketRepository, Viewer};
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
        Ok(found.as_ref().map(ticket))
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
        Ok(found
            .filter(|comment| !comment.internal)
            .as_ref()
            .map(comment))
    }
}

/// A viewer that sees every ticket and is not a user.
fn every_ticket() -> Viewer {
    Viewer::from(User {
        id: UserId::new(),
        role: Role::Agent,
    })
}

fn ticket(ticket: &Ticket) -> Value {
    json!({
        "id": ticket.id.to_string(),
        "subject": ticket.subject,
        "body": ticket.body,
        "status": ticket.status.as_str(),
        "priority": priority(ticket),
        "tags": ticket.tags.iter().map(|tag| tag.as_str()).collect::<Vec<_>>(),
        "reporter": person(&ticket.reporter),
        "assignee": ticket.assignee.as_ref().map(person),
        "comment_count": ticket.comments,
        "created_at": ticket.created_at.to_string(),
        "updated_at": ticket.updated_at.to_string(),
        "version": ticket.version,
        "_links": {"self": {"href": format!("/v1/tickets/{}", ticket.id)}},
    })
}

fn comment(comment: &Comment) -> Value {
    json!({
        "id": comment.id.to_string(),
        "ticket": comment.ticket.to_string(),
        "author": person(&comment.author),
        "body": comment.body,
        "internal": false,
        "created_at": comment.created_at.to_string(),
    })
}

fn person(person: &Person) -> Value {
    json!({"id": person.id.to_string(), "name": person.name})
}

fn priority(ticket: &Ticket) -> &'static str {
    use super::domain::Priority;
    match ticket.priority {
        Priority::Low => "low",
        Priority::Normal => "normal",
        Priority::High => "high",
        Priority::Urgent => "urgent",
    }
}
