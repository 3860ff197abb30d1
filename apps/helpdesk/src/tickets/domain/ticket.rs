//! The ticket, its states and the moves between them.
//!
//! ```text
//!            solve            close
//!   open ───────────▶ solved ───────▶ closed
//!   ▲  │                ▲ │             │
//!   │  ▼                │ │   reopen    │
//!  pending ─────────────┘ │             │
//!   ▲                     ▼             ▼
//!   └── (open) ◀──────────┴─────────────┘
//! ```
//!
//! - `open` waits for an agent, `pending` for the customer. An agent's public comment turns open into pending, the customer's answer turns
//!   it back. Comments move no other state: who wants a solved ticket opened again says so.
//! - Only what is solved can be closed; what is solved or closed can be reopened, by an agent.
//! - A closed ticket changes hands no more: reopen it first.

use std::fmt;
use std::time::Duration;

use doyen::domain::id::Named;
use doyen::domain::{DAY, HOUR, Id, Input, Output, Patch, Timestamp};

use crate::access::UserId;

/// The id of a ticket: `tkt_...`.
pub type TicketId = Id<Ticket>;

impl Named for Ticket {
    const PREFIX: &'static str = "tkt";
}

/// Something a customer wants solved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ticket {
    /// Its id.
    pub id: TicketId,
    /// One line.
    pub subject: String,
    /// The whole story.
    pub body: String,
    /// How far it is.
    pub status: Status,
    /// How pressing it is.
    pub priority: Priority,
    /// Words to find it by: sorted, each once.
    pub tags: Vec<Tag>,
    /// Who opened it.
    pub reporter: Person,
    /// Who works on it.
    pub assignee: Option<Person>,
    /// How many comments everybody may read.
    pub comments: u32,
    /// How many internal notes there are.
    pub notes: u32,
    /// When it was opened.
    pub created_at: Timestamp,
    /// When it last changed, comments included.
    pub updated_at: Timestamp,
    /// Counts up with each change.
    pub version: i64,
}

/// Somebody, as far as tickets know them.
#[derive(Clone, Debug, PartialEq, Eq, Output)]
pub struct Person {
    /// Their id.
    pub id: UserId,
    /// What they are called.
    #[output(example = "Ada Lovelace")]
    pub name: String,
}

/// How far a ticket is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Input, Output)]
pub enum Status {
    /// An agent is to act.
    Open,
    /// The customer is to answer.
    Pending,
    /// An agent says it is done.
    Solved,
    /// It is over.
    Closed,
}

/// How pressing a ticket is, from the least to the most.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Input, Output)]
pub enum Priority {
    /// Within a week.
    Low,
    /// Within three days.
    #[default]
    Normal,
    /// Within a day.
    High,
    /// Within four hours.
    Urgent,
}

/// A word to find tickets by: 1 to 32 of `a-z`, `0-9` and `-`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Input, Output)]
pub struct Tag(#[validate(length(min = 1, max = 32), pattern = "^[a-z0-9-]{1,32}$")] String);

/// What an agent can do with a ticket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Give it to an agent.
    Assign,
    /// Say that it is done.
    Solve,
    /// Say that it is over.
    Close,
    /// Take it up again.
    Reopen,
}

/// A ticket before it is opened.
#[derive(Clone, Debug)]
pub struct Draft {
    /// One line.
    pub subject: String,
    /// The whole story.
    pub body: String,
    /// How pressing it is.
    pub priority: Priority,
    /// Words to find it by.
    pub tags: Vec<Tag>,
}

/// Changes to what a ticket says.
#[derive(Clone, Debug, Default)]
pub struct Edit {
    /// Another subject.
    pub subject: Patch<String>,
    /// Another body.
    pub body: Patch<String>,
    /// Another priority.
    pub priority: Patch<Priority>,
    /// Other tags.
    pub tags: Patch<Vec<Tag>>,
}

impl Ticket {
    /// A new ticket.
    pub fn open(draft: Draft, reporter: Person, now: Timestamp) -> Self {
        Self {
            id: TicketId::new(),
            subject: draft.subject,
            body: draft.body,
            status: Status::Open,
            priority: draft.priority,
            tags: sorted(draft.tags),
            reporter,
            assignee: None,
            comments: 0,
            notes: 0,
            created_at: now,
            updated_at: now,
            version: 1,
        }
    }

    /// Applies changes.
    pub fn edit(&mut self, edit: Edit) {
        edit.subject.apply(&mut self.subject);
        edit.body.apply(&mut self.body);
        edit.priority.apply(&mut self.priority);
        edit.tags.map(sorted).apply(&mut self.tags);
    }

    /// Counts a comment, and passes the ticket on to whoever is to act next.
    pub fn commented(&mut self, by_staff: bool, internal: bool) {
        if internal {
            self.notes += 1;
            return;
        }
        self.comments += 1;
        self.status = match (self.status, by_staff) {
            (Status::Open, true) => Status::Pending,
            (Status::Pending, false) => Status::Open,
            (status, _) => status,
        };
    }

    /// Marks it as changed.
    pub fn touch(&mut self, now: Timestamp) {
        self.version += 1;
        self.updated_at = now;
    }

    /// True when it waits longer than its priority allows.
    pub fn is_overdue(&self, now: Timestamp) -> bool {
        self.status.is_waiting() && now.since(self.created_at) > self.priority.target()
    }
}

/// The order in which tags are stored: what is the same set is the same list.
fn sorted(mut tags: Vec<Tag>) -> Vec<Tag> {
    tags.sort();
    tags.dedup();
    tags
}

impl Status {
    /// Every status.
    pub const ALL: [Status; 4] = [
        Status::Open,
        Status::Pending,
        Status::Solved,
        Status::Closed,
    ];

    /// The word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Status::Open => "open",
            Status::Pending => "pending",
            Status::Solved => "solved",
            Status::Closed => "closed",
        }
    }

    /// The status of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == name)
    }

    /// True while somebody is to act.
    pub const fn is_waiting(self) -> bool {
        matches!(self, Status::Open | Status::Pending)
    }

    /// The status after this action; `None` where it is not possible.
    pub const fn after(self, action: Action) -> Option<Status> {
        match (action, self) {
            (Action::Assign, Status::Open | Status::Pending | Status::Solved) => Some(self),
            (Action::Solve, Status::Open | Status::Pending) => Some(Status::Solved),
            (Action::Close, Status::Solved) => Some(Status::Closed),
            (Action::Reopen, Status::Solved | Status::Closed) => Some(Status::Open),
            _ => None,
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Action::Assign => "assigned",
            Action::Solve => "solved",
            Action::Close => "closed",
            Action::Reopen => "reopened",
        })
    }
}

impl Priority {
    /// Every priority, from the least to the most pressing.
    pub const ALL: [Priority; 4] = [
        Priority::Low,
        Priority::Normal,
        Priority::High,
        Priority::Urgent,
    ];

    /// How long a ticket of this priority may wait.
    pub const fn target(self) -> Duration {
        match self {
            Priority::Low => Duration::from_secs(7 * DAY.as_secs()),
            Priority::Normal => Duration::from_secs(3 * DAY.as_secs()),
            Priority::High => DAY,
            Priority::Urgent => Duration::from_secs(4 * HOUR.as_secs()),
        }
    }
}

impl Tag {
    /// A tag that was checked before, such as one from the database.
    pub fn trusted(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The word.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}
