//! Comments on tickets.

use doyen::prelude::*;

use super::shapes::CommentBody;
use super::view::CommentView;
use crate::access::{Scope, User};
use crate::tickets::domain::{AddComment, FindTicket, TicketId, Tickets};

/// Add a comment
///
/// A public comment by an agent sets an open ticket to pending. A public comment by the customer
/// sets a pending ticket to open. Only agents can write internal notes, which do not change the
/// status.
#[post("/{id}/comments", allow = Scope::CommentsWrite, idempotent)]
pub(crate) async fn add_comment(
    me: User,
    tickets: Tickets,
    links: Links,
    /// Ticket id.
    #[path]
    id: TicketId,
    Json(new): Json<CommentBody>,
) -> Result<Created<CommentView>, AddComment> {
    let comment = tickets.comment(me.into(), id, new.into()).await?;
    Ok(Created(CommentView::of(comment, &links)))
}

/// List comments
///
/// Comments are sorted by creation time, oldest first. Only agents see internal notes.
#[get("/{id}/comments", allow = Scope::TicketsRead)]
pub(crate) async fn list_comments(
    me: User,
    tickets: Tickets,
    links: Links,
    /// Ticket id.
    #[path]
    id: TicketId,
    paging: Paging,
) -> Result<Page<CommentView>, FindTicket> {
    let page = tickets.comments(me.into(), id, &paging).await?;
    Ok(page.map(|comment| CommentView::of(comment, &links)))
}
