//! What is said about a ticket.

use doyen::prelude::*;

use super::shapes::CommentBody;
use super::view::CommentView;
use crate::access::{Scope, User};
use crate::tickets::domain::{AddComment, FindTicket, TicketId, Tickets};

/// Comment on a ticket.
///
/// An agent's public comment makes an open ticket pending, the customer's answer makes it open again. Internal notes are written by agents and
/// change no status.
#[post("/{id}/comments", allow = Scope::CommentsWrite)]
pub(crate) async fn add_comment(
    me: User,
    tickets: Tickets,
    id: TicketId,
    Json(new): Json<CommentBody>,
) -> Result<Created<CommentView>, AddComment> {
    Ok(Created(
        tickets.comment(me.into(), id, new.into()).await?.into(),
    ))
}

/// List the comments of a ticket, the oldest first.
///
/// Agents see internal notes among them.
#[get("/{id}/comments", allow = Scope::TicketsRead)]
pub(crate) async fn list_comments(
    me: User,
    tickets: Tickets,
    id: TicketId,
    paging: Paging,
) -> Result<Page<CommentView>, FindTicket> {
    Ok(tickets.comments(me.into(), id, &paging).await?.map_into())
}
