//! What is held for one connection.

use std::fmt;
use std::net::IpAddr;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};

use tokio::sync::Notify;

use super::charge::Charge;
use doyen_core::sync::lock;

use super::Budget;

/// A single body counts as at most this fraction of the limit, so that a response which is larger
/// than the whole limit can still be sent.
pub(super) const MAX_SHARE: usize = 4;

/// Reading pauses when the limit is exceeded by this fraction: what closing connections hold is not
/// free yet.
const MAX_EXCESS: usize = 4;

/// What is held for one connection.
pub(crate) struct Account {
    pub(super) budget: Arc<Budget>,
    id: u64,
    pub(super) holder: Holder,
    pub(super) held: Mutex<Held>,
    close: Notify,
}

#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Held {
    bytes: usize,
    /// Those of responses that are not sent yet.
    pub(super) responses: usize,
    is_closing: bool,
}

/// The owner of the memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Holder {
    /// All connections from one network.
    Client(IpAddr),
    /// One connection of a trusted proxy, which forwards for many clients.
    Connection(u64),
}

impl Account {
    pub(super) fn new(budget: Arc<Budget>, id: u64, holder: Holder) -> Self {
        Self {
            budget,
            id,
            holder,
            held: Mutex::default(),
            close: Notify::new(),
        }
    }

    /// Bytes that are held for this connection.
    pub(crate) fn used(&self) -> usize {
        lock(&self.held).bytes
    }

    /// True if so many responses are unread that the connection gets no further ones.
    pub(crate) fn is_full(&self) -> bool {
        lock(&self.held).responses > self.budget.limit / MAX_SHARE
    }

    /// True if this is a client's own connection, not one of a trusted proxy for many clients.
    pub(crate) fn is_direct(&self) -> bool {
        matches!(self.holder, Holder::Client(_))
    }

    /// Charges bytes. If the limit is reached, the client that holds the most is disconnected,
    /// which may be this one.
    pub(crate) fn charge(self: &Arc<Self>, bytes: usize) -> Charge {
        Charge::new(self, bytes)
    }

    /// True while nothing more is to be read from clients.
    pub(crate) fn must_pause(&self) -> bool {
        let limit = self.budget.limit;
        self.budget.used() > limit.saturating_add(limit / MAX_EXCESS)
    }

    /// Completes when the connection is to be closed.
    pub(crate) async fn closed(&self) {
        self.close.notified().await;
    }

    /// True if the connection is being closed.
    pub(crate) fn is_closing(&self) -> bool {
        lock(&self.held).is_closing
    }

    pub(super) fn close(&self) {
        let mut held = lock(&self.held);
        if !std::mem::replace(&mut held.is_closing, true) {
            self.budget.open.fetch_sub(held.bytes, Ordering::Relaxed);
            self.close.notify_one();
        }
    }

    pub(super) fn add(&self, bytes: usize, is_response: bool) {
        let mut held = lock(&self.held);
        held.bytes += bytes;
        held.responses += if is_response { bytes } else { 0 };
        self.budget.used.fetch_add(bytes, Ordering::Relaxed);
        if !held.is_closing {
            self.budget.open.fetch_add(bytes, Ordering::Relaxed);
        }
    }

    pub(super) fn remove(&self, bytes: usize, is_response: bool) {
        let mut held = lock(&self.held);
        held.bytes -= bytes;
        held.responses -= if is_response { bytes } else { 0 };
        self.budget.used.fetch_sub(bytes, Ordering::Relaxed);
        if !held.is_closing {
            self.budget.open.fetch_sub(bytes, Ordering::Relaxed);
        }
    }
}

impl Drop for Account {
    fn drop(&mut self) {
        lock(&self.budget.accounts).remove(&self.id);
    }
}

impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Account")
            .field("holder", &self.holder)
            .field("used", &self.used())
            .finish_non_exhaustive()
    }
}
