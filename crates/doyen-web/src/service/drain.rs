//! The state of a graceful shutdown.

use tokio::sync::watch;

/// Whether the service is shutting down. Injectable as `Arc<Drain>`.
#[derive(Debug, Default)]
pub struct Drain(watch::Sender<bool>);

impl Drain {
    /// Starts the drain: the service still handles requests, but reports that it is not ready.
    pub fn begin(&self) {
        self.0.send_replace(true);
    }

    /// True once the drain has begun.
    pub fn has_begun(&self) -> bool {
        *self.0.borrow()
    }

    /// Completes once the drain has begun: long-lived connections end then.
    pub async fn begun(&self) {
        // `self` holds the sender, so it is not closed.
        let _ = self.0.subscribe().wait_for(|begun| *begun).await;
    }
}
