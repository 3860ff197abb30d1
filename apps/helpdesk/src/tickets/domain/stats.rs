//! How many tickets there are of which kind.

use doyen::domain::Output;

use super::{Priority, Status};

/// How many tickets the caller can see, by status and by priority.
#[derive(Clone, Debug, Default, PartialEq, Eq, Output)]
pub struct Stats {
    /// All of them.
    pub total: u64,
    /// By status.
    pub by_status: StatusCounts,
    /// By priority.
    pub by_priority: PriorityCounts,
}

/// Tickets by status.
#[derive(Clone, Debug, Default, PartialEq, Eq, Output)]
pub struct StatusCounts {
    /// An agent is to act.
    pub open: u64,
    /// The customer is to answer.
    pub pending: u64,
    /// Done, as an agent says.
    pub solved: u64,
    /// Over.
    pub closed: u64,
}

/// Tickets by priority.
#[derive(Clone, Debug, Default, PartialEq, Eq, Output)]
pub struct PriorityCounts {
    /// Within a week.
    pub low: u64,
    /// Within three days.
    pub normal: u64,
    /// Within a day.
    pub high: u64,
    /// Within four hours.
    pub urgent: u64,
}

impl Stats {
    /// Counts so many tickets more of this status and priority.
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
