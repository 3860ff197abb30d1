//! Counts of tickets by status and priority.

use doyen::domain::Output;

use super::{Priority, Status};

/// Number of tickets that the caller can see, by status and by priority.
#[derive(Clone, Debug, Default, PartialEq, Eq, Output)]
pub struct Stats {
    /// Number of all tickets.
    pub total: u64,
    /// Number of tickets by status.
    pub by_status: StatusCounts,
    /// Number of tickets by priority.
    pub by_priority: PriorityCounts,
}

/// Number of tickets by status.
#[derive(Clone, Debug, Default, PartialEq, Eq, Output)]
pub struct StatusCounts {
    /// Number of open tickets.
    pub open: u64,
    /// Number of pending tickets.
    pub pending: u64,
    /// Number of solved tickets.
    pub solved: u64,
    /// Number of closed tickets.
    pub closed: u64,
}

/// Number of tickets by priority.
#[derive(Clone, Debug, Default, PartialEq, Eq, Output)]
pub struct PriorityCounts {
    /// Number of tickets with low priority.
    pub low: u64,
    /// Number of tickets with normal priority.
    pub normal: u64,
    /// Number of tickets with high priority.
    pub high: u64,
    /// Number of tickets with urgent priority.
    pub urgent: u64,
}

impl Stats {
    /// Adds a number of tickets with this status and priority.
    pub fn add(&mut self, status: Status, priority: Priority, tickets: u64) {
        self.total += tickets;
        *match status {
            Status::Open => &mut self.by_status.open,
            Status::Pending => &mut self.by_status.pending,
            Status::Solved => &mut self.by_status.solved,
            Status::Closed => &mut self.by_status.closed,
        } += tickets;
        *match priority {
            Priority::Low => &mut self.by_priority.low,
            Priority::Normal => &mut self.by_priority.normal,
            Priority::High => &mut self.by_priority.high,
            Priority::Urgent => &mut self.by_priority.urgent,
        } += tickets;
    }
}
