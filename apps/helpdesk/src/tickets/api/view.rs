//! Response types.

use std::sync::Arc;

use doyen::domain::stable_hash;
use doyen::prelude::*;

use super::{actions, attachments, comments, tickets};
use crate::access::User;
use crate::tickets::domain::{
    Action, Comment, CommentId, Person, Priority, Status, Tag, Ticket, TicketId,
};

/// A ticket.
#[derive(Output)]
#[output(
    name = "Ticket",
    from = (Ticket, &Presenter, Timestamp),
    etag = tag,
    location = place
)]
pub(crate) struct TicketView {
    /// Ticket id.
    id: TicketId,
    /// Subject, in one line.
    #[output(example = "The printer on the second floor is on fire")]
    subject: String,
    /// Description of the problem.
    body: String,
    /// Status.
    status: Status,
    /// Priority.
    priority: Priority,
    /// Tags, in alphabetical order.
    tags: Vec<Tag>,
    /// User who created the ticket.
    reporter: Person,
    /// User to whom the ticket is assigned, or null.
    assignee: Option<Person>,
    /// Number of comments that the caller can read.
    #[output(value = presenter.comment_count(&ticket))]
    comment_count: u32,
    /// Creation time.
    created_at: Timestamp,
    /// Time of the last change or public comment.
    updated_at: Timestamp,
    /// Version number, incremented by each change. Also in the `ETag`.
    version: i64,
    /// Links to the resource and to the actions available to the caller.
    #[output(rename = "_links", value = presenter.links(&ticket))]
    links: LinkMap,
    /// Seconds since the ticket was created.
    #[output(value = timestamp.since(ticket.created_at).as_secs())]
    age_seconds: u64,
    /// True if the ticket is open or pending and older than its priority allows: 7 days for `low`,
    /// 3 days for `normal`, 1 day for `high`, 4 hours for `urgent`.
    #[output(value = ticket.is_overdue(timestamp))]
    is_overdue: bool,
    #[output(skip, value = presenter.path(&ticket))]
    place: String,
    #[output(skip, value = presenter.me)]
    seen_by: User,
}

impl TicketView {
    /// Returns the version and a hash of everything that changes without a new version: the
    /// caller's role, the names of users, the number of notes that the caller can read, and
    /// `is_overdue`. The hash omits `age_seconds`, which changes every second.
    fn tag(&self) -> String {
        let assignee = self.assignee.as_ref();
        let rest = stable_hash([
            self.seen_by.role.name(),
            &self.reporter.name,
            assignee.map_or("", |person| &person.name),
            if self.is_overdue { "overdue" } else { "" },
            &self.comment_count.to_string(),
        ]);
        format!("{}-{rest:016x}", self.version)
    }
}

/// A comment on a ticket.
#[derive(Output)]
#[output(name = "Comment", from = (Comment, LinkMap))]
pub(crate) struct CommentView {
    /// Comment id.
    id: CommentId,
    /// Author.
    author: Person,
    /// Text of the comment.
    #[output(example = "Did you try to turn it off and on again?")]
    body: String,
    /// True for an internal note, which only agents can see.
    internal: bool,
    /// Creation time.
    created_at: Timestamp,
    /// Links to the ticket and to its comments.
    #[output(rename = "_links", value = link_map)]
    links: LinkMap,
}

impl CommentView {
    /// Returns the view of a comment for the caller.
    pub(super) fn of(comment: Comment, links: &Links) -> Self {
        let id: &[&dyn std::fmt::Display] = &[&comment.ticket];
        let links = links
            .map()
            .to::<tickets::show>("ticket", id)
            .to::<comments::list_comments>("comments", id);
        (comment, links.done()).into()
    }
}

/// Creates ticket views for the caller, with the current age and the available links.
#[derive(Clone, Inject)]
pub(crate) struct Presenter {
    me: User,
    links: Links,
    clock: Arc<dyn Clock>,
}

impl Presenter {
    /// Returns the view of a ticket for the caller.
    pub(super) fn show(&self, ticket: Ticket) -> TicketView {
        (ticket, self, self.clock.now()).into()
    }

    /// Returns the view of a comment for the caller.
    pub(super) fn comment(&self, comment: Comment) -> CommentView {
        CommentView::of(comment, &self.links)
    }

    /// Returns the number of comments that the caller can read.
    fn comment_count(&self, ticket: &Ticket) -> u32 {
        if self.me.role.is_staff() {
            ticket.comments + ticket.notes
        } else {
            ticket.comments
        }
    }

    /// Returns the path of the ticket.
    fn path(&self, ticket: &Ticket) -> String {
        self.links
            .path::<tickets::show>(&[&ticket.id])
            .unwrap_or_default()
    }

    /// Returns the links that the rights of the caller and the status of the ticket allow.
    fn links(&self, ticket: &Ticket) -> LinkMap {
        let id: &[&dyn std::fmt::Display] = &[&ticket.id];
        let can = |action| ticket.status.after(action).is_some();
        self.links
            .map()
            .to::<tickets::show>("self", id)
            .to::<tickets::edit>("edit", id)
            .to::<tickets::remove>("delete", id)
            .to::<comments::list_comments>("comments", id)
            .to::<comments::add_comment>("comment", id)
            .to::<attachments::list_attachments>("attachments", id)
            .to_if::<actions::assign>(can(Action::Assign), "assign", id)
            .to_if::<actions::solve>(can(Action::Solve), "solve", id)
            .to_if::<actions::close>(can(Action::Close), "close", id)
            .to_if::<actions::reopen>(can(Action::Reopen), "reopen", id)
            .done()
    }
}
