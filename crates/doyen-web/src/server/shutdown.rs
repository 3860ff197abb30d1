//! The stages of a graceful shutdown, as connections see them.

use tokio::sync::watch;

/// Announces the stages to every connection. Cloning shares it.
#[derive(Clone, Debug)]
pub(super) struct Shutdown {
    stage: watch::Sender<Stage>,
}

/// A stage of the shutdown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Stage {
    Running,
    /// Connections finish the requests that they have.
    Finish,
    /// Connections are closed at once.
    Cut,
}

impl Shutdown {
    pub(super) fn new() -> Self {
        Self {
            stage: watch::Sender::new(Stage::Running),
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
}
