//! Response types.

use std::sync::Arc;

use doyen::domain::stable_hash;
use doyen::prelude::*;

use super::{actions, comments, tickets};
use crate::access::User;
use crate::tickets::domain::{
    Action, Comment, CommentId, Person, Priority, Status, Tag, Ticket, TicketId,
};

/// A ticket.
#[derive(Output)]
#[output(
    name = "Ticket",
    etag = tag,
    location = place,
    computed(
        /// Seconds since the ticket was created.
        age_seconds: u64 = Self::age_seconds,
        /// True if the ticket is open or pending and older than its priority allows: 7 days for
        /// `low`, 3 days for `normal`, 1 day for `high`, 4 hours for `urgent`.
        is_overdue: bool = Self::is_overdue,
    )
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
    comment_count: u32,
    /// Creation time.
    created_at: Timestamp,
    /// Time of the last change or comment.
    updated_at: Timestamp,
    /// Version number, incremented by each change. Also in the `ETag`.
    version: i64,
    /// Links to the resource and to the actions available to the caller.
    #[output(rename = "_links")]
    links: LinkMap,
    #[output(skip)]
    place: String,
    #[output(skip)]
    seen_by: User,
    #[output(skip)]
    age: std::time::Duration,
    #[output(skip)]
    overdue: bool,
}

impl TicketView {
    /// Returns the version and a hash of everything that changes without a new version: the
    /// caller's role, the names of users, and `is_overdue`. The hash omits `age_seconds`, which
    /// changes every second.
    fn tag(&self) -> String {
        let assignee = self.assignee.as_ref();
        let rest = stable_hash([
            self.seen_by.role.name(),
            &self.reporter.name,
            assignee.map_or("", |person| &person.name),
            if self.overdue { "overdue" } else { "" },
        ]);
        format!("{}-{rest:016x}", self.version)
    }

    fn age_seconds(&self) -> u64 {
        self.age.as_secs()
    }

    fn is_overdue(&self) -> bool {
        self.overdue
    }
}

/// A comment on a ticket.
#[derive(Output)]
#[output(name = "Comment")]
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
}

impl From<Comment> for CommentView {
    fn from(comment: Comment) -> Self {
        let Comment {
            id,
            author,
            body,
            internal,
            created_at,
            ..
        } = comment;
        Self {
            id,
            author,
            body,
            internal,
            created_at,
        }
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
        let now = self.clock.now();
        let links = self.links(&ticket);
        let place = self
            .links
            .path::<tickets::show>(&[&ticket.id])
            .unwrap_or_default();
        let (age, overdue) = (now.since(ticket.created_at), ticket.is_overdue(now));
        let notes = if self.me.role.is_staff() {
            ticket.notes
        } else {
            0
        };
        let Ticket {
            id,
            subject,
            body,
            status,
            priority,
            tags,
            reporter,
            assignee,
            comments,
            created_at,
            updated_at,
            version,
            ..
        } = ticket;
        let comment_count = comments + notes;
        let seen_by = self.me;
        TicketView {
            id,
            subject,
            body,
            status,
            priority,
            tags,
            reporter,
            assignee,
            comment_count,
            created_at,
            updated_at,
            version,
            links,
            place,
            seen_by,
            age,
            overdue,
        }
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
            .to_if::<actions::assign>(can(Action::Assign), "assign", id)
            .to_if::<actions::solve>(can(Action::Solve), "solve", id)
            .to_if::<actions::close>(can(Action::Close), "close", id)
            .to_if::<actions::reopen>(can(Action::Reopen), "reopen", id)
            .done()
    }
}
