//! Whether anybody is being answered on a connection.
//!
//! A connection on which nothing is asked, not to the end of a header, for as long as a header may take is closed: whether it speaks
//! HTTP/1.1, HTTP/2, or has not yet shown which of the two.
//!
//! A request only writes down that it begins and ends. One timer for each connection looks at that when the time could be over: waking
//! the connection at each request would cost more than many a handler.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use tokio::time::Instant;

/// How many requests of a connection are being answered. Cloning shares it.
#[derive(Clone, Debug)]
pub(super) struct Activity(Arc<Counts>);

/// One request that is being answered: over when dropped.
#[derive(Debug)]
pub(super) struct Busy(Arc<Counts>);

/// An answer, or a part of one, that is not with the socket yet: over when dropped.
#[derive(Debug)]
pub(super) struct HandedOver(Arc<Counts>);

#[derive(Debug)]
struct Counts {
    born: Instant,
    now: AtomicUsize,
    handed_over: AtomicUsize,
    /// When the last request ended, in milliseconds of this connection's life, and one more; 0 when none ever began.
    rests_since: AtomicU64,
}

impl Activity {
    pub(super) fn new() -> Self {
        Self(Arc::new(Counts {
            born: Instant::now(),
            now: AtomicUsize::new(0),
            handed_over: AtomicUsize::new(0),
            rests_since: AtomicU64::new(0),
        }))
    }

    /// A request begins.
    pub(super) fn begin(&self) -> Busy {
        self.0.now.fetch_add(1, Ordering::Relaxed);
        self.0.rests_since.fetch_max(1, Ordering::Relaxed);
        Busy(Arc::clone(&self.0))
    }

    /// An answer, or a part of one, may wait for more than room in the socket.
    pub(super) fn hand_over(&self) -> HandedOver {
        self.0.handed_over.fetch_add(1, Ordering::Relaxed);
        HandedOver(Arc::clone(&self.0))
    }

    /// True while there is one.
    pub(super) fn is_handing_over(&self) -> bool {
        self.0.handed_over.load(Ordering::Relaxed) > 0
    }

    /// True when no request ever came.
    pub(super) fn is_untouched(&self) -> bool {
        self.0.rests_since.load(Ordering::Relaxed) == 0
    }

    /// Done once nothing was asked for this long.
    pub(super) async fn idle(&self, time: Duration) {
        let mut rest = time;
        loop {
            tokio::time::sleep(rest).await;
            rest = match self.0.rested() {
                None => time,
                Some(rested) if rested >= time => return,
                Some(rested) => time - rested,
            };
        }
    }
}

impl Counts {
    /// How long nothing has been asked; `None` while something is.
    fn rested(&self) -> Option<Duration> {
        if self.now.load(Ordering::Acquire) > 0 {
            return None;
        }
        let since = self.rests_since.load(Ordering::Relaxed).saturating_sub(1);
        Some(
            self.born
                .elapsed()
                .saturating_sub(Duration::from_millis(since)),
        )
    }
}

impl Busy {
    /// That of its connection.
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
        let life = u64::try_from(self.0.born.elapsed().as_millis()).unwrap_or(u64::MAX - 1);
        self.0.rests_since.fetch_max(life + 1, Ordering::Relaxed);
        self.0.now.fetch_sub(1, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: Duration = Duration::from_secs(10);

    /// How long it takes until the connection counts as idle, when these requests come: each with its begin and its end, in seconds.
    async fn closed_after(requests: &[(u64, u64)]) -> Duration {
        let start = Instant::now();
        let activity = Activity::new();
        for (begin, end) in requests.iter().copied() {
            let activity = activity.clone();
            tokio::spawn(async move {
                tokio::time::sleep_until(start + Duration::from_secs(begin)).await;
                let busy = activity.begin();
                tokio::time::sleep_until(start + Duration::from_secs(end)).await;
                drop(busy);
            });
        }
        activity.idle(LIMIT).await;
        assert_eq!(activity.is_untouched(), requests.is_empty());
        start.elapsed()
    }

    #[tokio::test(start_paused = true)]
    async fn it_is_over_as_long_after_the_last_answer_as_it_may_rest() {
        for (requests, seconds) in [
            (&[][..], 10),
            (&[(0, 1)], 11),
            (&[(9, 12)], 22),
            (&[(1, 35)], 45),
            (&[(1, 5), (4, 9), (18, 19)], 29),
        ] {
            let took = closed_after(requests).await;
            assert!(
                took.abs_diff(Duration::from_secs(seconds)) <= Duration::from_millis(5),
                "{requests:?}: {took:?}"
            );
        }
    }
}
