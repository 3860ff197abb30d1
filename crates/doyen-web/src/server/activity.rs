//! The activity of a connection: whether a request is being handled.
//!
//! A request only records that it starts and ends. One timer per connection checks the record: to
//! wake the connection for each request would cost more than many handlers.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use tokio::time::Instant;

/// Counts the requests of a connection that are being handled. Cloning shares it.
#[derive(Clone, Debug)]
pub(super) struct Activity(Arc<Counts>);

/// A request that is being handled, until it is dropped.
#[derive(Debug)]
pub(super) struct Busy(Arc<Counts>);

/// A response, or a part of one, that is not written to the socket yet, until it is dropped.
#[derive(Debug)]
pub(super) struct HandedOver(Arc<Counts>);

#[derive(Debug)]
struct Counts {
    opened: Instant,
    current: AtomicUsize,
    handed_over: AtomicUsize,
    /// When the last request ended, in milliseconds since the connection was opened, plus one; 0 if
    /// there was no request.
    idle_since: AtomicU64,
}

impl Activity {
    pub(super) fn new() -> Self {
        Self(Arc::new(Counts {
            opened: Instant::now(),
            current: AtomicUsize::new(0),
            handed_over: AtomicUsize::new(0),
            idle_since: AtomicU64::new(0),
        }))
    }

    /// Records the start of a request.
    pub(super) fn begin(&self) -> Busy {
        self.0.current.fetch_add(1, Ordering::Relaxed);
        self.0.idle_since.fetch_max(1, Ordering::Relaxed);
        Busy(Arc::clone(&self.0))
    }

    /// Records a response, or a part of one, that can wait for more than space in the socket.
    pub(super) fn hand_over(&self) -> HandedOver {
        self.0.handed_over.fetch_add(1, Ordering::Relaxed);
        HandedOver(Arc::clone(&self.0))
    }

    /// True while there is such a response.
    pub(super) fn is_handing_over(&self) -> bool {
        self.0.handed_over.load(Ordering::Relaxed) > 0
    }

    /// True if there was no request yet.
    pub(super) fn is_untouched(&self) -> bool {
        self.0.idle_since.load(Ordering::Relaxed) == 0
    }

    /// Returns how long the connection has been idle, or `None` if a request is being handled.
    pub(super) fn idle_time(&self) -> Option<Duration> {
        self.0.idle_time()
    }

    /// Completes when the connection has been idle for this long. It waits at least that long.
    pub(super) async fn idle(&self, timeout: Duration) {
        let mut wait = timeout;
        loop {
            tokio::time::sleep(wait).await;
            wait = match self.0.idle_time() {
                None => timeout,
                Some(idle) if idle >= timeout => return,
                Some(idle) => timeout - idle,
            };
        }
    }
}

impl Counts {
    /// Returns how long the connection has been idle, or `None` if it is not.
    fn idle_time(&self) -> Option<Duration> {
        if self.current.load(Ordering::Acquire) > 0 {
            return None;
        }
        let since = self.idle_since.load(Ordering::Relaxed).saturating_sub(1);
        Some(
            self.opened
                .elapsed()
                .saturating_sub(Duration::from_millis(since)),
        )
    }
}

impl Busy {
    /// Records that something else keeps the connection busy too.
    pub(super) fn again(&self) -> Self {
        self.activity().begin()
    }

    /// Returns the activity of the connection.
    pub(super) fn activity(&self) -> Activity {
        Activity(Arc::clone(&self.0))
    }
}

impl Drop for HandedOver {
    fn drop(&mut self) {
        self.0.handed_over.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        let age = u64::try_from(self.0.opened.elapsed().as_millis()).unwrap_or(u64::MAX - 1);
        self.0.idle_since.fetch_max(age + 1, Ordering::Relaxed);
        self.0.current.fetch_sub(1, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TIMEOUT: Duration = Duration::from_secs(10);

    /// Returns when a connection with these requests becomes idle. Each has a start and an end in
    /// seconds.
    async fn closed_after(requests: &[(u64, u64)]) -> Duration {
        let start = Instant::now();
        let activity = Activity::new();
        for (start_at, end_at) in requests.iter().copied() {
            let activity = activity.clone();
            tokio::spawn(async move {
                tokio::time::sleep_until(start + Duration::from_secs(start_at)).await;
                let busy = activity.begin();
                tokio::time::sleep_until(start + Duration::from_secs(end_at)).await;
                drop(busy);
            });
        }
        activity.idle(TIMEOUT).await;
        assert_eq!(activity.is_untouched(), requests.is_empty());
        start.elapsed()
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_becomes_idle_after_its_last_response() {
        for (requests, seconds) in [
            (&[][..], 10),
            (&[(0, 1)], 11),
            (&[(9, 12)], 22),
            (&[(1, 35)], 45),
            (&[(1, 5), (4, 9), (18, 19)], 29),
        ] {
            let elapsed = closed_after(requests).await;
            assert!(
                elapsed.abs_diff(Duration::from_secs(seconds)) <= Duration::from_millis(5),
                "{requests:?}: {elapsed:?}"
            );
        }
    }
}
