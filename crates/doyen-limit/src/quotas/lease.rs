//! The part of a subject's quota that a process holds.

use doyen_core::Timestamp;

/// Calls that were taken from the table and are not used yet.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lease {
    pub(super) begins: Timestamp,
    pub(super) ends: Timestamp,
    /// Calls that can be used without a query.
    pub(super) held: u64,
    /// Use according to the last query, including the calls of this lease.
    pub(super) used: u64,
    /// Calls that passed while the database was unavailable.
    pub(super) debt: u64,
    /// Cached refusal: its end, and the number of calls from which it applies.
    pub(super) refused_until: i64,
    pub(super) refused_calls: u64,
}

impl Lease {
    pub(super) const fn new(begins: Timestamp, ends: Timestamp) -> Self {
        Self {
            begins,
            ends,
            held: 0,
            used: 0,
            debt: 0,
            refused_until: 0,
            refused_calls: 0,
        }
    }

    /// A lease of an empty period.
    pub(super) fn over() -> Self {
        let never = Timestamp::from_micros(i64::MIN);
        Self::new(never, never)
    }

    pub(super) fn covers(&self, now: i64) -> bool {
        self.begins.micros() <= now && now < self.ends.micros()
    }

    /// Calls left of this limit, as far as this process knows.
    pub(super) const fn left(&self, limit: u64) -> u64 {
        (limit + self.held).saturating_sub(self.used + self.debt)
    }

    /// Whole seconds until the next period, rounded up.
    pub(super) fn seconds_left(&self, now: i64) -> u32 {
        let micros = u64::try_from(self.ends.micros().saturating_sub(now)).unwrap_or(0);
        u32::try_from(micros.div_ceil(1_000_000)).unwrap_or(u32::MAX)
    }
}
