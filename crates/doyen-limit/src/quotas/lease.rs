//! What a process holds of one subject's quota.

use doyen_core::Timestamp;

/// Calls that were taken out of the table and not used yet.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lease {
    pub(super) begins: Timestamp,
    pub(super) ends: Timestamp,
    /// Calls that may be used without asking.
    pub(super) held: u64,
    /// What the table said when it was asked last, with what is held here.
    pub(super) used: u64,
    /// Calls that passed while the table could not be asked.
    pub(super) debt: u64,
    /// Until when a call need not ask, and from which number of calls on.
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

    /// One of no time at all.
    pub(super) fn over() -> Self {
        let never = Timestamp::from_micros(i64::MIN);
        Self::new(never, never)
    }

    pub(super) fn covers(&self, now: i64) -> bool {
        self.begins.micros() <= now && now < self.ends.micros()
    }

    /// Calls that are left of this many, as far as is known here.
    pub(super) const fn left(&self, limit: u64) -> u64 {
        (limit + self.held).saturating_sub(self.used + self.debt)
    }

    /// Whole seconds until the next period, rounded up.
    pub(super) fn seconds_left(&self, now: i64) -> u32 {
        let micros = u64::try_from(self.ends.micros().saturating_sub(now)).unwrap_or(0);
        u32::try_from(micros.div_ceil(1_000_000)).unwrap_or(u32::MAX)
    }
}
