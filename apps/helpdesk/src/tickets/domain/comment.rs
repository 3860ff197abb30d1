//! Comments on tickets.

use doyen::domain::id::Named;
use doyen::domain::{Id, Timestamp};

use super::{Person, TicketId};

/// Comment id: `cmt_...`.
pub type CommentId = Id<Comment>;

impl Named for Comment {
    const PREFIX: &'static str = "cmt";
}

/// A public comment or an internal note.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comment {
    /// Comment id.
    pub id: CommentId,
    /// Ticket id.
    pub ticket: TicketId,
    /// Author.
    pub author: Person,
    /// Text of the comment.
    pub body: String,
    /// True for an internal note, which only agents can see.
    pub internal: bool,
    /// Creation time.
    pub created_at: Timestamp,
}

/// A comment before it is added.
#[derive(Clone, Debug)]
pub struct NewComment {
    /// Text of the comment.
    pub body: String,
    /// True for an internal note, which only agents can see.
    pub internal: bool,
}
