//! Request types.

use doyen::prelude::*;

use crate::access::UserId;
use crate::tickets::domain::{Draft, Edit, NewComment, Priority, Tag};

/// Ticket to create.
#[derive(Input)]
#[input(into = Draft)]
pub(crate) struct NewTicket {
    /// Subject, in one line.
    #[validate(length(min = 1, max = 200))]
    #[input(example = "The printer on the second floor is on fire")]
    subject: String,
    /// Description of the problem.
    #[validate(length(min = 1, max = 20_000))]
    #[input(example = "It began with a smell of toner. Now there is smoke.")]
    body: String,
    /// Priority.
    #[input(default)]
    priority: Priority,
    /// Tags, without duplicates.
    #[validate(items(max = 10), unique_items)]
    #[input(default)]
    tags: Vec<Tag>,
}

/// Changes to a ticket. Omitted fields keep their values.
#[derive(Input)]
#[input(into = Edit)]
pub(crate) struct TicketChanges {
    /// New subject.
    #[validate(length(min = 1, max = 200))]
    #[input(example = "The printer on the second floor was on fire")]
    subject: Patch<String>,
    /// New description of the problem.
    #[validate(length(min = 1, max = 20_000))]
    body: Patch<String>,
    /// New priority. Null resets it to the default, `normal`.
    #[input(default)]
    priority: Patch<Priority>,
    /// New tags, without duplicates. They replace all existing tags. Null removes all tags.
    #[input(default)]
    #[validate(items(max = 10), unique_items)]
    tags: Patch<Vec<Tag>>,
}

/// Assignment of a ticket.
#[derive(Input)]
pub(crate) struct Assignment {
    /// User id of an agent or administrator.
    pub(super) assignee: UserId,
}

/// Comment to add.
#[derive(Input)]
#[input(name = "NewComment", into = NewComment)]
pub(crate) struct CommentBody {
    /// Text of the comment.
    #[validate(length(min = 1, max = 20_000))]
    #[input(example = "Did you try to turn it off and on again?")]
    body: String,
    /// True for an internal note, which only agents can see.
    #[input(default)]
    internal: bool,
}
