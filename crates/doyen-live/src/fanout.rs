//! Fan-out: what the processes of an application tell each other at once.
//!
//! The event log and the table of presence are the truth, and every process polls them. A note only
//! saves the wait, and carries the messages that are not stored: typing indicators and the like. A
//! note may be lost.
//!
//! | adapter | notes reach |
//! | --- | --- |
//! | [`LocalFanout`] | the hubs that share it, in one process |
//! | [`PostgresFanout`] | every process with the same PostgreSQL database: the default there |
//! | `RedisFanout` (feature `redis`) | every process with the same Redis: the default with `redis.url` |
//! | `NatsFanout` (feature `nats`) | every process with the same NATS: the default with `nats.url` and without `redis.url` |

mod local;
#[cfg(feature = "nats")]
mod nats;
mod postgres;
#[cfg(feature = "redis")]
mod redis;

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use doyen_app::Shutdown;
use doyen_core::inject::BoxFuture;
use doyen_data::EVENT_LOG_CHANNEL;
use serde::{Deserialize, Serialize};
use tokio::sync::{Mutex, mpsc};

pub use self::local::LocalFanout;
#[cfg(feature = "nats")]
pub use self::nats::NatsFanout;
pub use self::postgres::PostgresFanout;
#[cfg(feature = "redis")]
pub use self::redis::RedisFanout;
use crate::hub::Hub;
use crate::presence::PRESENCE_CHANNEL;

/// Pause before the next attempt to subscribe.
const RETRY_PAUSE: Duration = Duration::from_millis(200);

/// Notes of this process that wait until they are published. Further ones are lost.
pub(crate) const OUTGOING_NOTES: usize = 1024;

/// What one process tells the others.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "t", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Note {
    /// The event log has new events.
    Log {
        /// The process.
        node: String,
        /// The position of the newest.
        position: i64,
    },
    /// Presence has changed.
    Presence {
        /// The process.
        node: String,
    },
    /// A message that is not stored, for the subscribers of a topic.
    Text {
        /// The process.
        node: String,
        /// Name of the topic.
        topic: String,
        /// The message as JSON.
        text: String,
    },
}

impl Note {
    fn node(&self) -> &str {
        match self {
            Self::Log { node, .. } | Self::Presence { node } | Self::Text { node, .. } => node,
        }
    }
}

/// The notes of all processes, as they arrive.
#[async_trait::async_trait]
pub trait Notes: Send {
    /// Returns the next note.
    ///
    /// # Errors
    ///
    /// Returns the reason if the connection is lost. Notes may have been lost too.
    async fn next(&mut self) -> Result<Note, String>;
}

/// Passes notes between processes.
pub trait Fanout: Send + Sync + 'static {
    /// Publishes a note to every subscriber, this process included.
    fn publish<'a>(&'a self, note: &'a Note) -> BoxFuture<'a, Result<(), String>>;

    /// Subscribes. Notes that are published afterwards arrive, in the order of each publisher.
    fn subscribe(&self) -> BoxFuture<'_, Result<Box<dyn Notes>, String>>;
}

/// A fan-out that is used whatever the settings say: an extension point for tests, and for brokers
/// that Doyen has no adapter for.
#[derive(Clone)]
pub struct FanoutOverride(pub Arc<dyn Fanout>);

impl std::fmt::Debug for FanoutOverride {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FanoutOverride").finish_non_exhaustive()
    }
}

/// Publishes the notes of this process, one after another, until the application stops.
pub(crate) async fn publish_all(
    outgoing: Arc<Mutex<mpsc::Receiver<Note>>>,
    fanout: Arc<dyn Fanout>,
    shutdown: Shutdown,
) {
    let mut outgoing = outgoing.lock().await;
    loop {
        let note = tokio::select! {
            note = outgoing.recv() => note,
            () = shutdown.requested() => return,
        };
        let Some(note) = note else {
            return;
        };
        // The others poll, and a message that is not stored is not missed.
        if let Err(error) = fanout.publish(&note).await {
            tracing::debug!(target: "live", error, "a note did not reach the other nodes");
        }
    }
}

/// Follows the notes of the other processes until the application stops.
pub(crate) async fn follow(hub: Arc<Hub>, fanout: Arc<dyn Fanout>, shutdown: Shutdown) {
    while !shutdown.is_requested() {
        let ended = tokio::select! {
            ended = follow_once(&hub, &*fanout) => ended,
            () = shutdown.requested() => return,
        };
        if let Err(error) = ended {
            tracing::debug!(target: "live", error, "the notes of other nodes cannot be read");
        }
        // Notes may have been lost.
        wake(&hub, EVENT_LOG_CHANNEL);
        wake(&hub, PRESENCE_CHANNEL);
        shutdown.sleep(RETRY_PAUSE).await;
    }
}

async fn follow_once(hub: &Hub, fanout: &dyn Fanout) -> Result<(), String> {
    let mut notes = fanout.subscribe().await?;
    loop {
        let note = notes.next().await?;
        if note.node() == hub.node {
            continue;
        }
        match note {
            Note::Log { position, .. } => {
                hub.announced.fetch_max(position, Ordering::Relaxed);
                wake(hub, EVENT_LOG_CHANNEL);
            }
            Note::Presence { .. } => wake(hub, PRESENCE_CHANNEL),
            Note::Text { topic, text, .. } => {
                hub.broadcast_here(&topic.into(), &text.into(), None);
            }
        }
    }
}

/// Wakes the tasks of this process.
fn wake(hub: &Hub, channel: &'static str) {
    hub.database.wake_here(channel);
}
