//! Create, list, get, update and delete tickets.

use doyen::prelude::*;
use doyen::web::ConcurrencyClass;

use super::shapes::{NewTicket, TicketChanges};
use super::view::{Presenter, TicketView};
use crate::access::{Role, Scope, User};
use crate::tickets::domain::{
    Attachments, EditTicket, FindTicket, TicketFilter, TicketId, Tickets,
};

/// Bounds concurrent searches: they are limited by the processor, and plain lists need a share of
/// it and of the database connections.
fn search() -> ConcurrencyClass {
    let cores = std::thread::available_parallelism().map_or(2, usize::from);
    class("search", cores.clamp(2, 4)).with_query("q")
}

/// Create a ticket
///
/// The caller becomes the reporter of the ticket.
#[post("/", allow = Scope::TicketsWrite, idempotent)]
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

/// List tickets
///
/// Customers see only their own tickets; agents see all tickets. A ticket must match every given
/// filter. The default order is by creation time, newest first. Few searches (`q`) run at once;
/// further ones wait for a moment, then get a 503.
#[get("/", allow = Scope::TicketsRead, sparse, concurrency = search())]
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

/// Get a ticket
#[get("/{id}", allow = Scope::TicketsRead)]
pub(crate) async fn show(
    me: User,
    tickets: Tickets,
    present: Presenter,
    /// Ticket id.
    #[path]
    id: TicketId,
) -> Result<Json<TicketView>, FindTicket> {
    Ok(Json(present.show(tickets.find(me.into(), id).await?)))
}

/// Update a ticket
///
/// Send the last known `ETag` as `If-Match`. A request that changes nothing does not increment the
/// version.
#[patch("/{id}", allow = Scope::TicketsWrite, returns = "The updated ticket.")]
pub(crate) async fn edit(
    me: User,
    tickets: Tickets,
    present: Presenter,
    /// Ticket id.
    #[path]
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

/// Delete a ticket
///
/// Deletes the ticket, its comments and its attachments.
#[delete("/{id}", allow = Scope::TicketsWrite.role(Role::Admin))]
pub(crate) async fn remove(
    me: User,
    tickets: Tickets,
    attachments: Attachments,
    /// Ticket id.
    #[path]
    id: TicketId,
) -> Result<NoContent, FindTicket> {
    attachments.remove_all(me.into(), id).await?;
    tickets.remove(me.into(), id).await?;
    Ok(NoContent)
}
