//! What the wire of a connection, the connection itself and the service tell each other.

use std::io;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::Poll;

use super::Refused;

/// Shared by all three.
#[derive(Debug, Default)]
pub(super) struct Flow {
    written: AtomicU64,
    stalled: AtomicBool,
    /// How many requests the service has seen.
    asked: AtomicU64,
    /// Which request is not one, and why.
    refused: OnceLock<(u64, Refused)>,
    midway: AtomicBool,
    expired: AtomicBool,
    closing: AtomicBool,
}

impl Flow {
    /// Bytes that the socket took so far.
    pub(super) fn written(&self) -> u64 {
        self.written.load(Ordering::Relaxed)
    }

    /// True while bytes wait for the client to read.
    pub(super) fn is_stalled(&self) -> bool {
        self.stalled.load(Ordering::Relaxed)
    }

    /// Bytes were offered to the socket.
    pub(super) fn note(&self, result: &Poll<io::Result<usize>>) {
        match result {
            Poll::Ready(Ok(bytes)) => {
                self.written.fetch_add(*bytes as u64, Ordering::Relaxed);
                self.stalled.store(false, Ordering::Relaxed);
            }
            Poll::Ready(Err(_)) => self.stalled.store(false, Ordering::Relaxed),
            Poll::Pending => self.stalled.store(true, Ordering::Relaxed),
        }
    }

    /// The request after so many others is refused.
    pub(super) fn refuse(&self, after: u64, refused: Refused) {
        // There is one at most: nothing is read after it.
        let _ = self.refused.set((after, refused));
    }

    /// The next request has come to the service: why it is refused, if it is.
    pub(super) fn ask(&self) -> Option<Refused> {
        let number = self.asked.fetch_add(1, Ordering::Relaxed);
        let (after, refused) = self.refused.get()?;
        (*after == number).then_some(*refused)
    }

    /// Whether the begin of a head is there and the rest is not.
    pub(super) fn set_midway(&self, midway: bool) {
        self.midway.store(midway, Ordering::Relaxed);
    }

    /// True while the rest of a head is waited for.
    pub(super) fn is_midway(&self) -> bool {
        self.midway.load(Ordering::Relaxed)
    }

    /// The rest of that head is too late. The connection is to be polled after this.
    pub(super) fn expire(&self) {
        self.expired.store(true, Ordering::Relaxed);
    }

    pub(super) fn is_expired(&self) -> bool {
        self.expired.load(Ordering::Relaxed)
    }

    /// The next answer is the last.
    pub(super) fn close(&self) {
        self.closing.store(true, Ordering::Relaxed);
    }

    pub(super) fn is_closing(&self) -> bool {
        self.closing.load(Ordering::Relaxed)
    }
}
