//! A plan, in the form that both databases have in common.

/// The parts of a plan that cost time, and its text.
#[derive(Debug, Default)]
pub(super) struct Plan {
    pub(super) lines: Vec<String>,
    /// The kinds of the nodes, their tables and indexes: what stays if only numbers change.
    pub(super) shape: Vec<String>,
    pub(super) steps: Vec<Step>,
}

/// A part of a plan.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Reads all rows of a table, which is named by its alias if it has one.
    Scan(String),
    /// Reads rows of a table by an index that is not unique.
    Search(String),
    /// Creates an index for each run of the statement.
    TemporaryIndex(String),
    /// Sorts rows: their number, if it is known.
    Sort(Option<u64>),
}
