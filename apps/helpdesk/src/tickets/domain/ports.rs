//! Dependencies of the domain.

use doyen::domain::{Event, JobId, Page, Paging, Timestamp, Unexpected, port};

use super::{
    Attachment, AttachmentCapacity, AttachmentId, Comment, Draft, Person, Stats, Ticket,
    TicketFilter, TicketId, Viewer,
};
use crate::access::UserId;

/// Stores tickets.
///
/// Methods that take a viewer treat tickets that the viewer cannot see as missing.
#[port]
pub trait TicketRepository {
    /// Stores a new ticket. Only the id of the reporter is stored, not the name.
    async fn insert(&self, ticket: &Ticket) -> Result<(), Unexpected>;

    /// Returns the ticket with this id.
    async fn find(&self, viewer: Viewer, id: TicketId) -> Result<Option<Ticket>, Unexpected>;

    /// Returns a page of matching tickets.
    async fn list(
        &self,
        viewer: Viewer,
        filter: &TicketFilter,
        paging: &Paging,
    ) -> Result<Page<Ticket>, Unexpected>;

    /// Waits for concurrent changes of this ticket and holds further ones back until this unit of
    /// work ends. What is read afterwards stays true.
    async fn lock(&self, id: TicketId) -> Result<(), Unexpected>;

    /// Replaces the ticket `read` with `changed`, except for the number of its notes. Returns
    /// false, without writing, after a concurrent change.
    async fn replace(
        &self,
        viewer: Viewer,
        read: &Ticket,
        changed: &Ticket,
    ) -> Result<bool, Unexpected>;

    /// Counts one more internal note. The version stays, so that customers do not notice. Returns
    /// false if the ticket does not exist.
    async fn count_note(&self, viewer: Viewer, id: TicketId) -> Result<bool, Unexpected>;

    /// Deletes a ticket with its comments. Returns false if the ticket does not exist.
    async fn remove(&self, viewer: Viewer, id: TicketId) -> Result<bool, Unexpected>;

    /// Counts the visible tickets by status and priority.
    async fn stats(&self, viewer: Viewer) -> Result<Stats, Unexpected>;

    /// Stores a new comment.
    async fn add_comment(&self, comment: &Comment) -> Result<(), Unexpected>;

    /// Returns a page of the comments of a ticket, oldest first. Internal notes are included for
    /// agents only.
    async fn comments(
        &self,
        viewer: Viewer,
        id: TicketId,
        paging: &Paging,
    ) -> Result<Page<Comment>, Unexpected>;

    /// Returns a comment of a ticket, or an internal note if the viewer is an agent.
    async fn comment_of(
        &self,
        viewer: Viewer,
        ticket: TicketId,
        id: super::CommentId,
    ) -> Result<Option<Comment>, Unexpected>;

    /// Returns the user with this id.
    async fn person(&self, id: UserId) -> Result<Option<Person>, Unexpected>;

    /// Returns the user with this id if tickets can be assigned to them.
    async fn agent(&self, id: UserId) -> Result<Option<Person>, Unexpected>;
}

/// Stores which files are attached to which ticket.
#[port]
pub trait AttachmentRepository {
    /// Attaches a stored file.
    async fn insert(
        &self,
        id: AttachmentId,
        ticket: TicketId,
        by: UserId,
        note: Option<String>,
        at: Timestamp,
    ) -> Result<(), Unexpected>;

    /// Returns what can be attached to a ticket now, or `None` if the viewer cannot see it. It
    /// holds no transaction, so that a body can arrive after it.
    async fn capacity(
        &self,
        viewer: Viewer,
        ticket: TicketId,
    ) -> Result<Option<AttachmentCapacity>, Unexpected>;

    /// Returns the number of attachments of a ticket.
    async fn count(&self, ticket: TicketId) -> Result<u64, Unexpected>;

    /// Returns the bytes that this customer can still attach. Concurrent uploads of the customer
    /// wait until the unit of work ends.
    async fn bytes_left(&self, customer: UserId) -> Result<u64, Unexpected>;

    /// Returns the attachment with this id, without a check of the viewer.
    async fn find(&self, id: AttachmentId) -> Result<Option<Attachment>, Unexpected>;

    /// Returns a page of the attachments of a ticket, oldest first.
    async fn list(&self, ticket: TicketId, paging: &Paging)
    -> Result<Page<Attachment>, Unexpected>;

    /// Deletes an attachment with its file. Returns false if it does not exist.
    async fn remove(&self, id: AttachmentId) -> Result<bool, Unexpected>;

    /// Deletes all attachments of a ticket.
    async fn remove_all(&self, ticket: TicketId) -> Result<(), Unexpected>;
}

/// A change of a ticket. The aggregate is the ticket: a handler receives the events of one ticket
/// in order. An event carries ids; a handler reads the view that its reader may see.
#[derive(Clone, Debug, PartialEq, Eq, Event)]
#[event(topic = "ticket", key = "ticket")]
pub enum TicketEvent {
    /// A ticket was created.
    Created {
        /// Ticket id.
        ticket: TicketId,
        /// User id of the reporter, who created it.
        by: UserId,
    },
    /// The content of a ticket changed, or a comment changed its status.
    Updated {
        /// Ticket id.
        ticket: TicketId,
        /// User id of the user who made the change.
        by: UserId,
    },
    /// A ticket was assigned to an agent.
    Assigned {
        /// Ticket id.
        ticket: TicketId,
        /// User id of the agent.
        assignee: UserId,
        /// User id of the user who made the change.
        by: UserId,
    },
    /// A ticket was marked as solved.
    Solved {
        /// Ticket id.
        ticket: TicketId,
        /// User id of the user who made the change.
        by: UserId,
    },
    /// A ticket was closed.
    Closed {
        /// Ticket id.
        ticket: TicketId,
        /// User id of the user who made the change.
        by: UserId,
    },
    /// A ticket was reopened.
    Reopened {
        /// Ticket id.
        ticket: TicketId,
        /// User id of the user who made the change.
        by: UserId,
    },
    /// A comment was added.
    Commented {
        /// Ticket id.
        ticket: TicketId,
        /// Comment id.
        comment: super::CommentId,
        /// User id of the author.
        by: UserId,
        /// True for an internal note, which only agents can see.
        internal: bool,
    },
}

/// Imports tickets in the background.
#[port]
pub trait TicketImports {
    /// Starts an import for this viewer, if and only if the transaction is committed.
    async fn start(&self, viewer: Viewer, drafts: Vec<Draft>) -> Result<JobId, Unexpected>;
}

/// Publishes events, if and only if the transaction is committed.
#[port]
pub trait TicketEvents {
    /// Publishes an event.
    async fn publish(&self, event: TicketEvent) -> Result<(), Unexpected>;
}
