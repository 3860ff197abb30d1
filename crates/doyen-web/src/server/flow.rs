//! State shared by the socket of a connection, the connection and the service.

use std::io;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock};
use std::task::Poll;
use std::time::Duration;

use doyen_core::sync::lock;
use tokio::time::Instant;

use crate::budget::Charge;
use crate::rejected_head::RejectedHead;

/// The state of one connection.
#[derive(Debug)]
pub(super) struct Flow {
    opened: Instant,
    written: AtomicU64,
    /// As far as it is known: it is looked up only while the socket accepts no more bytes.
    acknowledged: AtomicU64,
    stalled: AtomicBool,
    /// Number of requests that the service has received.
    requests: AtomicU64,
    /// The number of the rejected request, and why it is rejected.
    rejected: OnceLock<(u64, RejectedHead)>,
    /// When the incomplete head began, in milliseconds since the connection was opened, plus one; 0
    /// if there is none.
    midway_since: AtomicU64,
    expired: AtomicBool,
    closing: AtomicBool,
    leaving: AtomicBool,
    /// Bytes of HTTP/1.1 responses that are not known to be written.
    unflushed: AtomicUsize,
    /// Charges of HTTP/2 responses without a body that are not known to be written.
    unsent: Mutex<Vec<Charge>>,
    has_unsent: AtomicBool,
}

impl Flow {
    pub(super) fn new() -> Self {
        Self {
            opened: Instant::now(),
            written: AtomicU64::default(),
            acknowledged: AtomicU64::default(),
            stalled: AtomicBool::default(),
            requests: AtomicU64::default(),
            rejected: OnceLock::default(),
            midway_since: AtomicU64::default(),
            expired: AtomicBool::default(),
            closing: AtomicBool::default(),
            leaving: AtomicBool::default(),
            unflushed: AtomicUsize::default(),
            unsent: Mutex::default(),
            has_unsent: AtomicBool::default(),
        }
    }

    /// Returns the bytes that the socket has accepted so far.
    pub(super) fn written(&self) -> u64 {
        self.written.load(Ordering::Relaxed)
    }

    /// True while the socket accepts no more bytes.
    pub(super) fn is_stalled(&self) -> bool {
        self.stalled.load(Ordering::Relaxed)
    }

    /// Records whether the socket accepts no more bytes, or the client has not received all.
    pub(super) fn set_stalled(&self, stalled: bool) {
        self.stalled.store(stalled, Ordering::Relaxed);
    }

    /// Records the bytes that the client has acknowledged so far.
    pub(super) fn acknowledge(&self, bytes: u64) {
        self.acknowledged.fetch_max(bytes, Ordering::Relaxed);
    }

    /// Returns a number that grows by each byte that the socket accepts, and while it accepts none,
    /// by each that the client acknowledges.
    pub(super) fn progress(&self) -> u64 {
        let acknowledged = self.acknowledged.load(Ordering::Relaxed);
        self.written().wrapping_add(acknowledged)
    }

    /// Records a write to the socket.
    pub(super) fn note(&self, result: &Poll<io::Result<usize>>) {
        match result {
            Poll::Ready(Ok(bytes)) => {
                self.written.fetch_add(*bytes as u64, Ordering::Relaxed);
                // Only the task of the connection changes it.
                let unflushed = self.unflushed();
                if unflushed > 0 {
                    let rest = unflushed.saturating_sub(*bytes);
                    self.unflushed.store(rest, Ordering::Relaxed);
                }
                self.stalled.store(false, Ordering::Relaxed);
            }
            Poll::Ready(Err(_)) => self.stalled.store(false, Ordering::Relaxed),
            Poll::Pending => self.stalled.store(true, Ordering::Relaxed),
        }
    }

    /// Records a response over HTTP/1.1, or a part of one, that is about to be written.
    pub(super) fn hand_over(&self, bytes: usize) {
        let unflushed = self.unflushed().saturating_add(bytes);
        self.unflushed.store(unflushed, Ordering::Relaxed);
    }

    /// Records that at least this many bytes wait in the session of the socket.
    pub(super) fn hold(&self, bytes: usize) {
        if bytes > self.unflushed() {
            self.unflushed.store(bytes, Ordering::Relaxed);
        }
    }

    /// Returns the bytes of responses that the socket may not have accepted yet.
    pub(super) fn unflushed(&self) -> usize {
        self.unflushed.load(Ordering::Relaxed)
    }

    /// Keeps the charge of a response that has no body until everything is written.
    pub(super) fn keep_until_sent(&self, charge: Charge) {
        let mut unsent = lock(&self.unsent);
        unsent.push(charge);
        self.has_unsent.store(true, Ordering::Release);
    }

    /// Records that everything is written.
    pub(super) fn flushed(&self) {
        if self.is_stalled() {
            self.set_stalled(false);
        }
        if self.unflushed() > 0 {
            self.unflushed.store(0, Ordering::Relaxed);
        }
        if self.has_unsent.load(Ordering::Acquire) {
            let mut unsent = lock(&self.unsent);
            self.has_unsent.store(false, Ordering::Release);
            unsent.clear();
        }
    }

    /// Rejects the request with this number; the first is 0.
    pub(super) fn reject(&self, number: u64, why: RejectedHead) {
        // Only one can be rejected: nothing is read after it.
        let _ = self.rejected.set((number, why));
    }

    /// Counts a request that reaches the service. Returns why it is rejected, if it is.
    pub(super) fn next_request(&self) -> Option<RejectedHead> {
        let number = self.requests.fetch_add(1, Ordering::Relaxed);
        let (rejected, why) = self.rejected.get()?;
        (*rejected == number).then_some(*why)
    }

    /// Records whether a head is incomplete.
    pub(super) fn set_midway(&self, midway: bool) {
        if midway == self.is_midway() {
            return;
        }
        let age = u64::try_from(self.opened.elapsed().as_millis()).unwrap_or(u64::MAX - 1);
        let since = if midway { age + 1 } else { 0 };
        self.midway_since.store(since, Ordering::Relaxed);
    }

    /// True while a head is incomplete.
    pub(super) fn is_midway(&self) -> bool {
        self.midway_since.load(Ordering::Relaxed) > 0
    }

    /// Returns how long a head has been incomplete.
    pub(super) fn midway_time(&self) -> Option<Duration> {
        let since = self.midway_since.load(Ordering::Relaxed).checked_sub(1)?;
        let age = self.opened.elapsed();
        Some(age.saturating_sub(Duration::from_millis(since)))
    }

    /// Records that the incomplete head is too late. The connection must be polled afterwards.
    pub(super) fn expire(&self) {
        self.expired.store(true, Ordering::Relaxed);
    }

    /// True if the incomplete head is too late.
    pub(super) fn is_expired(&self) -> bool {
        self.expired.load(Ordering::Relaxed)
    }

    /// Records that the next response is the last.
    pub(super) fn close(&self) {
        self.closing.store(true, Ordering::Relaxed);
    }

    /// True if the next response is the last.
    pub(super) fn is_closing(&self) -> bool {
        self.closing.load(Ordering::Relaxed)
    }

    /// Closes the connection unless the client has sent something. The connection must be idle, and
    /// be polled afterwards.
    pub(super) fn leave(&self) {
        self.leaving.store(true, Ordering::Relaxed);
    }

    /// True if the connection closes unless the client has sent something.
    pub(super) fn is_leaving(&self) -> bool {
        self.leaving.load(Ordering::Relaxed)
    }

    /// Records that the client has sent something: its response is the last.
    pub(super) fn stay(&self) {
        self.leaving.store(false, Ordering::Relaxed);
        self.close();
    }
}
