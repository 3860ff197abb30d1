//! What is said about a ticket.

use doyen::domain::id::Named;
use doyen::domain::{Id, Timestamp};

use super::{Person, TicketId};

/// The id of a comment: `cmt_...`.
pub type CommentId = Id<Comment>;

impl Named for Comment {
    const PREFIX: &'static str = "cmt";
}

/// An answer, a question or an internal note.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comment {
    /// Its id.
    pub id: CommentId,
    /// What it is about.
    pub ticket: TicketId,
    /// Who wrote it.
    pub author: Person,
    /// The text.
    pub body: String,
    /// True for a note that only agents see.
    pub internal: bool,
    /// When it was written.
    pub created_at: Timestamp,
}

/// A comment before it is added.
#[derive(Clone, Debug)]
pub struct NewComment {
    /// The text.
    pub body: String,
    /// True for a note that only agents see.
    pub internal: bool,
}
