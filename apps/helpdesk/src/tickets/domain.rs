//! The ticket and its rules.
//!
//! | module | contents |
//! | --- | --- |
//! | `ticket` | the ticket, its states and the transitions between them |
//! | `comment` | comments on tickets |
//! | `attachment`, `attachments` | files of tickets, and the operations on them |
//! | `viewer` | the tickets that a user can see |
//! | `query` | filters and sort orders of a list of tickets |
//! | `stats` | counts of tickets by status and priority |
//! | `problems` | problems that clients receive |
//! | `ports` | dependencies of the domain: a repository and an event publisher |
//! | `service` | operations on tickets |
//!
//! The domain does not depend on HTTP or on a database.

mod attachment;
mod attachments;
mod comment;
#[cfg(test)]
pub(crate) mod memory;
mod ports;
mod problems;
mod query;
mod service;
mod stats;
mod ticket;
mod viewer;

pub use attachment::{
    Attachment, AttachmentCapacity, AttachmentId, AttachmentStatus, MAX_ATTACHMENTS,
};
pub use attachments::Attachments;
pub use comment::{Comment, CommentId, NewComment};
pub use ports::{AttachmentRepository, TicketEvent, TicketEvents, TicketImports, TicketRepository};
pub use problems::{
    AddAttachment, AddComment, AgentsOnly, AssignTicket, AttachmentNotFound, AttachmentsFull,
    EditTicket, FindAttachment, FindTicket, InvalidTransition, MoveTicket, NotTheUploader,
    QuotaExceeded, RemoveAttachment, StaleTicket, TicketNotFound,
};
pub use query::{AssigneeFilter, Sort, TicketFilter};
pub use service::Tickets;
pub use stats::{PriorityCounts, Stats, StatusCounts};
pub use ticket::{Action, Draft, Edit, Person, Priority, Status, Tag, Ticket, TicketId};
pub use viewer::Viewer;

#[cfg(test)]
mod tests;
