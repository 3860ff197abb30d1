//! When a call is tried again, and how long it waits before.
//!
//! Retries multiply the load of an upstream that is already in trouble. Therefore all calls of a
//! client share a budget: each call pays in a share of a retry, each retry takes a whole one.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use http::{HeaderMap, Method, header};

use crate::ClientSettings;

/// The header that makes any call safe to repeat, if the upstream honours it.
pub(crate) const IDEMPOTENCY_KEY: &str = "idempotency-key";

/// Retries that a client may make before any call has paid in, and the most that are saved.
const RESERVED_RETRIES: u64 = 10;
/// Parts of a retry in which the budget counts: a percentage of a call is one.
const PARTS: u64 = 100;
/// Maximum pause that this side chooses.
const MAX_PAUSE: Duration = Duration::from_secs(10);

/// True if a second try has no further effect (RFC 9110 section 9.2.2), or the upstream recognizes
/// it by its key.
pub(crate) fn is_repeatable(method: &Method, headers: &HeaderMap) -> bool {
    method.is_idempotent() || headers.contains_key(IDEMPOTENCY_KEY)
}

/// The retries that a client may still make.
pub(crate) struct Budget {
    share: u64,
    parts: AtomicU64,
}

impl Budget {
    pub(crate) fn new(percent: u32) -> Self {
        let reserve = match percent {
            0 => 0,
            _ => RESERVED_RETRIES * PARTS,
        };
        Self {
            share: u64::from(percent),
            parts: AtomicU64::new(reserve),
        }
    }

    /// Pays in for one call.
    pub(crate) fn pay_in(&self) {
        let more = |parts: u64| Some((parts + self.share).min(RESERVED_RETRIES * PARTS));
        let (set, get) = (Ordering::Relaxed, Ordering::Relaxed);
        let _ = self.parts.fetch_update(set, get, more);
    }

    /// Takes one retry, if there is one.
    pub(crate) fn take(&self) -> bool {
        let (set, get) = (Ordering::Relaxed, Ordering::Relaxed);
        let less = |parts: u64| parts.checked_sub(PARTS);
        self.parts.fetch_update(set, get, less).is_ok()
    }
}

/// Returns the pause before the try of this number (2 for the first retry): what the upstream asks
/// for, otherwise a random time below a limit that doubles.
pub(crate) fn pause(settings: &ClientSettings, number: u32, asked: Option<Duration>) -> Duration {
    let doublings = number.saturating_sub(2).min(16);
    let limit = settings.retry_pause.saturating_mul(1 << doublings);
    let random = random_below(limit.min(MAX_PAUSE));
    match asked {
        // Not all at the same moment either.
        Some(asked) => asked + random,
        None => random,
    }
}

fn random_below(limit: Duration) -> Duration {
    let mut bytes = [0; 4];
    // Without random bytes the pause is the whole limit.
    let share = match getrandom::fill(&mut bytes) {
        Ok(()) => f64::from(u32::from_le_bytes(bytes)) / f64::from(u32::MAX),
        Err(_) => 1.0,
    };
    limit.mul_f64(share)
}

/// Returns the pause that a response asks for: `Retry-After` in seconds or as a date.
pub(crate) fn asked_pause(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let at = httpdate::parse_http_date(text).ok()?;
    Some(at.duration_since(SystemTime::now()).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_budget_is_a_share_of_the_calls_above_the_reserve() {
        let retries = |percent: u32, calls: u32| {
            let budget = Budget::new(percent);
            let takes = (0..calls).filter(|_| {
                budget.pay_in();
                budget.take()
            });
            takes.count()
        };
        assert_eq!(retries(0, 1_000), 0);
        // The first ten calls use the reserve, and with every tenth call comes one more.
        assert_eq!(retries(10, 1_000), 110 - 1);
        assert_eq!(retries(100, 50), 50);
    }

    #[test]
    fn the_pause_is_random_and_bounded() {
        let settings = ClientSettings::default();
        for number in 2..100 {
            let limit = settings.retry_pause * 2_u32.pow((number - 2).min(7));
            assert!(pause(&settings, number, None) <= limit.min(MAX_PAUSE));
        }
        let asked = Duration::from_secs(7);
        let paused = pause(&settings, 2, Some(asked));
        assert!(paused >= asked && paused <= asked + settings.retry_pause);
        let pauses: Vec<_> = (0..8).map(|_| pause(&settings, 9, None)).collect();
        assert!(pauses.iter().any(|one| *one != pauses[0]));
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let asked = |text: &str| {
            let value = text.parse().unwrap();
            asked_pause(&HeaderMap::from_iter([(header::RETRY_AFTER, value)]))
        };
        assert_eq!(asked("120"), Some(Duration::from_secs(120)));
        assert_eq!(asked("Sun, 06 Nov 1994 08:49:37 GMT"), Some(Duration::ZERO));
        assert_eq!(asked("soon"), None);
        assert_eq!(asked("-1"), None);
    }
}
