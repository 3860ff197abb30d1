//! A manual clock.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use doyen::domain::{Clock, Timestamp};

/// 2026-11-22T08:30:00Z.
const START: i64 = 1_795_336_200_000_000;

/// A clock that stays at 2026-11-22T08:30:00Z until the test moves it. Clones are the same clock.
///
/// ```
/// use std::time::Duration;
/// use doyen::domain::Clock as _;
/// use doyen_test::TestClock;
///
/// let clock = TestClock::new();
/// clock.advance(Duration::from_secs(60));
/// assert_eq!(clock.now().to_string(), "2026-11-22T08:31:00.000000Z");
/// ```
///
/// It is the `dyn Clock` of the application. Timeouts of requests and of the database use the
/// system clock.
#[derive(Clone, Debug)]
pub struct TestClock(Arc<AtomicI64>);

impl TestClock {
    /// Creates a clock at the start time.
    pub fn new() -> Self {
        Self(Arc::new(AtomicI64::new(START)))
    }

    /// Moves it forward.
    pub fn advance(&self, span: Duration) {
        let micros = i64::try_from(span.as_micros()).unwrap_or(i64::MAX);
        self.0.fetch_add(micros, Ordering::SeqCst);
    }

    /// Sets the time, which may be before the current one.
    pub fn set(&self, time: Timestamp) {
        self.0.store(time.micros(), Ordering::SeqCst);
    }
}

impl Default for TestClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.0.load(Ordering::SeqCst))
    }
}
