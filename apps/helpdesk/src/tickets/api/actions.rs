//! Actions of agents on tickets. They need no `If-Match`: each reads, changes and writes the
//! ticket, and retries after a concurrent change.

use doyen::prelude::*;

use super::shapes::Assignment;
use super::view::{Presenter, TicketView};
use crate::access::{Role, Scope, User};
use crate::tickets::domain::{AssignTicket, MoveTicket, TicketId, Tickets};

/// Assign a ticket
///
/// Assigns the ticket to an agent or administrator. A closed ticket must be reopened first.
#[post("/{id}/assign", allow = Scope::TicketsWrite.role(Role::Agent).role(Role::Admin), returns = "The updated ticket.")]
pub(crate) async fn assign(
    me: User,
    tickets: Tickets,
    present: Presenter,
    /// Ticket id.
    #[path]
    id: TicketId,
    Json(to): Json<Assignment>,
) -> Result<Json<TicketView>, AssignTicket> {
    Ok(Json(
        present.show(tickets.assign(me.into(), id, to.assignee).await?),
    ))
}

/// Solve a ticket
///
/// The ticket must be open or pending.
#[post("/{id}/solve", allow = Scope::TicketsWrite.role(Role::Agent).role(Role::Admin), returns = "The updated ticket.")]
pub(crate) async fn solve(
    me: User,
    tickets: Tickets,
    present: Presenter,
    /// Ticket id.
    #[path]
    id: TicketId,
) -> Result<Json<TicketView>, MoveTicket> {
    Ok(Json(present.show(tickets.solve(me.into(), id).await?)))
}

/// Close a ticket
///
/// The ticket must be solved.
#[post("/{id}/close", allow = Scope::TicketsWrite.role(Role::Agent).role(Role::Admin), returns = "The updated ticket.")]
pub(crate) async fn close(
    me: User,
    tickets: Tickets,
    present: Presenter,
    /// Ticket id.
    #[path]
    id: TicketId,
) -> Result<Json<TicketView>, MoveTicket> {
    Ok(Json(present.show(tickets.close(me.into(), id).await?)))
}

/// Reopen a ticket
///
/// The ticket must be solved or closed.
#[post("/{id}/reopen", allow = Scope::TicketsWrite.role(Role::Agent).role(Role::Admin), returns = "The updated ticket.")]
pub(crate) async fn reopen(
    me: User,
    tickets: Tickets,
    present: Presenter,
    /// Ticket id.
    #[path]
    id: TicketId,
) -> Result<Json<TicketView>, MoveTicket> {
    Ok(Json(present.show(tickets.reopen(me.into(), id).await?)))
}
