//! What can go wrong with tickets, as the client is told: one problem each, and an enum for each thing that can be asked.

use doyen::domain::{At, DeniedBecause, Failures, Place, Problem, Unexpected};

use super::{Action, Status};

/// There is no such ticket, or it is not yours to see.
#[derive(Debug, Problem)]
#[problem(not_found)]
pub struct TicketNotFound;

/// The ticket has changed since you read it. Read it again, look at the difference, and send your change with the new `ETag`.
#[derive(Debug, Problem)]
#[problem(precondition_failed, code = "precondition_failed")]
pub struct StaleTicket;

/// The ticket's present status does not permit this; `detail` names it. Its `_links` show what is possible.
#[derive(Debug, Problem)]
#[problem(conflict, detail = "A ticket that is {status} can not be {action}.")]
pub struct InvalidTransition {
    /// How far the ticket is.
    pub status: Status,
    /// What was asked for.
    pub action: Action,
}

/// Others changed the same ticket at the same time, again and again. Nothing was changed; send the request once more.
#[derive(Debug, Problem)]
#[problem(conflict)]
pub struct EditConflict;

/// Internal notes are written by agents. Send the comment without `internal`.
#[derive(Debug, Problem)]
#[problem(forbidden)]
pub struct AgentsOnly(#[problem(cause)] pub DeniedBecause);

/// Tickets are assigned to agents and administrators; this id belongs to neither.
#[derive(Debug, Problem)]
#[problem(invalid)]
pub struct NotAnAgent(#[problem(failures)] Failures);

impl NotAnAgent {
    /// Points at the field of the request.
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

/// Why a ticket is not shown.
#[derive(Debug, Problem)]
pub enum FindTicket {
    /// It is not there, or not for the caller.
    #[problem(transparent)]
    Missing(TicketNotFound),
    /// Something nobody planned for.
    #[problem(unexpected)]
    Unexpected(Unexpected),
}

/// Why a ticket was not edited.
#[derive(Debug, Problem)]
pub enum EditTicket {
    /// It is not there, or not for the caller.
    #[problem(transparent)]
    Missing(TicketNotFound),
    /// It is not what the caller has seen.
    #[problem(transparent)]
    Stale(StaleTicket),
    /// Something nobody planned for.
    #[problem(unexpected)]
    Unexpected(Unexpected),
}

/// Why a ticket did not move.
#[derive(Debug, Problem)]
pub enum MoveTicket {
    /// It is not there, or not for the caller.
    #[problem(transparent)]
    Missing(TicketNotFound),
    /// Its status does not permit it.
    #[problem(transparent)]
    Transition(InvalidTransition),
    /// Others were faster, again and again.
    #[problem(transparent)]
    Conflict(EditConflict),
    /// Something nobody planned for.
    #[problem(unexpected)]
    Unexpected(Unexpected),
}

/// Why a ticket was not assigned.
#[derive(Debug, Problem)]
pub enum AssignTicket {
    /// Nobody tickets can be assigned to.
    #[problem(transparent)]
    Assignee(NotAnAgent),
    /// The ticket does not let itself be assigned.
    #[problem(transparent)]
    Move(MoveTicket),
    /// Something nobody planned for.
    #[problem(unexpected)]
    Unexpected(Unexpected),
}

/// Why a comment was not added.
#[derive(Debug, Problem)]
pub enum AddComment {
    /// It is not there, or not for the caller.
    #[problem(transparent)]
    Missing(TicketNotFound),
    /// Internal notes are for agents.
    #[problem(transparent)]
    AgentsOnly(AgentsOnly),
    /// Others were faster, again and again.
    #[problem(transparent)]
    Conflict(EditConflict),
    /// Something nobody planned for.
    #[problem(unexpected)]
    Unexpected(Unexpected),
}
