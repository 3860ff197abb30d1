//! What a list of tickets can be asked for.

use std::fmt;
use std::str::FromStr;

use doyen::domain::Input;

use super::{Priority, Status, Tag};
use crate::access::UserId;

/// Which tickets, and in which order. Filters add up.
#[derive(Clone, Debug, Default, Input)]
pub struct TicketFilter {
    /// Only those of this status.
    pub status: Option<Status>,
    /// Only those of this priority.
    pub priority: Option<Priority>,
    /// Only those this user works on, or `none` for those nobody works on.
    pub assignee: Option<AssigneeFilter>,
    /// Only those this user opened.
    pub reporter: Option<UserId>,
    /// Only those with this tag.
    pub tag: Option<Tag>,
    /// Only those with this text in subject or body, in upper or lower case.
    #[validate(length(min = 1, max = 100))]
    pub q: Option<String>,
    /// The order; `-` in front means descending.
    #[input(default)]
    pub sort: Sort,
}

/// Somebody, or nobody.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Input)]
#[input(from_str, pattern = "^(?:none|usr_[0-7][0-9a-hjkmnp-tv-z]{25})$")]
#[validate(length(max = 30))]
pub enum AssigneeFilter {
    /// Nobody: `none`.
    Nobody,
    /// This user.
    User(UserId),
}

/// The text is neither `none` nor the id of a user.
#[derive(Clone, Copy, Debug)]
pub struct NoAssignee;

impl fmt::Display for NoAssignee {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("must be `none` or the id of a user")
    }
}

impl FromStr for AssigneeFilter {
    type Err = NoAssignee;
    fn from_str(text: &str) -> Result<Self, NoAssignee> {
        match text {
            "none" => Ok(AssigneeFilter::Nobody),
            id => id.parse().map(AssigneeFilter::User).map_err(|_| NoAssignee),
        }
    }
}

/// The order of a list of tickets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Input, doyen::domain::Output)]
pub enum Sort {
    /// The oldest first.
    #[input(rename = "created_at")]
    #[output(rename = "created_at")]
    Oldest,
    /// The newest first.
    #[default]
    #[input(rename = "-created_at")]
    #[output(rename = "-created_at")]
    Newest,
    /// Those that rested longest first.
    #[input(rename = "updated_at")]
    #[output(rename = "updated_at")]
    LongestUntouched,
    /// Those changed last first.
    #[input(rename = "-updated_at")]
    #[output(rename = "-updated_at")]
    LastChanged,
    /// The least pressing first.
    #[input(rename = "priority")]
    #[output(rename = "priority")]
    LeastPressing,
    /// The most pressing first.
    #[input(rename = "-priority")]
    #[output(rename = "-priority")]
    MostPressing,
}

impl Sort {
    /// True for the order with `-` in front.
    pub const fn is_descending(self) -> bool {
        matches!(self, Sort::Newest | Sort::LastChanged | Sort::MostPressing)
    }
}
