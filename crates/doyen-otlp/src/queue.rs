//! What waits to be exported.
//!
//! Its memory is bounded by the setting `otlp.queue`. What does not fit is dropped, the newest
//! first, so that a dead collector costs no memory and no time.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use doyen_core::sync::lock;
use opentelemetry_proto::tonic::resource::v1::Resource;
use tokio::sync::Notify;

use crate::counters::{Counters, Loss, Signal};

/// Size of a batch from which it is not filled further, in bytes of memory.
pub(crate) const BATCH_BYTES: usize = 512 << 10;

/// Telemetry of one signal.
pub(crate) trait Item: Send + Sync + Sized + 'static {
    /// The signal.
    const SIGNAL: Signal;
    /// Memory that it uses, in bytes.
    fn bytes(&self) -> usize;
    /// Number of spans or lines.
    fn count(&self) -> u64;
    /// Encodes the request to the collector.
    fn encode(batch: &[Self], resource: &Resource) -> Bytes;
}

#[derive(Debug)]
pub(crate) struct Queue<T> {
    waiting: Mutex<Waiting<T>>,
    max_bytes: usize,
    full_batch: Notify,
    counters: Arc<Counters>,
}

#[derive(Debug)]
struct Waiting<T> {
    items: VecDeque<T>,
    bytes: usize,
}

impl<T: Item> Queue<T> {
    pub(crate) fn new(max_bytes: usize, counters: Arc<Counters>) -> Self {
        Self {
            waiting: Mutex::new(Waiting {
                items: VecDeque::new(),
                bytes: 0,
            }),
            max_bytes,
            full_batch: Notify::new(),
            counters,
        }
    }

    pub(crate) const fn counters(&self) -> &Arc<Counters> {
        &self.counters
    }

    /// Adds an item, or drops it if there is no memory left for it.
    pub(crate) fn push(&self, item: T) {
        let size = item.bytes();
        let mut waiting = lock(&self.waiting);
        let bytes = waiting.bytes + size;
        if bytes > self.max_bytes {
            drop(waiting);
            let count = item.count();
            self.counters.dropped(T::SIGNAL, Loss::QueueFull, count);
            return;
        }
        waiting.bytes = bytes;
        waiting.items.push_back(item);
        drop(waiting);
        self.counters.queued(T::SIGNAL, bytes);
        if bytes >= BATCH_BYTES.min(self.max_bytes / 2) {
            self.full_batch.notify_one();
        }
    }

    /// Takes the oldest items, up to the size of a batch.
    pub(crate) fn take(&self) -> Vec<T> {
        let mut waiting = lock(&self.waiting);
        let (mut batch, mut size) = (Vec::new(), 0);
        while size < BATCH_BYTES
            && let Some(item) = waiting.items.pop_front()
        {
            size += item.bytes();
            batch.push(item);
        }
        waiting.bytes -= size;
        self.counters.queued(T::SIGNAL, waiting.bytes);
        batch
    }

    /// Completes when there is enough for a batch.
    pub(crate) async fn full_batch(&self) {
        self.full_batch.notified().await;
    }

    /// Drops everything. Returns the number of spans or lines.
    pub(crate) fn clear(&self, loss: Loss) -> u64 {
        let mut waiting = lock(&self.waiting);
        let items = std::mem::take(&mut waiting.items);
        waiting.bytes = 0;
        drop(waiting);
        let count = items.iter().map(Item::count).sum();
        self.counters.queued(T::SIGNAL, 0);
        self.counters.dropped(T::SIGNAL, loss, count);
        count
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    impl Item for Vec<u8> {
        const SIGNAL: Signal = Signal::Traces;
        fn bytes(&self) -> usize {
            self.len()
        }
        fn count(&self) -> u64 {
            1
        }
        fn encode(_: &[Self], _: &Resource) -> Bytes {
            Bytes::new()
        }
    }

    #[test]
    fn memory_is_bounded_and_the_newest_is_dropped() {
        let queue = Queue::new(1000, Arc::default());
        for n in 0..100 {
            queue.push(vec![n; 100]);
        }
        let batch = queue.take();
        assert_eq!(
            batch.iter().map(|one| one[0]).collect::<Vec<_>>(),
            [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]
        );
        queue.push(vec![100; 100]);
        assert_eq!(queue.clear(Loss::Stopped), 1);
        assert!(queue.take().is_empty());
    }
}
