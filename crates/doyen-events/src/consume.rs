//! Consumes events from the broker: stores each once, as if the application had emitted it.
//!
//! Retries, order, parking and the log are then those of the outbox. One node consumes at a time,
//! so that the order of the broker is kept.

use std::sync::Arc;
use std::time::Duration;

use doyen_app::Shutdown;
use doyen_core::event::{Broker, Received, Subscription, matches};
use doyen_core::sync::lock;
use doyen_core::{Unexpected, chain};
use doyen_data::EVENTS_CHANNEL;

use crate::Inbox;
use crate::metrics::Stats;
use crate::store::{BROKER, Store, manage};

/// Maximum number of messages of one transaction.
const BATCH: usize = 100;

/// Maximum wait for messages, and for the next attempt after an error.
const WAIT: Duration = Duration::from_secs(1);

/// Name and duration of the lease of the node that consumes.
const LEASE: &str = "consume";
const LEASE_MS: i64 = 10_000;

/// Consumes the events of some topics.
pub(crate) struct Consumer {
    pub(crate) store: Store,
    pub(crate) broker: Arc<dyn Broker>,
    pub(crate) group: String,
    pub(crate) topics: Vec<String>,
    pub(crate) stats: Arc<Stats>,
    pub(crate) node: String,
}

impl Consumer {
    /// Consumes until the application stops. Errors of the broker degrade the health.
    pub(crate) async fn run(&self, shutdown: Shutdown) {
        let mut subscription = None;
        loop {
            let result = tokio::select! {
                result = self.step(&mut subscription) => result,
                () = shutdown.requested() => return,
            };
            let error = result.err().map(|error| chain(error.error()));
            let pauses = error.is_some() || subscription.is_none();
            if let Some(error) = &error {
                tracing::warn!(target: "events", error, "events cannot be consumed now");
                subscription = None;
            }
            *lock(&self.stats.consume_error) = error;
            if pauses && !shutdown.sleep(WAIT).await {
                return;
            }
        }
    }

    async fn step(
        &self,
        subscription: &mut Option<Box<dyn Subscription>>,
    ) -> Result<(), Unexpected> {
        if !self.store.lead(LEASE, &self.node, LEASE_MS).await? {
            *subscription = None;
            return Ok(());
        }
        let joined = match subscription {
            Some(joined) => joined,
            None => subscription.insert(self.broker.subscribe(&self.group).await?),
        };
        let messages = joined.fetch(BATCH, WAIT).await?;
        if messages.is_empty() {
            return Ok(());
        }
        self.import(&messages).await?;
        // If this fails, the messages come again, and the inbox knows them.
        joined.acknowledge(&messages).await?;
        Ok(())
    }

    async fn import(&self, messages: &[Received]) -> Result<(), Unexpected> {
        let session = self.store.session();
        let inbox = Inbox::new(session.clone());
        for Received { message, .. } in messages {
            let is_wanted = self
                .topics
                .iter()
                .any(|topic| matches(topic, &message.topic));
            if is_wanted && inbox.once(BROKER, &message.id).await? {
                manage::import(&session, message, self.broker.name()).await?;
            }
        }
        session.wake(EVENTS_CHANNEL);
        session.commit().await
    }
}
