//! Wake-ups: workers that wait for rows hear of a commit at once.
//!
//! A worker reads its work from a table. Polling alone is slow or expensive, so the writer names a
//! channel, and after its commit the listeners of this channel are woken:
//!
//! | who | how |
//! | --- | --- |
//! | writer | [`Session::wake`] in the unit of work, or [`Database::wake`] outside of one |
//! | worker | [`Database::wakeups`] once, then [`Wakeups::wait`] in a loop: read rows, then wait |
//!
//! In this process a wake-up is a counter in memory. On PostgreSQL other processes hear of it over
//! `LISTEN`, on one further connection of each process that waits (`database.listen_url`, for a
//! pooler in transaction mode). The notification is sent after the commit, not in the transaction:
//! PostgreSQL commits transactions with a `NOTIFY` one after another.
//!
//! **A wake-up may be lost** (a process is killed, a connection breaks, two processes share a
//! SQLite file), so the wait has a limit, after which the worker polls. It may also come for
//! nothing. It carries no data: the rows are the truth.
//!
//! What is not stored in rows can be sent as a note to all processes of a PostgreSQL database:
//! [`Database::send_note`] and [`Database::notes`]. A note may be lost as well.
//!
//! What bounds it: one counter for each channel, and channels are constants of the program. While a
//! notification is sent, further wake-ups of a channel become one. A note has at most
//! [`MAX_NOTE_BYTES`], and a reader that is too slow gets an error after 1,024.

#[cfg(feature = "postgres")]
mod listen;
mod notes;

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use doyen_core::{Access, sync};
use sea_orm::{ConnectionTrait as _, DbBackend, Statement};
use tokio::sync::watch;

#[cfg(feature = "postgres")]
use crate::DatabaseOptions;
use crate::background::BackgroundTask;
use crate::{Database, Session};

pub use self::notes::{MAX_NOTE_BYTES, Notes};

/// The channel of PostgreSQL. The names of Doyen's channels are in the payload.
const POSTGRES_CHANNEL: &str = "doyen_wake";

/// A subscription to the wake-ups of one channel.
///
/// It remembers a wake-up that comes while nothing waits. A worker reads its rows, then waits; a
/// commit in between ends the wait at once.
///
/// ```no_run
/// use std::time::Duration;
///
/// # async fn work(database: doyen_data::Database, send_all: impl AsyncFn()) {
/// let mut wakeups = database.wakeups("mail");
/// loop {
///     send_all().await;
///     wakeups.wait(Duration::from_secs(5)).await;
/// }
/// # }
/// ```
#[derive(Debug)]
pub struct Wakeups(watch::Receiver<u64>);

impl Wakeups {
    /// Waits for the next wake-up, at most this long. Returns false after the limit.
    pub async fn wait(&mut self, limit: Duration) -> bool {
        matches!(
            tokio::time::timeout(limit, self.0.changed()).await,
            Ok(Ok(()))
        )
    }
}

impl Session {
    /// Wakes the listeners of a channel after the commit, in this process and on PostgreSQL in all
    /// others. After a rollback it does nothing. Calling it often in one unit of work costs one
    /// wake-up.
    pub fn wake(&self, channel: &'static str) {
        let mut channels = sync::lock(self.wakes());
        if !channels.contains(&channel) {
            channels.push(channel);
        }
    }
}

impl Database {
    /// Subscribes to a channel. The first call of a process on PostgreSQL opens the connection that
    /// listens.
    pub fn wakeups(&self, channel: &'static str) -> Wakeups {
        let wake = self.wake_center();
        // First: the connection wakes the channels that it knows.
        let wakeups = Wakeups(wake.shared.sender(channel).subscribe());
        #[cfg(feature = "postgres")]
        if self.backend() == DbBackend::Postgres {
            wake.listen(self.options());
        }
        wakeups
    }

    /// Wakes the listeners of a channel in this process alone: another process has announced a
    /// commit by other means.
    pub fn wake_here(&self, channel: &'static str) {
        let shared = &self.wake_center().shared;
        shared.sender(channel).send_modify(|count| *count += 1);
    }

    /// Wakes the listeners of a channel now, for work that was committed before. It does not wait,
    /// and an error is only logged: the listeners poll.
    pub fn wake(&self, channel: &'static str) {
        let wake = self.wake_center();
        wake.shared.sender(channel).send_modify(|count| *count += 1);
        if self.backend() == DbBackend::Postgres {
            wake.notify(self, channel);
        }
    }
}

/// The wake-ups of one database in one process.
pub(crate) struct WakeCenter {
    shared: Arc<Shared>,
    outgoing: Arc<Mutex<Outgoing>>,
    listener: BackgroundTask,
    #[cfg(feature = "postgres")]
    listens: std::sync::Once,
}

struct Shared {
    /// Identifies this process in notifications, which it also receives itself.
    process: String,
    channels: Mutex<HashMap<&'static str, watch::Sender<u64>>>,
    notes: notes::NoteHub,
}

/// The channels whose notification is not sent yet.
#[derive(Default)]
struct Outgoing {
    waiting: BTreeSet<&'static str>,
    /// True while a task sends them.
    sending: bool,
}

impl WakeCenter {
    pub(crate) fn new() -> Self {
        Self {
            shared: Arc::new(Shared {
                process: uuid::Uuid::new_v4().simple().to_string(),
                channels: Mutex::default(),
                notes: notes::NoteHub::default(),
            }),
            outgoing: Arc::default(),
            listener: BackgroundTask::default(),
            #[cfg(feature = "postgres")]
            listens: std::sync::Once::new(),
        }
    }

    #[cfg(feature = "postgres")]
    fn listen(&self, options: &DatabaseOptions) {
        self.listens.call_once(|| {
            let task = listen::listen(options.clone(), Arc::clone(&self.shared));
            self.listener.start(task);
        });
    }

    /// Sends notifications in the background, one after another.
    fn notify(&self, database: &Database, channel: &'static str) {
        let Ok(runtime) = tokio::runtime::Handle::try_current() else {
            return;
        };
        {
            let mut outgoing = sync::lock(&self.outgoing);
            outgoing.waiting.insert(channel);
            if std::mem::replace(&mut outgoing.sending, true) {
                return;
            }
        }
        let (outgoing, database) = (Arc::clone(&self.outgoing), database.clone());
        let process = self.shared.process.clone();
        runtime.spawn(async move {
            while let Some(channel) = next(&outgoing) {
                let payload = format!("{process} {channel}");
                if let Err(error) = send(&database, payload).await {
                    tracing::debug!(%error, channel, "other processes were not woken; they poll");
                }
            }
        });
    }

    /// Stops listening.
    pub(crate) fn close(&self) {
        self.listener.stop();
    }
}

/// Returns the next channel to notify. Without one the task ends.
fn next(outgoing: &Mutex<Outgoing>) -> Option<&'static str> {
    let mut outgoing = sync::lock(outgoing);
    let next = outgoing.waiting.pop_first();
    outgoing.sending = next.is_some();
    next
}

/// `pg_notify` is allowed in a read-only transaction, so it needs no write.
async fn send(database: &Database, payload: String) -> Result<(), sea_orm::DbErr> {
    let statement = Statement::from_sql_and_values(
        DbBackend::Postgres,
        "SELECT pg_notify($1, $2)",
        [POSTGRES_CHANNEL.into(), payload.into()],
    );
    let session = database.session(Access::Read);
    session.query_one_raw(statement).await.map(drop)
}

impl Shared {
    fn sender(&self, channel: &'static str) -> watch::Sender<u64> {
        let mut channels = sync::lock(&self.channels);
        channels.entry(channel).or_default().clone()
    }

    /// Passes on a note, or wakes the listeners of a channel that another process named.
    #[cfg(feature = "postgres")]
    fn received(&self, payload: &str) {
        let Some((process, channel)) = payload.split_once(' ') else {
            return;
        };
        if let Some((channel, text)) = channel.split_once(' ') {
            self.notes.received(channel, text);
            return;
        }
        if process != self.process
            && let Some(sender) = sync::lock(&self.channels).get(channel)
        {
            sender.send_modify(|count| *count += 1);
        }
    }

    /// Wakes all listeners, now that this process listens: notifications may have been lost.
    #[cfg(feature = "postgres")]
    fn listening(&self) {
        self.notes.set_listening(true);
        for sender in sync::lock(&self.channels).values() {
            sender.send_modify(|count| *count += 1);
        }
    }
}
