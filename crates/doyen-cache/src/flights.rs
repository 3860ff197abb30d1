//! One load at a time for each key in this process.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use doyen_core::cache::CacheKey;
use doyen_core::sync::lock;
use tokio::sync::watch;

use crate::slots::View;

/// How a load ended. A load that was given up has no outcome.
#[derive(Clone, Debug)]
pub(crate) enum Outcome {
    Value(Option<Bytes>),
    Failed,
}

type Receiver = watch::Receiver<Option<Outcome>>;

/// The loads in progress.
#[derive(Default)]
pub(crate) struct Flights {
    running: Mutex<HashMap<CacheKey, Running>>,
    next: AtomicU64,
}

struct Running {
    id: u64,
    view: View,
    receiver: Receiver,
}

/// The load of the caller, or one to wait for.
pub(crate) enum Join {
    Lead(Flight),
    Wait(Receiver),
}

/// A load in progress. Dropped without an outcome, it makes one of those who wait the next leader.
pub(crate) struct Flight {
    flights: Arc<Flights>,
    key: CacheKey,
    id: u64,
    sender: watch::Sender<Option<Outcome>>,
}

impl Flights {
    /// Joins the load of a key. One that began before an invalidation is not joined: it may return
    /// the old value to a client that has just changed it.
    pub(crate) fn join(self: &Arc<Self>, key: &CacheKey, view: &View) -> Join {
        let mut running = lock(&self.running);
        if let Some(found) = running.get(key)
            && found.view == *view
        {
            return Join::Wait(found.receiver.clone());
        }
        let (sender, receiver) = watch::channel(None);
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        let view = view.clone();
        running.insert(key.clone(), Running { id, view, receiver });
        Join::Lead(Flight {
            flights: Arc::clone(self),
            key: key.clone(),
            id,
            sender,
        })
    }
}

impl Flight {
    /// Ends the load. Store the value before, so that a later reader finds it.
    pub(crate) fn finish(self, outcome: Outcome) {
        self.sender.send_replace(Some(outcome));
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        let mut running = lock(&self.flights.running);
        if running
            .get(&self.key)
            .is_some_and(|found| found.id == self.id)
        {
            running.remove(&self.key);
        }
    }
}

/// Waits for a load. Returns `None` if it was given up.
pub(crate) async fn wait(mut receiver: Receiver) -> Option<Outcome> {
    let outcome = receiver.wait_for(Option::is_some).await.ok()?;
    outcome.clone()
}
