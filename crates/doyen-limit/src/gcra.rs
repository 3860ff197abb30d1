//! The generic cell rate algorithm, in whole microseconds.
//!
//! A bucket is the time at which all of its calls will be back ("theoretical arrival time"). A call moves it one interval into the future, and
//! passes unless that is further away than the burst lasts. Nothing runs in the background, nothing happens at the edge of a window, and the same
//! numbers are kept by `gcra.lua`.
//!
//! Why it is written here and not taken from a crate: several buckets must be charged together or not at all, for any cost, with a clock that
//! tests move, and with the same result to the microsecond in Redis.

use doyen_core::limit::{Charge, Verdict};

/// How a bucket stands with a call: what is used, and how long the call has to wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Reading {
    /// The microseconds until all calls are back, the call counted when all buckets let it pass.
    pub(crate) level: i64,
    /// The microseconds to wait; 0 when it may pass.
    pub(crate) wait: i64,
}

/// A bucket as it is now. One whose time lies further ahead than it can was made before the clock was set back, or with other settings: a
/// little further and it is empty; much further and it begins anew, since nobody should wait until the clock has caught up.
pub(crate) fn settle(full_at: Option<i64>, now: i64, tolerance: i64) -> i64 {
    let latest = now.saturating_add(tolerance);
    match full_at {
        Some(at) if at > now && at <= latest.saturating_add(tolerance) => at.min(latest),
        _ => now,
    }
}

/// What a call on a bucket that is full again at `full_at` would do: the bucket after it, or how long to wait.
pub(crate) fn call(full_at: i64, now: i64, charge: &Charge<'_>) -> Result<i64, i64> {
    let bucket = charge.bucket;
    let after = full_at.saturating_add(bucket.interval.saturating_mul(i64::from(bucket.cost)));
    let wait = after - now - bucket.tolerance;
    if wait > 0 { Err(wait) } else { Ok(after) }
}

/// All readings of a request, as its answer tells them.
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
        // Until one more is back; a full bucket gets no more.
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
        // The one that refuses for the longest time; where none does, the one with the fewest requests left.
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

/// Whole seconds, rounded up: who waits for that long has waited long enough.
fn seconds(micros: i64) -> u32 {
    u32::try_from(u64::try_from(micros).unwrap_or(0).div_ceil(1_000_000)).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests;
