//! The queries that were sent on a connection and have no response yet.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard};
use std::task::Poll;
use std::time::{Duration, Instant};

use doyen_core::sync;

/// Time without a response after which a connection counts as stalled. More than the latency of a
/// busy machine, where moving all reads to the pool would make it worse.
const STALLED_AFTER: Duration = Duration::from_millis(20);

/// The queue of a connection. The server answers in the order in which queries are sent.
pub(super) struct QueryQueue {
    opened_at: Instant,
    pending: Mutex<Pending>,
    /// Time of the last response, in microseconds since `opened_at`.
    last_response: AtomicU64,
}

/// Numbers and send times of the queries, the oldest first.
#[derive(Default)]
struct Pending {
    next: u64,
    queue: VecDeque<(u64, Instant)>,
}

/// The load of a connection.
pub(in crate::fast_read::postgres) struct QueueState {
    /// Number of pending queries.
    pub(in crate::fast_read::postgres) depth: usize,
    /// Age of the oldest query.
    pub(in crate::fast_read::postgres) oldest: Duration,
    /// True if no response arrived for [`STALLED_AFTER`].
    pub(in crate::fast_read::postgres) stalled: bool,
}

impl QueryQueue {
    pub(super) fn new(opened_at: Instant) -> Self {
        Self {
            opened_at,
            pending: Mutex::default(),
            last_response: AtomicU64::new(0),
        }
    }

    /// Sends a query, which its first poll does, and adds it to the queue under the same lock: the
    /// order of the queue is the order of sending, also across threads.
    pub(super) async fn send<T>(
        &self,
        mut query: Pin<&mut (impl Future<Output = T> + ?Sized)>,
    ) -> (u64, Poll<T>) {
        std::future::poll_fn(|cx| {
            let mut pending = self.pending();
            let number = pending.next;
            pending.next += 1;
            pending.queue.push_back((number, Instant::now()));
            Poll::Ready((number, query.as_mut().poll(cx)))
        })
        .await
    }

    /// Removes a query from the queue and records the time of its response.
    pub(super) fn finish(&self, number: u64) {
        let mut pending = self.pending();
        // Nearly always the first.
        let Some(at) = pending.queue.iter().position(|(known, _)| *known == number) else {
            return;
        };
        pending.queue.remove(at);
        drop(pending);
        self.record_response();
    }

    /// Records that the server responded just now.
    pub(super) fn record_response(&self) {
        self.last_response
            .store(micros(self.opened_at.elapsed()), Ordering::Relaxed);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.pending().queue.is_empty()
    }

    /// Returns true if the connection was not used for longer than this.
    pub(super) fn is_idle_for(&self, span: Duration) -> bool {
        let last = Duration::from_micros(self.last_response.load(Ordering::Relaxed));
        self.opened_at.elapsed().saturating_sub(last) > span && self.is_empty()
    }

    pub(super) fn state(&self, now: Instant) -> QueueState {
        let pending = self.pending();
        let Some((_, oldest)) = pending.queue.front() else {
            return QueueState {
                depth: 0,
                oldest: Duration::ZERO,
                stalled: false,
            };
        };
        QueueState {
            depth: pending.queue.len(),
            oldest: now.saturating_duration_since(*oldest),
            stalled: self.time_on_oldest(now, *oldest) > STALLED_AFTER,
        }
    }

    /// Returns true if the connection is stalled by a query that was sent before this one. Without
    /// a number, any query counts.
    pub(super) fn is_blocked(&self, number: Option<u64>) -> bool {
        let pending = self.pending();
        pending.queue.front().is_some_and(|(first, sent)| {
            Some(*first) != number && self.time_on_oldest(Instant::now(), *sent) > STALLED_AFTER
        })
    }

    /// Returns how long the server has worked on this query, or `None` while it waits for its turn.
    pub(super) fn running_for(&self, number: u64) -> Option<Duration> {
        let pending = self.pending();
        let (first, sent) = pending.queue.front()?;
        (*first == number).then(|| self.time_on_oldest(Instant::now(), *sent))
    }

    /// Returns how long the server has worked on the oldest query: since it was sent, or since the
    /// response to the query before it.
    fn time_on_oldest(&self, now: Instant, sent: Instant) -> Duration {
        let last_response = Duration::from_micros(self.last_response.load(Ordering::Relaxed));
        now.saturating_duration_since(sent.max(self.opened_at + last_response))
    }

    fn pending(&self) -> MutexGuard<'_, Pending> {
        sync::lock(&self.pending)
    }
}

fn micros(span: Duration) -> u64 {
    u64::try_from(span.as_micros()).unwrap_or(u64::MAX)
}
