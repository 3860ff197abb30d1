//! Problems of tickets that clients receive: one type for each problem, and one enum for each
//! operation.

use doyen::domain::{At, DeniedBecause, Failures, Place, Problem, Unexpected};

use super::{Action, Status};

/// The ticket does not exist, or the caller cannot see it. Check the id.
#[derive(Debug, Problem)]
#[problem(not_found)]
pub struct TicketNotFound;

/// The ticket has changed since it was read. Read it again, and repeat the change with the new
/// `ETag`.
#[derive(Debug, Problem)]
#[problem(precondition_failed, code = "precondition_failed")]
pub struct StaleTicket;

/// The status of the ticket does not allow the action. `detail` names the status and the action;
/// the `_links` of the ticket list the available actions.
#[derive(Debug, Problem)]
#[problem(conflict, detail = "A ticket that is {status} cannot be {action}.")]
pub struct InvalidTransition {
    /// Status of the ticket.
    pub status: Status,
    /// Requested action.
    pub action: Action,
}

/// Only agents can write internal notes. Send the comment without `internal`.
#[derive(Debug, Problem)]
#[problem(forbidden)]
pub struct AgentsOnly(#[problem(cause)] pub DeniedBecause);

/// The assignee is not an agent or administrator. Send the user id of an agent or administrator.
#[derive(Debug, Problem)]
#[problem(invalid)]
pub struct NotAnAgent(#[problem(failures)] Failures);

impl NotAnAgent {
    /// Creates the problem, which points at the field `assignee`.
    pub(super) fn new() -> Self {
        let mut failures = Failures::new();
        At::root(Place::Body).field("assignee").fail(
            &mut failures,
            "agent",
            "must be the id of an agent or administrator",
        );
        Self(failures)
    }
}

/// Errors when reading a ticket.
#[derive(Debug, Problem)]
pub enum FindTicket {
    /// The ticket does not exist, or the caller cannot see it.
    #[problem(transparent)]
    Missing(TicketNotFound),
    /// An unexpected error.
    #[problem(unexpected)]
    Unexpected(Unexpected),
}

/// Errors when updating a ticket.
#[derive(Debug, Problem)]
pub enum EditTicket {
    /// The ticket does not exist, or the caller cannot see it.
    #[problem(transparent)]
    Missing(TicketNotFound),
    /// The ticket has changed since the caller read it.
    #[problem(transparent)]
    Stale(StaleTicket),
    /// An unexpected error.
    #[problem(unexpected)]
    Unexpected(Unexpected),
}

/// Errors when changing the status of a ticket.
#[derive(Debug, Problem)]
pub enum MoveTicket {
    /// The ticket does not exist, or the caller cannot see it.
    #[problem(transparent)]
    Missing(TicketNotFound),
    /// The status of the ticket does not allow the action.
    #[problem(transparent)]
    Transition(InvalidTransition),
    /// An unexpected error.
    #[problem(unexpected)]
    Unexpected(Unexpected),
}

/// Errors when assigning a ticket.
#[derive(Debug, Problem)]
pub enum AssignTicket {
    /// The assignee is not an agent or administrator.
    #[problem(transparent)]
    Assignee(NotAnAgent),
    /// The ticket cannot be assigned.
    #[problem(transparent)]
    Move(MoveTicket),
    /// An unexpected error.
    #[problem(unexpected)]
    Unexpected(Unexpected),
}

/// Errors when adding a comment.
#[derive(Debug, Problem)]
pub enum AddComment {
    /// The ticket does not exist, or the caller cannot see it.
    #[problem(transparent)]
    Missing(TicketNotFound),
    /// Only agents can write internal notes.
    #[problem(transparent)]
    AgentsOnly(AgentsOnly),
    /// An unexpected error.
    #[problem(unexpected)]
    Unexpected(Unexpected),
}

/// The attachment does not exist, or the caller cannot see its ticket. Check the id.
#[derive(Debug, Problem)]
#[problem(not_found)]
pub struct AttachmentNotFound;

/// The ticket has as many attachments as a ticket can have. Delete one that is not needed.
#[derive(Debug, Problem)]
#[problem(conflict, code = "too_many_attachments")]
pub struct AttachmentsFull;

/// The attachments of the customer exceed the quota. Delete some that are not needed.
#[derive(Debug, Problem)]
#[problem(
    too_large,
    code = "attachment_quota_exceeded",
    detail = "The quota of the customer has {left} bytes left."
)]
pub struct QuotaExceeded {
    /// Bytes that are left.
    pub left: u64,
}

/// Only its uploader and agents can delete an attachment.
#[derive(Debug, Problem)]
#[problem(forbidden)]
pub struct NotTheUploader(#[problem(cause)] pub DeniedBecause);

/// Errors when adding an attachment.
#[derive(Debug, Problem)]
pub enum AddAttachment {
    /// The ticket does not exist, or the caller cannot see it.
    #[problem(transparent)]
    Missing(TicketNotFound),
    /// The ticket has too many attachments.
    #[problem(transparent)]
    Full(AttachmentsFull),
    /// The quota of the customer is used up.
    #[problem(transparent)]
    Quota(QuotaExceeded),
    /// An unexpected error.
    #[problem(unexpected)]
    Unexpected(Unexpected),
}

/// Errors when reading an attachment.
#[derive(Debug, Problem)]
pub enum FindAttachment {
    /// The attachment does not exist, or the caller cannot see its ticket.
    #[problem(transparent)]
    Missing(AttachmentNotFound),
    /// An unexpected error.
    #[problem(unexpected)]
    Unexpected(Unexpected),
}

/// Errors when deleting an attachment.
#[derive(Debug, Problem)]
pub enum RemoveAttachment {
    /// The attachment cannot be read.
    #[problem(transparent)]
    Find(FindAttachment),
    /// The caller did not upload it.
    #[problem(transparent)]
    NotTheUploader(NotTheUploader),
    /// An unexpected error.
    #[problem(unexpected)]
    Unexpected(Unexpected),
}
