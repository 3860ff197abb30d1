//! What clients get.

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
        /// Seconds since it was opened.
        age_seconds: u64 = Self::age_seconds,
        /// True when it waits longer than its priority allows: low 7 days, normal 3 days, high 1 day, urgent 4 hours.
        is_overdue: bool = Self::is_overdue,
    )
)]
pub(crate) struct TicketView {
    /// Its id.
    id: TicketId,
    /// What it is about, in one line.
    #[output(example = "The printer on the second floor is on fire")]
    subject: String,
    /// The whole story.
    body: String,
    /// How far it is.
    status: Status,
    /// How pressing it is.
    priority: Priority,
    /// Words to find it by, sorted.
    tags: Vec<Tag>,
    /// Who opened it.
    reporter: Person,
    /// Who works on it.
    assignee: Option<Person>,
    /// How many comments there are that you may read.
    comment_count: u32,
    /// When it was opened.
    created_at: Timestamp,
    /// When it last changed, comments included.
    updated_at: Timestamp,
    /// Counts up with each change; also in the `ETag`.
    version: i64,
    /// What you may do from here.
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
    /// The version, and a hash of what changes without a new version: the caller's role, the names
    /// of users, and `is_overdue`. `age_seconds` is left out, since it changes every second.
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
    /// Its id.
    id: CommentId,
    /// Who wrote it.
    author: Person,
    /// The text.
    #[output(example = "Did you try to turn it off and on again?")]
    body: String,
    /// True for a note that only agents see.
    internal: bool,
    /// When it was written.
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

/// Shows tickets to the caller: their age now, and the links they may follow.
#[derive(Clone, Inject)]
pub(crate) struct Presenter {
    me: User,
    links: Links,
    clock: Arc<dyn Clock>,
}

impl Presenter {
    /// The ticket as the caller sees it.
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

    /// What the caller may do and the status permits.
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
