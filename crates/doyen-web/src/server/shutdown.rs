//! The stages of a graceful shutdown, as connections see them.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::watch;

/// Announces the stages to every connection. Cloning shares it.
#[derive(Clone, Debug)]
pub(super) struct Shutdown {
    stage: watch::Sender<Stage>,
    cut: Arc<AtomicUsize>,
}

/// A stage of the shutdown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Stage {
    Running,
    /// Responses announce the close of their connections. New connections are accepted.
    Announce,
    /// Connections finish the requests that they have.
    Finish,
    /// Connections are closed at once.
    Cut,
}

impl Shutdown {
    pub(super) fn new() -> Self {
        Self {
            stage: watch::Sender::new(Stage::Running),
            cut: Arc::default(),
        }
    }

    /// Starts a stage.
    pub(super) fn enter(&self, stage: Stage) {
        self.stage.send_replace(stage);
    }

    /// Completes when this stage is reached.
    pub(super) async fn reached(&self, stage: Stage) {
        let mut current = self.stage.subscribe();
        // `self` holds the sender, so it is not closed.
        let _ = current.wait_for(|current| *current >= stage).await;
    }

    /// True if connections are closed at once.
    pub(super) fn is_cut(&self) -> bool {
        *self.stage.borrow() == Stage::Cut
    }

    /// Counts a connection that is closed with work left.
    pub(super) fn count_cut(&self) {
        self.cut.fetch_add(1, Ordering::Relaxed);
    }

    /// Returns the number of connections that were closed with work left.
    pub(super) fn cut(&self) -> usize {
        self.cut.load(Ordering::Relaxed)
    }
}
