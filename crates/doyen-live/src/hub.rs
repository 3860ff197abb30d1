//! The hub: the subscriptions of this process, and the delivery of events to them.

use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, RwLock};
use std::time::Duration;

use doyen_core::event::{EventLog, LogPage, RecordedEvent};
use doyen_core::inject::Container;
use doyen_core::sync::{lock, read, write};
use doyen_core::{Identify, Unexpected};
use doyen_data::Database;
use doyen_web::Drain;
use tokio::sync::{mpsc, watch};

use crate::admission::Admission;
use crate::fanout::Note;
use crate::outlet::{self, Inlet, Outlet, Signal};
use crate::presence::PresenceBook;
use crate::socket::Origins;
use crate::stats::Stats;
use crate::{CloseReason, LiveSettings, Topic};

/// Maximum events that are read from the log at once for all connections.
pub(crate) const PAGE: u32 = 200;

/// Maximum events that are read at once for one connection that resumes.
pub(crate) const RESUME_PAGE: u32 = 50;

/// Maximum time that a new subscription waits for the reader of the log.
const READER_TIMEOUT: Duration = Duration::from_secs(5);

/// The live connections of this process. Injectable as `Arc<Hub>`; handlers use
/// [`Live`](crate::Live).
pub struct Hub {
    pub(crate) settings: LiveSettings,
    pub(crate) origins: Origins,
    pub(crate) database: Database,
    /// Identifies this process to the others.
    pub(crate) node: String,
    pub(crate) admission: Arc<Admission>,
    pub(crate) stats: Stats,
    pub(crate) presence: PresenceBook,
    /// Where notes to the other nodes go, if there is a way.
    pub(crate) outgoing: OnceLock<Outgoing>,
    /// The last position that was announced to the other nodes, or by them.
    pub(crate) announced: AtomicI64,
    pub(crate) identify: OnceLock<Arc<dyn Identify>>,
    topics: Mutex<HashMap<Arc<str>, Subscribers>>,
    next_id: AtomicU64,
    /// The position up to which the events of the log were delivered.
    position: watch::Sender<Option<i64>>,
    parts: RwLock<Option<Parts>>,
}

/// The notes to the other nodes.
pub(crate) struct Outgoing {
    pub(crate) notes: mpsc::Sender<Note>,
    /// True if the other nodes hear of new events and of presence by notes alone. Those of one
    /// PostgreSQL database are woken by it.
    pub(crate) wakes: bool,
}

/// What exists while the application runs.
#[derive(Clone)]
pub(crate) struct Parts {
    pub(crate) container: Container,
    pub(crate) log: Arc<dyn EventLog>,
    pub(crate) drain: Arc<Drain>,
}

/// The subscribers of one topic.
struct Subscribers {
    topic: Topic,
    outlets: Vec<Outlet>,
}

impl std::fmt::Debug for Hub {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Hub")
            .field("node", &self.node)
            .field("connections", &self.admission.total())
            .finish_non_exhaustive()
    }
}

impl Hub {
    pub(crate) fn new(settings: LiveSettings, database: Database) -> Self {
        Self {
            origins: Origins(settings.origins.clone()),
            settings,
            database,
            node: uuid::Uuid::new_v4().simple().to_string(),
            admission: Arc::default(),
            stats: Stats::default(),
            presence: PresenceBook::default(),
            outgoing: OnceLock::new(),
            announced: AtomicI64::new(0),
            identify: OnceLock::new(),
            topics: Mutex::default(),
            next_id: AtomicU64::new(1),
            position: watch::Sender::new(None),
            parts: RwLock::new(None),
        }
    }

    pub(crate) fn start(&self, parts: Parts) {
        *write(&self.parts) = Some(parts);
    }

    /// Lets go of the container, which holds this hub.
    pub(crate) fn stop(&self) {
        *write(&self.parts) = None;
    }

    /// Returns what exists while the application runs.
    pub(crate) fn parts(&self) -> Result<Parts, Unexpected> {
        let parts = read(&self.parts).clone();
        parts.ok_or_else(|| Unexpected::unavailable("live connections have not started"))
    }

    /// Opens the channel of a new connection.
    pub(crate) fn open(&self) -> (Outlet, Inlet) {
        let id = self.next_id.fetch_add(1, Ordering::Relaxed);
        let capacity = usize::try_from(self.settings.buffer).unwrap_or(usize::MAX);
        outlet::channel(id, capacity)
    }

    /// Adds a subscriber. Events that commit afterwards reach it. Returns the position of the
    /// reader of the log: later events are signalled.
    pub(crate) async fn subscribe(
        &self,
        topic: &Topic,
        outlet: &Outlet,
    ) -> Result<i64, Unexpected> {
        {
            let mut topics = lock(&self.topics);
            let name = topic.shared_name();
            let entry = topics.entry(name).or_insert_with(|| Subscribers {
                topic: topic.clone(),
                outlets: Vec::new(),
            });
            entry.outlets.push(outlet.clone());
        }
        // Before it is known from where the reader continues, nothing is promised.
        let mut position = self.position.subscribe();
        let ready = position.wait_for(Option::is_some);
        let ready = tokio::time::timeout(READER_TIMEOUT, ready).await;
        let ready = ready
            .ok()
            .and_then(Result::ok)
            .and_then(|position| *position);
        ready.ok_or_else(|| Unexpected::unavailable("the event log cannot be read"))
    }

    /// Removes a subscriber.
    pub(crate) fn unsubscribe(&self, topic: &str, outlet: &Outlet) {
        let mut topics = lock(&self.topics);
        if let Some(entry) = topics.get_mut(topic) {
            entry.outlets.retain(|other| other.id != outlet.id);
            if entry.outlets.is_empty() {
                topics.remove(topic);
            }
        }
    }

    /// Returns the number of topics with subscribers.
    pub(crate) fn topic_count(&self) -> usize {
        lock(&self.topics).len()
    }

    /// Delivers an event to the subscribers of this process.
    pub(crate) fn deliver(&self, event: RecordedEvent) {
        let position = event.position;
        let event = Arc::new(event);
        {
            let topics = lock(&self.topics);
            let of_aggregate = event.aggregate.as_deref().and_then(|name| topics.get(name));
            let by_pattern = topics
                .values()
                .filter(|entry| entry.topic.pattern().is_some());
            let of_aggregate = of_aggregate.filter(|entry| entry.topic.pattern().is_none());
            for entry in of_aggregate.into_iter().chain(by_pattern) {
                if !entry.topic.has(&event) {
                    continue;
                }
                for outlet in &entry.outlets {
                    self.push(
                        outlet,
                        Signal::Event(entry.topic.shared_name(), Arc::clone(&event)),
                    );
                }
            }
        }
        self.reached(position);
    }

    /// Records the position up to which everything was delivered.
    pub(crate) fn reached(&self, position: i64) {
        self.position.send_replace(Some(position));
    }

    fn push(&self, outlet: &Outlet, signal: Signal) -> bool {
        let is_pushed = outlet.close_reason().is_none() && outlet.push(signal);
        if is_pushed {
            self.stats.delivered();
        }
        is_pushed
    }

    /// Sends a message to the other subscribers of a topic, on all nodes.
    pub(crate) fn broadcast(&self, topic: &Arc<str>, text: &Arc<str>, from: u64) {
        self.broadcast_here(topic, text, Some(from));
        self.tell_nodes(Note::Text {
            node: self.node.clone(),
            topic: topic.to_string(),
            text: text.to_string(),
        });
    }

    /// Sends a note to the other nodes. It never waits: a note that finds no place is lost.
    pub(crate) fn tell_nodes(&self, note: Note) {
        let Some(outgoing) = self.outgoing.get() else {
            return;
        };
        let is_needed = outgoing.wakes || matches!(note, Note::Text { .. });
        if is_needed && outgoing.notes.try_send(note).is_err() {
            tracing::debug!(target: "live", "a note to the other nodes is lost: too many wait");
        }
    }

    /// Sends a message to the subscribers of a topic in this process.
    pub(crate) fn broadcast_here(&self, topic: &Arc<str>, text: &Arc<str>, except: Option<u64>) {
        let topics = lock(&self.topics);
        let Some(entry) = topics.get(topic) else {
            return;
        };
        for outlet in entry
            .outlets
            .iter()
            .filter(|outlet| Some(outlet.id) != except)
        {
            self.push(outlet, Signal::Text(Arc::clone(topic), Arc::clone(text)));
        }
    }

    /// Sends one connection the list of present users. Returns false if its buffer is full.
    pub(crate) fn tell_presence(
        &self,
        outlet: &Outlet,
        topic: &Arc<str>,
        users: &Arc<[String]>,
    ) -> bool {
        let signal = Signal::Presence(Arc::clone(topic), Arc::clone(users));
        self.push(outlet, signal)
    }

    /// Ends every connection, because this node has missed events that are no longer kept.
    pub(crate) fn close_all(&self, reason: CloseReason) {
        let topics = lock(&self.topics);
        for outlet in topics.values().flat_map(|entry| &entry.outlets) {
            outlet.close(reason);
        }
    }

    /// Reads events of a topic from the log.
    pub(crate) async fn history(&self, topic: &Topic, after: i64) -> Result<LogPage, Unexpected> {
        let log = self.parts()?.log;
        match topic.pattern() {
            None => log.after(topic.name(), after, RESUME_PAGE).await,
            Some(pattern) => log.after_topic(pattern, after, RESUME_PAGE).await,
        }
    }

    /// Returns a random time within the window of reconnects.
    pub(crate) fn reconnect_after(&self) -> Duration {
        self.settings.reconnect_spread.mul_f64(random_fraction())
    }
}

/// A number from 0 to 1.
pub(crate) fn random_fraction() -> f64 {
    let mut bytes = [0; 4];
    // Without random bytes all clients reconnect in the middle of the window.
    if getrandom::fill(&mut bytes).is_err() {
        return 0.5;
    }
    f64::from(u32::from_le_bytes(bytes)) / f64::from(u32::MAX)
}
