//! What the domain needs from outside.

use doyen::domain::{Page, Paging, Unexpected, port};

use super::{Comment, Person, Stats, Status, Ticket, TicketFilter, TicketId, Viewer};
use crate::access::UserId;

/// Where tickets are kept.
///
/// Each question names the viewer: what they may not see is not there.
#[port]
pub trait TicketRepository {
    /// Keeps a new ticket. Only the id of its reporter counts: the name is kept elsewhere.
    async fn insert(&self, ticket: &Ticket) -> Result<(), Unexpected>;

    /// The ticket of this id.
    async fn find(&self, viewer: Viewer, id: TicketId) -> Result<Option<Ticket>, Unexpected>;

    /// A page of those that fit.
    async fn list(
        &self,
        viewer: Viewer,
        filter: &TicketFilter,
        paging: &Paging,
    ) -> Result<Page<Ticket>, Unexpected>;

    /// Replaces the ticket that was read by the changed one. False when another change came between: then nothing was changed.
    async fn replace(
        &self,
        viewer: Viewer,
        read: &Ticket,
        changed: &Ticket,
    ) -> Result<bool, Unexpected>;

    /// Removes a ticket with its comments. False when there was none.
    async fn remove(&self, viewer: Viewer, id: TicketId) -> Result<bool, Unexpected>;

    /// How many there are of which kind.
    async fn stats(&self, viewer: Viewer) -> Result<Stats, Unexpected>;

    /// Keeps a new comment.
    async fn add_comment(&self, comment: &Comment) -> Result<(), Unexpected>;

    /// A page of the comments of a ticket, the oldest first; internal notes only for those who may see them.
    async fn comments(
        &self,
        viewer: Viewer,
        id: TicketId,
        paging: &Paging,
    ) -> Result<Page<Comment>, Unexpected>;

    /// Somebody.
    async fn person(&self, id: UserId) -> Result<Option<Person>, Unexpected>;

    /// Somebody, if tickets can be assigned to them.
    async fn agent(&self, id: UserId) -> Result<Option<Person>, Unexpected>;
}

/// Something that happened, and that others want to know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TicketEvent {
    /// A ticket was opened.
    Created {
        /// Which.
        ticket: TicketId,
        /// By whom.
        reporter: UserId,
    },
    /// A ticket has another status.
    StatusChanged {
        /// Which.
        ticket: TicketId,
        /// The status before.
        from: Status,
        /// The status now.
        to: Status,
        /// Who did it.
        by: UserId,
    },
    /// A comment was added.
    Commented {
        /// To which ticket.
        ticket: TicketId,
        /// The comment.
        comment: super::CommentId,
        /// Who wrote it.
        by: UserId,
        /// True for a note that only agents see.
        internal: bool,
    },
}

/// Where events go: they are told if and only if the change is kept.
#[port]
pub trait TicketEvents {
    /// Tells of an event.
    async fn publish(&self, event: TicketEvent) -> Result<(), Unexpected>;
}
