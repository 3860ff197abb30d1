//! Tickets: open, list, show, edit, delete.

use doyen::prelude::*;

use super::shapes::{NewTicket, TicketChanges};
use super::view::{Presenter, TicketView};
use crate::access::{Role, Scope, User};
use crate::tickets::domain::{EditTicket, FindTicket, TicketFilter, TicketId, Tickets};

/// Open a ticket.
///
/// Whoever opens it is its reporter.
#[post("/", allow = Scope::TicketsWrite)]
pub(crate) async fn create(
    me: User,
    tickets: Tickets,
    present: Presenter,
    Json(new): Json<NewTicket>,
) -> Result<Created<TicketView>, Unexpected> {
    Ok(Created(
        present.show(tickets.open(me.into(), new.into()).await?),
    ))
}

/// List tickets, the newest first.
///
/// Customers see their own, agents all of them. Filters add up.
#[get("/", allow = Scope::TicketsRead, sparse)]
pub(crate) async fn list(
    me: User,
    tickets: Tickets,
    present: Presenter,
    Query(filter): Query<TicketFilter>,
    paging: Paging,
) -> Result<Page<TicketView>, Unexpected> {
    Ok(tickets
        .list(me.into(), &filter, &paging)
        .await?
        .map(|ticket| present.show(ticket)))
}

/// Show a ticket.
#[get("/{id}", allow = Scope::TicketsRead)]
pub(crate) async fn show(
    me: User,
    tickets: Tickets,
    present: Presenter,
    id: TicketId,
) -> Result<Json<TicketView>, FindTicket> {
    Ok(Json(present.show(tickets.find(me.into(), id).await?)))
}

/// Change what a ticket says.
///
/// Send the `ETag` you have seen as `If-Match`. What changes nothing leaves the version as it is.
#[patch("/{id}", allow = Scope::TicketsWrite)]
pub(crate) async fn edit(
    me: User,
    tickets: Tickets,
    present: Presenter,
    id: TicketId,
    seen: IfMatch,
    MergePatch(changes): MergePatch<TicketChanges>,
) -> Result<Json<TicketView>, EditTicket> {
    Ok(Json(
        present.show(
            tickets
                .edit(me.into(), id, seen.version(), changes.into())
                .await?,
        ),
    ))
}

/// Delete a ticket with its comments.
#[delete("/{id}", allow = Scope::TicketsWrite.role(Role::Admin))]
pub(crate) async fn remove(
    me: User,
    tickets: Tickets,
    id: TicketId,
) -> Result<NoContent, FindTicket> {
    tickets.remove(me.into(), id).await?;
    Ok(NoContent)
}
