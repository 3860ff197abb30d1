//! The generic cell rate algorithm, in whole microseconds.
//!
//! A bucket is the time at which all of its calls are available again ("theoretical arrival time").
//! A call moves that time one interval into the future. It passes unless the time is further ahead
//! than the burst allows. There is no background task and no effect at the edge of a window.
//! `gcra.lua` computes the same numbers.
//!
//! It is written here because no crate meets the requirements: several buckets are charged together
//! or not at all, for any cost, with a clock that tests can set, and with the same result to the
//! microsecond in Redis.

use doyen_core::limit::{Charge, Verdict};

/// State of a bucket for one call: the use, and the time to wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Reading {
    /// Microseconds until the bucket is full again, if every bucket admits the call.
    pub(crate) level: i64,
    /// Microseconds to wait; 0 if the bucket admits the call.
    pub(crate) wait: i64,
}

/// Reads a bucket. A time too far ahead comes from a clock that was set back or from other
/// settings. If it is a little too far, the bucket counts as empty; if it is much too far, the
/// bucket starts again, so that a client need not wait until the clock has caught up.
pub(crate) fn settle(full_at: Option<i64>, now: i64, tolerance: i64) -> i64 {
    let latest = now.saturating_add(tolerance);
    match full_at {
        Some(at) if at > now && at <= latest.saturating_add(tolerance) => at.min(latest),
        _ => now,
    }
}

/// Evaluates a call on a bucket that is full again at `full_at`: the new state, or the time to
/// wait.
pub(crate) fn call(full_at: i64, now: i64, charge: &Charge<'_>) -> Result<i64, i64> {
    let bucket = charge.bucket;
    let after = full_at.saturating_add(bucket.interval.saturating_mul(i64::from(bucket.cost)));
    let wait = after - now - bucket.tolerance;
    if wait > 0 { Err(wait) } else { Ok(after) }
}

/// Combines all readings of a request into the verdict for its response.
pub(crate) fn verdict(charges: &[Charge<'_>], readings: &[Reading]) -> Verdict {
    let mut verdict = Verdict {
        allowed: true,
        tightest: 0,
        remaining: u32::MAX,
        renews: 0,
        retry_after: 0,
        violated: 0,
    };
    let mut worst = (i64::MIN, u32::MAX);
    for (at, (charge, reading)) in charges.iter().zip(readings).enumerate() {
        let bucket = charge.bucket;
        let interval = bucket.interval.max(1);
        let left = (bucket.tolerance - reading.level).max(0);
        let remaining = left / interval;
        // Until one more call is available; a full bucket has no reset time.
        let renews = if reading.level <= 0 {
            0
        } else {
            interval - left % interval
        };
        if reading.wait > 0 {
            verdict.allowed = false;
            verdict.violated |= 1 << at;
            verdict.retry_after = verdict.retry_after.max(seconds(reading.wait));
        }
        // The refusing policy with the longest wait; otherwise the one with the fewest requests
        // left.
        let remaining = u32::try_from(remaining).unwrap_or(u32::MAX);
        let rank = (reading.wait, remaining / bucket.cost.max(1));
        if at == 0 || rank.0 > worst.0 || (rank.0 == worst.0 && rank.1 < worst.1) {
            worst = rank;
            verdict.tightest = at;
            verdict.remaining = remaining;
            verdict.renews = seconds(renews);
        }
    }
    verdict
}

/// Whole seconds, rounded up, so that a client that waits for this time passes.
fn seconds(micros: i64) -> u32 {
    u32::try_from(u64::try_from(micros).unwrap_or(0).div_ceil(1_000_000)).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests;
