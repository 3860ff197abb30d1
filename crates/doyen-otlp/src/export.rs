//! The loop that sends batches.
//!
//! One batch is under way at a time. While the collector refuses it, the queue fills and then
//! drops.

use std::sync::Arc;
use std::time::Duration;

use opentelemetry_proto::tonic::resource::v1::Resource;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::collector::{Collector, SendError};
use crate::counters::{Counters, Loss, Signal};
use crate::queue::{Item, Queue};

/// Maximum number of tries of a batch.
const MAX_TRIES: u32 = 4;
/// Pause after the first try. It doubles with each further one.
const RETRY_PAUSE: Duration = Duration::from_millis(500);
const MAX_RETRY_PAUSE: Duration = Duration::from_secs(10);

/// Sends what is in a queue.
pub(crate) struct Exporter<T> {
    pub(crate) queue: Arc<Queue<T>>,
    pub(crate) collector: Arc<Collector>,
    pub(crate) interval: Duration,
    pub(crate) stop_timeout: Duration,
    pub(crate) resource: Resource,
}

impl<T: Item> Exporter<T> {
    /// Sends batches until the application stops, then the rest for a limited time.
    pub(crate) async fn run(self, stop: CancellationToken) {
        let limit = async {
            stop.cancelled().await;
            sleep(self.stop_timeout).await;
        };
        tokio::select! {
            () = self.send_all(&stop) => {}
            () = limit => {}
        }
        self.queue.clear(Loss::Stopped);
    }

    async fn send_all(&self, stop: &CancellationToken) {
        let mut is_failing = false;
        loop {
            tokio::select! {
                () = stop.cancelled() => {}
                () = self.queue.full_batch() => {}
                () = sleep(self.interval) => {}
            }
            loop {
                let batch = self.queue.take();
                if batch.is_empty() {
                    break;
                }
                let result = self.deliver(batch, stop).await;
                report(T::SIGNAL, &result, &mut is_failing);
            }
            if stop.is_cancelled() {
                return;
            }
        }
    }

    /// Sends a batch, with retries while the application serves.
    async fn deliver(&self, batch: Vec<T>, stop: &CancellationToken) -> Result<(), SendError> {
        let mut flight = InFlight {
            counters: self.queue.counters(),
            signal: T::SIGNAL,
            count: batch.iter().map(Item::count).sum(),
            loss: Loss::Stopped,
        };
        let body = T::encode(&batch, &self.resource);
        // What is sent again is the encoded batch.
        drop(batch);
        let mut pause = RETRY_PAUSE;
        for number in 1.. {
            let error = match self.collector.send(T::SIGNAL, body.clone()).await {
                Ok(rejected) => {
                    flight.accepted(rejected);
                    return Ok(());
                }
                Err(error) => error,
            };
            if !error.is_transient || number >= MAX_TRIES || stop.is_cancelled() {
                flight.loss = Loss::Failed;
                return Err(error);
            }
            let wanted = error.retry_after.unwrap_or(pause).min(MAX_RETRY_PAUSE);
            tokio::select! {
                () = stop.cancelled() => {}
                () = sleep(wanted) => {}
            }
            pause *= 2;
        }
        Ok(())
    }
}

/// A batch that is being sent. If it is dropped, the rest of it is counted as lost.
struct InFlight<'a> {
    counters: &'a Counters,
    signal: Signal,
    count: u64,
    loss: Loss,
}

impl InFlight<'_> {
    /// The number is that of the collector, which may be wrong.
    fn accepted(&mut self, rejected: u64) {
        let rejected = rejected.min(self.count);
        self.counters.exported(self.signal, self.count - rejected);
        self.count = rejected;
        self.loss = Loss::Rejected;
    }
}

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.counters.dropped(self.signal, self.loss, self.count);
    }
}

/// Logs when the collector begins to fail, and when it works again.
pub(crate) fn report(signal: Signal, result: &Result<(), SendError>, is_failing: &mut bool) {
    let signal = signal.as_str();
    match result {
        Ok(()) if *is_failing => {
            tracing::info!(target: "otlp", signal, "the collector accepts telemetry again");
        }
        Err(error) if !*is_failing => {
            let reason = &error.reason;
            tracing::warn!(
                target: "otlp",
                signal,
                reason,
                "the collector does not accept telemetry, which is lost (`otlp_dropped_total`); check `otlp.endpoint` and the collector"
            );
        }
        _ => {}
    }
    *is_failing = result.is_err();
}
