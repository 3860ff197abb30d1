//! A background task that writes values to the database in batches.

use std::future::Future;
use std::sync::OnceLock;

use tokio::sync::{mpsc, oneshot};

/// Maximum number of values that wait to be written.
const QUEUE_CAPACITY: usize = 4_096;

/// Writes batches of values. Errors are its own to log.
pub(crate) trait BatchSink: Clone + Send + Sync + 'static {
    /// One value.
    type Item: Send + 'static;
    /// Maximum number of values and flushes in one batch.
    const MAX_BATCH: usize;

    /// Writes one batch. It is empty if only a flush was requested.
    fn write(&mut self, batch: Vec<Self::Item>) -> impl Future<Output = ()> + Send;
}

/// Hands values to a task that writes them. The task starts with the first value.
pub(crate) struct BatchWriter<S: BatchSink> {
    sink: S,
    sender: OnceLock<mpsc::Sender<Message<S::Item>>>,
}

enum Message<T> {
    Write(T),
    Flush(oneshot::Sender<()>),
}

impl<S: BatchSink> BatchWriter<S> {
    pub(crate) const fn new(sink: S) -> Self {
        Self {
            sink,
            sender: OnceLock::new(),
        }
    }

    /// Queues a value. Returns false if the queue is full and the value is lost.
    pub(crate) fn write(&self, value: S::Item) -> bool {
        let sender = self.sender.get_or_init(|| {
            let (sender, messages) = mpsc::channel(QUEUE_CAPACITY);
            tokio::spawn(run(self.sink.clone(), messages));
            sender
        });
        sender.try_send(Message::Write(value)).is_ok()
    }

    /// Waits until every value queued so far is written.
    pub(crate) async fn flush(&self) {
        let Some(sender) = self.sender.get() else {
            return;
        };
        let (done, wait) = oneshot::channel();
        if sender.send(Message::Flush(done)).await.is_ok() {
            // An error means that the task ended with its runtime: nothing is left to wait for.
            let _ = wait.await;
        }
    }
}

async fn run<S: BatchSink>(mut sink: S, mut messages: mpsc::Receiver<Message<S::Item>>) {
    let mut received = Vec::with_capacity(S::MAX_BATCH);
    while messages.recv_many(&mut received, S::MAX_BATCH).await > 0 {
        let mut batch = Vec::with_capacity(received.len());
        let mut flushes = Vec::new();
        for message in received.drain(..) {
            match message {
                Message::Write(value) => batch.push(value),
                Message::Flush(done) => flushes.push(done),
            }
        }
        sink.write(batch).await;
        for done in flushes {
            // The caller of `flush` may be gone.
            let _ = done.send(());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Recorder(Arc<Mutex<Vec<Vec<u32>>>>);

    impl BatchSink for Recorder {
        type Item = u32;
        const MAX_BATCH: usize = 3;

        async fn write(&mut self, batch: Vec<u32>) {
            self.0.lock().unwrap().push(batch);
        }
    }

    #[tokio::test]
    async fn a_flush_waits_for_all_values_before_it_and_batches_are_bounded() {
        let recorder = Recorder::default();
        let writer = BatchWriter::new(recorder.clone());
        writer.flush().await;
        assert!(recorder.0.lock().unwrap().is_empty());
        for value in 0..7 {
            assert!(writer.write(value));
        }
        writer.flush().await;
        assert_eq!(
            *recorder.0.lock().unwrap(),
            [vec![0, 1, 2], vec![3, 4, 5], vec![6]]
        );
    }

    #[tokio::test]
    async fn a_full_queue_drops_values_and_logs_it() {
        let writer = BatchWriter::new(Recorder::default());
        // The task does not run before the first await.
        for value in 0..4_096 {
            assert!(writer.write(value));
        }
        assert!(!writer.write(4_096));
    }
}
