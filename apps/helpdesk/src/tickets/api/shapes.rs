//! What clients send.

use doyen::prelude::*;

use crate::access::UserId;
use crate::tickets::domain::{Draft, Edit, NewComment, Priority, Tag};

/// Something you want solved.
#[derive(Input)]
pub(crate) struct NewTicket {
    /// What it is about, in one line.
    #[validate(length(min = 1, max = 200))]
    #[input(example = "The printer on the second floor is on fire")]
    subject: String,
    /// The whole story.
    #[validate(length(min = 1, max = 20_000))]
    #[input(example = "It began with a smell of toner. Now there is smoke.")]
    body: String,
    /// How pressing it is.
    #[input(default)]
    priority: Priority,
    /// Words to find it by.
    #[validate(items(max = 10), unique_items)]
    #[input(default)]
    tags: Vec<Tag>,
}

impl From<NewTicket> for Draft {
    fn from(new: NewTicket) -> Self {
        let NewTicket {
            subject,
            body,
            priority,
            tags,
        } = new;
        Self {
            subject,
            body,
            priority,
            tags,
        }
    }
}

/// Changes to a ticket. What is left out stays as it is.
#[derive(Input)]
pub(crate) struct TicketChanges {
    /// Another subject.
    #[validate(length(min = 1, max = 200))]
    #[input(example = "The printer on the second floor was on fire")]
    subject: Patch<String>,
    /// Another body.
    #[validate(length(min = 1, max = 20_000))]
    body: Patch<String>,
    /// Another priority.
    priority: Patch<Priority>,
    /// All its tags, instead of those it has.
    #[validate(items(max = 10), unique_items)]
    tags: Patch<Vec<Tag>>,
}

impl From<TicketChanges> for Edit {
    fn from(changes: TicketChanges) -> Self {
        let TicketChanges {
            subject,
            body,
            priority,
            tags,
        } = changes;
        Self {
            subject,
            body,
            priority,
            tags,
        }
    }
}

/// Who is to work on a ticket.
#[derive(Input)]
pub(crate) struct Assignment {
    /// The id of an agent or administrator.
    pub(super) assignee: UserId,
}

/// What you want to say.
#[derive(Input)]
#[input(name = "NewComment")]
pub(crate) struct CommentBody {
    /// The text.
    #[validate(length(min = 1, max = 20_000))]
    #[input(example = "Did you try to turn it off and on again?")]
    body: String,
    /// True for a note that only agents see.
    #[input(default)]
    internal: bool,
}

impl From<CommentBody> for NewComment {
    fn from(new: CommentBody) -> Self {
        let CommentBody { body, internal } = new;
        Self { body, internal }
    }
}
