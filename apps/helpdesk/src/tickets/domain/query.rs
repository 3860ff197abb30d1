//! Filters and sort orders of a list of tickets.

use std::fmt;
use std::str::FromStr;

use doyen::domain::Input;

use super::{Priority, Status, Tag};
use crate::access::UserId;

/// Filters and sort order of a list of tickets. A ticket must match every filter.
#[derive(Clone, Debug, Default, Input)]
pub struct TicketFilter {
    /// Only tickets with this status.
    pub status: Option<Status>,
    /// Only tickets with this priority.
    pub priority: Option<Priority>,
    /// Only tickets assigned to this user, or `none` for unassigned tickets.
    pub assignee: Option<AssigneeFilter>,
    /// Only tickets created by this user.
    pub reporter: Option<UserId>,
    /// Only tickets with this tag.
    pub tag: Option<Tag>,
    /// Only tickets whose subject or body contains this text, ignoring case. Fewer than three
    /// characters match the beginning of words in the subject.
    #[validate(length(min = 1, max = 100))]
    pub q: Option<String>,
    /// Sort order. A leading `-` means descending.
    #[input(default)]
    pub sort: Sort,
}

/// A user id, or `none` for unassigned tickets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Input)]
#[input(from_str, pattern = "^(?:none|usr_[0-7][0-9a-hjkmnp-tv-z]{25})$")]
#[validate(length(max = 30))]
pub enum AssigneeFilter {
    /// Unassigned tickets: `none`.
    Unassigned,
    /// Tickets assigned to this user.
    User(UserId),
}

/// The text is neither `none` nor a user id.
#[derive(Clone, Copy, Debug)]
pub struct NoAssignee;

impl fmt::Display for NoAssignee {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("must be `none` or a user id")
    }
}

impl FromStr for AssigneeFilter {
    type Err = NoAssignee;
    fn from_str(text: &str) -> Result<Self, NoAssignee> {
        match text {
            "none" => Ok(AssigneeFilter::Unassigned),
            id => id.parse().map(AssigneeFilter::User).map_err(|_| NoAssignee),
        }
    }
}

/// Sort order of a list of tickets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Input, doyen::domain::Output)]
pub enum Sort {
    /// By creation time, oldest first.
    #[input(rename = "created_at")]
    #[output(rename = "created_at")]
    Oldest,
    /// By creation time, newest first.
    #[default]
    #[input(rename = "-created_at")]
    #[output(rename = "-created_at")]
    Newest,
    /// By last change, oldest first.
    #[input(rename = "updated_at")]
    #[output(rename = "updated_at")]
    LongestUntouched,
    /// By last change, newest first.
    #[input(rename = "-updated_at")]
    #[output(rename = "-updated_at")]
    LastChanged,
    /// By priority, lowest first.
    #[input(rename = "priority")]
    #[output(rename = "priority")]
    LeastPressing,
    /// By priority, highest first.
    #[input(rename = "-priority")]
    #[output(rename = "-priority")]
    MostPressing,
}

impl Sort {
    /// Returns true for descending orders, which have a leading `-`.
    pub const fn is_descending(self) -> bool {
        matches!(self, Sort::Newest | Sort::LastChanged | Sort::MostPressing)
    }
}
