//! The number of connections of a database.

/// The number of connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PoolStatus {
    /// Open connections.
    pub open: u32,
    /// Idle connections.
    pub idle: u32,
    /// Maximum number of connections.
    pub max: u32,
}
