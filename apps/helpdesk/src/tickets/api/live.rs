//! Live tickets: the events of a ticket as a stream, and of tickets over a socket.

use std::sync::Arc;

use doyen::domain::event::RecordedEvent;
use doyen::live::{Change, Presence, SocketFailure, SocketProblem};
use doyen::prelude::*;
use doyen::schema::{Components, Schema};
use doyen::web::VersionSet;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::view::{CommentView, Presenter, TicketView};
use crate::access::{Scope, User};
use crate::tickets::domain::{
    CommentId, FindTicket, TicketId, TicketNotFound, TicketRepository, Tickets, Viewer,
};

/// The name of the topic with the events of all tickets.
const QUEUE: &str = "queue";

/// A ticket after a change, or a new comment.
#[derive(Output)]
#[output(untagged)]
pub(crate) enum TicketChange {
    /// The ticket.
    Ticket(ShownTicket),
    /// The comment.
    Comment(CommentView),
}

/// A ticket in the shape of the version of the API that the connection has selected.
#[derive(Serialize)]
#[serde(transparent)]
pub(crate) struct ShownTicket(Value);

impl Output for ShownTicket {
    fn schema(components: &mut Components) -> Schema {
        TicketView::schema(components)
    }
}

/// Shows events of tickets to a user, who sees the tickets and comments of requests.
#[derive(Clone, Inject)]
pub(crate) struct TicketChanges {
    me: User,
    repository: Arc<dyn TicketRepository>,
    present: Presenter,
    versions: Arc<VersionSet>,
}

/// The part of an event that names a comment.
#[derive(Deserialize)]
struct CommentRef {
    comment: CommentId,
}

impl Feed for TicketChanges {
    type Item = TicketChange;

    async fn item(&self, event: &RecordedEvent) -> Result<Option<TicketChange>, Unexpected> {
        let Some(id) = event.key().and_then(|key| key.parse::<TicketId>().ok()) else {
            return Ok(None);
        };
        let viewer = Viewer::from(self.me);
        if event.topic == "ticket.commented" {
            let CommentRef { comment } = serde_json::from_str(&event.payload)?;
            let found = self.repository.comment_of(viewer, id, comment).await?;
            return Ok(found.map(|one| TicketChange::Comment(self.present.comment(one))));
        }
        let found = self.repository.find(viewer, id).await?;
        let Some(ticket) = found else {
            return Ok(None);
        };
        let view = serde_json::to_value(self.present.show(ticket))?;
        Ok(Some(TicketChange::Ticket(ShownTicket(view))))
    }

    fn older(&self, mut item: TicketChange, version: &str) -> TicketChange {
        if let TicketChange::Ticket(ShownTicket(view)) = &mut item {
            self.versions.down(version, "Ticket", view);
        }
        item
    }
}

/// Watch a ticket
///
/// Server-sent events with the names `ticket.created`, `ticket.updated`, `ticket.assigned`,
/// `ticket.solved`, `ticket.closed`, `ticket.reopened` and `ticket.commented`. The data is the
/// ticket, or the comment for `ticket.commented`. Only agents see internal notes.
#[get("/{id}/events", allow = Scope::TicketsRead)]
pub(crate) async fn watch(
    me: User,
    tickets: Tickets,
    live: Live<TicketChanges>,
    /// Ticket id.
    #[path]
    id: TicketId,
) -> Result<Events<TicketChange>, FindTicket> {
    tickets.find(me.into(), id).await?;
    Ok(live.events(topic(id)))
}

fn topic(id: TicketId) -> Topic {
    Topic::of(&format!("ticket:{id}"))
}

/// A message from the client.
#[derive(Input)]
#[input(tag = "type")]
pub(crate) enum FromClient {
    /// Subscribes to a topic: `ticket:<id>`, or `queue` with the events of all tickets, for agents.
    Subscribe {
        /// The topic.
        #[validate(length(min = 1, max = 100))]
        topic: String,
        /// Id of the last event that the client has.
        #[validate(length(min = 1, max = 64))]
        after: Option<String>,
    },
    /// Ends a subscription.
    Unsubscribe {
        /// The topic.
        #[validate(length(min = 1, max = 100))]
        topic: String,
    },
    /// Tells the other subscribers of a topic that the user types.
    Typing {
        /// The topic.
        #[validate(length(min = 1, max = 100))]
        topic: String,
    },
    /// Asks for a `pong`.
    Ping,
}

/// A message from the server.
#[derive(Output)]
#[output(tag = "type")]
pub(crate) enum FromServer {
    /// A subscription began.
    Subscribed {
        /// The topic.
        topic: String,
    },
    /// A subscription ended.
    Unsubscribed {
        /// The topic.
        topic: String,
    },
    /// Something happened to a ticket.
    Event {
        /// The topic.
        topic: String,
        /// Id of the event, for `after`.
        id: String,
        /// Name of the event: `ticket.updated`.
        event: String,
        /// The ticket, or the comment.
        data: TicketChange,
    },
    /// Who watches a topic now.
    Presence {
        /// The topic.
        topic: String,
        /// User ids.
        users: Vec<String>,
    },
    /// A user types.
    Typing {
        /// The topic.
        topic: String,
        /// User id.
        user: String,
    },
    /// The reply to a `ping`.
    Pong,
    /// A message was rejected.
    Error {
        /// Stable code.
        code: String,
        /// What was wrong.
        detail: String,
        /// The topic of the message.
        #[output(skip_none)]
        topic: Option<String>,
        /// Validation failures.
        errors: Vec<MessageFailure>,
    },
}

/// A validation failure of a message.
#[derive(Output)]
pub(crate) struct MessageFailure {
    /// JSON Pointer into the message.
    pointer: String,
    /// Stable code.
    code: String,
    /// What was wrong.
    message: String,
}

impl From<SocketFailure> for MessageFailure {
    fn from(failure: SocketFailure) -> Self {
        Self {
            pointer: failure.pointer,
            code: failure.code,
            message: failure.message,
        }
    }
}

impl From<SocketProblem> for FromServer {
    fn from(problem: SocketProblem) -> Self {
        Self::Error {
            code: problem.code,
            detail: problem.detail,
            topic: problem.topic,
            errors: problem.errors.into_iter().map(Into::into).collect(),
        }
    }
}

impl From<Change<TicketChange>> for FromServer {
    fn from(change: Change<TicketChange>) -> Self {
        Self::Event {
            topic: change.topic,
            id: change.id,
            event: change.event,
            data: change.data,
        }
    }
}

impl From<Presence> for FromServer {
    fn from(presence: Presence) -> Self {
        Self::Presence {
            topic: presence.topic,
            users: presence.users,
        }
    }
}

/// Errors of a message.
#[derive(Debug, Problem)]
pub(crate) enum HandleMessage {
    /// There is no such topic. Use `ticket:<id>` or `queue`.
    #[problem(not_found, code = "topic_not_found")]
    NoTopic,
    /// Only agents can watch the queue. Subscribe to single tickets.
    #[problem(forbidden, code = "agents_only")]
    AgentsOnly,
    /// The ticket does not exist, or the caller cannot see it.
    #[problem(transparent)]
    Missing(TicketNotFound),
    /// An unexpected error.
    #[problem(unexpected)]
    Unexpected(Unexpected),
}

impl From<FindTicket> for HandleMessage {
    fn from(error: FindTicket) -> Self {
        match error {
            FindTicket::Missing(missing) => Self::Missing(missing),
            FindTicket::Unexpected(error) => Self::Unexpected(error),
        }
    }
}

/// Watch tickets
///
/// Messages are JSON objects with a `type`.
#[socket("/socket", allow = Scope::TicketsRead, protocol = "helpdesk.v1")]
pub(crate) async fn socket(
    connection: Connection<FromServer>,
    message: FromClient,
    me: User,
    tickets: Tickets,
    live: Live<TicketChanges>,
) -> Result<(), HandleMessage> {
    match message {
        FromClient::Subscribe { topic, after } => {
            connection.about(&topic);
            let found = find(&topic, me, &tickets).await?;
            let confirmation = FromServer::Subscribed {
                topic: topic.clone(),
            };
            connection.subscribe(&live, found, after.as_deref(), &confirmation)?;
            connection.enter(&topic, &me.id.to_string());
        }
        FromClient::Unsubscribe { topic } => {
            connection.unsubscribe(&topic);
            connection.send(&FromServer::Unsubscribed { topic })?;
        }
        FromClient::Typing { topic } => {
            connection.about(&topic);
            find(&topic, me, &tickets).await?;
            let typing = FromServer::Typing {
                topic: topic.clone(),
                user: me.id.to_string(),
            };
            connection.broadcast(&topic, &typing)?;
        }
        FromClient::Ping => connection.send(&FromServer::Pong)?,
    }
    Ok(())
}

/// Returns the topic of this name, if the user may watch it.
async fn find(name: &str, me: User, tickets: &Tickets) -> Result<Topic, HandleMessage> {
    if name == QUEUE {
        return if me.role.is_staff() {
            Ok(Topic::events(QUEUE, "ticket.*"))
        } else {
            Err(HandleMessage::AgentsOnly)
        };
    }
    let id = name.strip_prefix("ticket:").and_then(|id| id.parse().ok());
    let id: TicketId = id.ok_or(HandleMessage::NoTopic)?;
    tickets.find(me.into(), id).await?;
    Ok(topic(id))
}
