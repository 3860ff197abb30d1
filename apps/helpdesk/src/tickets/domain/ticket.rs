//! The ticket, its states and the transitions between them.
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
//! - An `open` ticket waits for an agent, a `pending` ticket for the customer. A public comment by
//!   an agent sets `open` to `pending`, and a public comment by the customer sets `pending` to
//!   `open`. Comments do not change any other status; a solved ticket must be reopened explicitly.
//! - Only a solved ticket can be closed. An agent can reopen a solved or closed ticket.
//! - A closed ticket cannot be assigned; it must be reopened first.

use std::fmt;
use std::time::Duration;

use doyen::domain::id::Named;
use doyen::domain::{DAY, HOUR, Id, Input, Output, Patch, Timestamp};

use crate::access::UserId;

/// Ticket id: `tkt_...`.
pub type TicketId = Id<Ticket>;

impl Named for Ticket {
    const PREFIX: &'static str = "tkt";
}

/// A ticket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ticket {
    /// Ticket id.
    pub id: TicketId,
    /// Subject, in one line.
    pub subject: String,
    /// Description of the problem.
    pub body: String,
    /// Status.
    pub status: Status,
    /// Priority.
    pub priority: Priority,
    /// Tags, sorted and without duplicates.
    pub tags: Vec<Tag>,
    /// User who created the ticket.
    pub reporter: Person,
    /// User to whom the ticket is assigned.
    pub assignee: Option<Person>,
    /// Number of public comments.
    pub comments: u32,
    /// Number of internal notes.
    pub notes: u32,
    /// Creation time.
    pub created_at: Timestamp,
    /// Time of the last change or public comment.
    pub updated_at: Timestamp,
    /// Version number, incremented by each change.
    pub version: i64,
}

/// A user, as shown on tickets and comments.
#[derive(Clone, Debug, PartialEq, Eq, Output)]
pub struct Person {
    /// User id.
    pub id: UserId,
    /// Name of the user.
    #[output(example = "Ada Lovelace")]
    pub name: String,
}

/// Status of a ticket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Input, Output)]
pub enum Status {
    /// Waiting for an agent.
    Open,
    /// Waiting for the customer.
    Pending,
    /// Solved by an agent.
    Solved,
    /// Closed by an agent.
    Closed,
}

/// Priority of a ticket, in ascending order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Input, Output)]
pub enum Priority {
    /// Overdue after 7 days.
    Low,
    /// Overdue after 3 days.
    #[default]
    Normal,
    /// Overdue after 1 day.
    High,
    /// Overdue after 4 hours.
    Urgent,
}

/// Tag: 1 to 32 characters from `a-z`, `0-9` and `-`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Input, Output)]
pub struct Tag(#[validate(length(min = 1, max = 32), pattern = "^[a-z0-9-]{1,32}$")] String);

/// An action of an agent on a ticket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Assigns the ticket to an agent.
    Assign,
    /// Marks the ticket as solved.
    Solve,
    /// Closes the ticket.
    Close,
    /// Reopens the ticket.
    Reopen,
}

/// A ticket before it is created.
#[derive(Clone, Debug)]
pub struct Draft {
    /// Subject, in one line.
    pub subject: String,
    /// Description of the problem.
    pub body: String,
    /// Priority.
    pub priority: Priority,
    /// Tags.
    pub tags: Vec<Tag>,
}

/// Changes to the content of a ticket.
#[derive(Clone, Debug, Default)]
pub struct Edit {
    /// New subject.
    pub subject: Patch<String>,
    /// New description of the problem.
    pub body: Patch<String>,
    /// New priority.
    pub priority: Patch<Priority>,
    /// New tags.
    pub tags: Patch<Vec<Tag>>,
}

impl Ticket {
    /// Creates an open ticket.
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

    /// Counts a public comment, which can change the status.
    pub fn commented(&mut self, by_staff: bool) {
        self.comments += 1;
        self.status = match (self.status, by_staff) {
            (Status::Open, true) => Status::Pending,
            (Status::Pending, false) => Status::Open,
            (status, _) => status,
        };
    }

    /// Increments the version and sets the time of the last change.
    pub fn touch(&mut self, now: Timestamp) {
        self.version += 1;
        self.updated_at = now;
    }

    /// Returns true if the ticket has waited longer than its priority allows.
    pub fn is_overdue(&self, now: Timestamp) -> bool {
        self.status.is_waiting() && now.since(self.created_at) > self.priority.target()
    }
}

/// Sorts and deduplicates tags, so that equal sets are equal lists.
fn sorted(mut tags: Vec<Tag>) -> Vec<Tag> {
    tags.sort();
    tags.dedup();
    tags
}

impl Status {
    /// All statuses.
    pub const ALL: [Status; 4] = [
        Status::Open,
        Status::Pending,
        Status::Solved,
        Status::Closed,
    ];

    /// Returns the name of the status.
    pub const fn as_str(self) -> &'static str {
        match self {
            Status::Open => "open",
            Status::Pending => "pending",
            Status::Solved => "solved",
            Status::Closed => "closed",
        }
    }

    /// Returns the status with this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == name)
    }

    /// Returns true if the ticket waits for an agent or for the customer.
    pub const fn is_waiting(self) -> bool {
        matches!(self, Status::Open | Status::Pending)
    }

    /// Returns the status after an action, or `None` if the action is not allowed.
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
    /// All priorities, in ascending order.
    pub const ALL: [Priority; 4] = [
        Priority::Low,
        Priority::Normal,
        Priority::High,
        Priority::Urgent,
    ];

    /// Returns how long a ticket with this priority can wait before it is overdue.
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
    /// Creates a tag without validation, for values that were validated before.
    pub fn trusted(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Returns the tag as a string.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}
