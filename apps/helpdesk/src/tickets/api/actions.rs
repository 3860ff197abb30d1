//! What agents do with tickets. None of it needs `If-Match`: each is read, changed and written as one.

use doyen::prelude::*;

use super::shapes::Assignment;
use super::view::{Presenter, TicketView};
use crate::access::{Role, Scope, User};
use crate::tickets::domain::{AssignTicket, MoveTicket, TicketId, Tickets};

/// Give a ticket to an agent.
///
/// A closed one is reopened first.
#[post("/{id}/assign", allow = Scope::TicketsWrite.role(Role::Agent).role(Role::Admin))]
pub(crate) async fn assign(
    me: User,
    tickets: Tickets,
    present: Presenter,
    id: TicketId,
    Json(to): Json<Assignment>,
) -> Result<Json<TicketView>, AssignTicket> {
    Ok(Json(
        present.show(tickets.assign(me.into(), id, to.assignee).await?),
    ))
}

/// Say that an open or pending ticket is done.
#[post("/{id}/solve", allow = Scope::TicketsWrite.role(Role::Agent).role(Role::Admin))]
pub(crate) async fn solve(
    me: User,
    tickets: Tickets,
    present: Presenter,
    id: TicketId,
) -> Result<Json<TicketView>, MoveTicket> {
    Ok(Json(present.show(tickets.solve(me.into(), id).await?)))
}

/// Say that a solved ticket is over.
#[post("/{id}/close", allow = Scope::TicketsWrite.role(Role::Agent).role(Role::Admin))]
pub(crate) async fn close(
    me: User,
    tickets: Tickets,
    present: Presenter,
    id: TicketId,
) -> Result<Json<TicketView>, MoveTicket> {
    Ok(Json(present.show(tickets.close(me.into(), id).await?)))
}

/// Take a solved or closed ticket up again.
#[post("/{id}/reopen", allow = Scope::TicketsWrite.role(Role::Agent).role(Role::Admin))]
pub(crate) async fn reopen(
    me: User,
    tickets: Tickets,
    present: Presenter,
    id: TicketId,
) -> Result<Json<TicketView>, MoveTicket> {
    Ok(Json(present.show(tickets.reopen(me.into(), id).await?)))
}
