//! A clock that only the test moves.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use doyen::domain::{Clock, Timestamp};

/// 2026-11-22T08:30:00Z.
const START: i64 = 1_795_336_200_000_000;

/// Stands still at 2026-11-22T08:30:00Z until it is moved. Clones are the same clock.
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
/// It is the application's `dyn Clock`. Time-outs of requests and of the database run on the
/// machine's time, as ever.
#[derive(Clone, Debug)]
pub struct TestClock(Arc<AtomicI64>);

impl TestClock {
    /// A new one, at the start.
    pub fn new() -> Self {
        Self(Arc::new(AtomicI64::new(START)))
    }

    /// Moves it forward.
    pub fn advance(&self, span: Duration) {
        let micros = i64::try_from(span.as_micros()).unwrap_or(i64::MAX);
        self.0.fetch_add(micros, Ordering::SeqCst);
    }

    /// Puts it to this time, which may lie before the present one.
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
