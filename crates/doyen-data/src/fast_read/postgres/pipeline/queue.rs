//! The queries that were sent on a connection and have no response yet.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard};
use std::task::Poll;
use std::time::{Duration, Instant};

use doyen_core::sync;

/// Minimum time without a response after which a connection counts as stalled. Twice its typical
/// latency is added.
const MIN_STALL: Duration = Duration::from_millis(2);

/// Maximum latency that counts towards the typical latency, so that outliers do not raise it.
const MAX_LATENCY_SAMPLE: Duration = Duration::from_millis(20);

/// The queue of a connection. The server answers in the order in which queries are sent.
pub(super) struct QueryQueue {
    opened_at: Instant,
    pending: Mutex<Pending>,
    /// Time of the last response, in microseconds since `opened_at`.
    last_response: AtomicU64,
    /// Typical latency in microseconds.
    typical_latency: AtomicU32,
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
    /// True if no response arrived for unusually long.
    pub(in crate::fast_read::postgres) stalled: bool,
}

impl QueryQueue {
    pub(super) fn new(opened_at: Instant) -> Self {
        Self {
            opened_at,
            pending: Mutex::default(),
            last_response: AtomicU64::new(0),
            typical_latency: AtomicU32::new(0),
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

    /// Removes a query from the queue and records its latency.
    pub(super) fn finish(&self, number: u64) {
        let now = Instant::now();
        let mut pending = self.pending();
        // Nearly always the first.
        let Some(at) = pending.queue.iter().position(|(known, _)| *known == number) else {
            return;
        };
        let sent = pending.queue.remove(at).map_or(now, |(_, sent)| sent);
        drop(pending);
        self.last_response.store(
            micros(now.saturating_duration_since(self.opened_at)),
            Ordering::Relaxed,
        );
        let latency = now.saturating_duration_since(sent).min(MAX_LATENCY_SAMPLE);
        let latency = u32::try_from(latency.as_micros()).unwrap_or(u32::MAX);
        let typical = self.typical_latency.load(Ordering::Relaxed);
        self.typical_latency
            .store(typical - typical / 8 + latency / 8, Ordering::Relaxed);
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
            stalled: self.time_on_oldest(now, *oldest) > self.stall_threshold(),
        }
    }

    /// Returns true if the connection is stalled by a query that was sent before this one. Without
    /// a number, any query counts.
    pub(super) fn is_blocked(&self, number: Option<u64>) -> bool {
        let pending = self.pending();
        pending.queue.front().is_some_and(|(first, sent)| {
            Some(*first) != number
                && self.time_on_oldest(Instant::now(), *sent) > self.stall_threshold()
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

    /// Returns the time without a response after which the connection counts as stalled. It follows
    /// the latency: on a busy machine every connection is slow, and moving all reads to the pool
    /// would make it worse.
    fn stall_threshold(&self) -> Duration {
        let typical = u64::from(self.typical_latency.load(Ordering::Relaxed));
        MIN_STALL + Duration::from_micros(typical) * 2
    }

    fn pending(&self) -> MutexGuard<'_, Pending> {
        sync::lock(&self.pending)
    }
}

fn micros(span: Duration) -> u64 {
    u64::try_from(span.as_micros()).unwrap_or(u64::MAX)
}
