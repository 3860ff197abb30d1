//! One task that writes the rows.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use doyen_core::sync;
use doyen_core::{Access, Clock, RequestId, SecurityEvent, Timestamp, Unexpected, current_request};
use doyen_data::Database;
use doyen_data::sea_orm::{ColumnTrait as _, EntityTrait as _, QueryFilter as _};
use tokio::sync::{mpsc, oneshot};

use super::rows;

/// How many events may wait to be written. What comes then is in the log alone.
const ROOM: usize = 4096;
/// How many rows one transaction writes.
const BATCH: usize = 100;
/// How long a row is kept.
const KEPT: Duration = Duration::from_secs(400 * 86_400);
/// How often old rows are looked for.
const PRUNE_EVERY: Duration = Duration::from_secs(3_600);

/// Writes security events: each to the log at once, and to the table in batches. One for an application.
pub struct SecurityWriter {
    clock: Arc<dyn Clock>,
    database: Database,
    sender: OnceLock<mpsc::Sender<Order>>,
    lost: AtomicU64,
    starting: Mutex<()>,
}

enum Order {
    Write(Box<rows::ActiveModel>),
    Flush(oneshot::Sender<()>),
}

impl SecurityWriter {
    /// For this database. The task begins with the first event.
    pub fn new(database: Database, clock: Arc<dyn Clock>) -> Self {
        Self {
            clock,
            database,
            sender: OnceLock::new(),
            lost: AtomicU64::new(0),
            starting: Mutex::new(()),
        }
    }

    /// Writes an event of the request at hand.
    pub fn write(&self, event: SecurityEvent) {
        self.write_of(event, current_request().map(|(id, _)| id));
    }

    /// Writes an event of this request, which may be over.
    pub(super) fn write_of(&self, event: SecurityEvent, request: Option<RequestId>) {
        let request = request.map(|id| id.to_string());
        line(&event, request.as_deref());
        let row = rows::row(event, self.clock.now(), request);
        if self.sender().try_send(Order::Write(Box::new(row))).is_err() {
            // Once for each thousand: the log must not drown in it.
            if self
                .lost
                .fetch_add(1, Ordering::Relaxed)
                .is_multiple_of(1000)
            {
                tracing::warn!(target: "security", "events come faster than they can be kept: some are in this log alone");
            }
        }
    }

    /// Waits until everything written so far is in the table: before the table is read, and before the application ends.
    pub async fn flush(&self) {
        let Some(sender) = self.sender.get() else {
            return;
        };
        let (done, wait) = oneshot::channel();
        if sender.send(Order::Flush(done)).await.is_ok() {
            // The task answers or is gone with its runtime; both mean that there is nothing to wait for.
            let _ = wait.await;
        }
    }

    fn sender(&self) -> &mpsc::Sender<Order> {
        if let Some(sender) = self.sender.get() {
            return sender;
        }
        let _one_at_a_time = sync::lock(&self.starting);
        self.sender.get_or_init(|| {
            let (sender, orders) = mpsc::channel(ROOM);
            tokio::spawn(work(self.database.clone(), Arc::clone(&self.clock), orders));
            sender
        })
    }
}

impl std::fmt::Debug for SecurityWriter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SecurityWriter").finish_non_exhaustive()
    }
}

async fn work(database: Database, clock: Arc<dyn Clock>, mut orders: mpsc::Receiver<Order>) {
    let mut batch = Vec::with_capacity(BATCH);
    let mut pruned: Option<Timestamp> = None;
    while orders.recv_many(&mut batch, BATCH).await > 0 {
        let mut rows = Vec::new();
        let mut waiting = Vec::new();
        for order in batch.drain(..) {
            match order {
                Order::Write(row) => rows.push(*row),
                Order::Flush(done) => waiting.push(done),
            }
        }
        let now = clock.now();
        let old = pruned
            .is_none_or(|last| now.since(last) >= PRUNE_EVERY)
            .then(|| now - KEPT);
        if let Err(error) = keep(&database, rows, old).await {
            tracing::error!(target: "security", error = %error.error(), "events could not be kept: they are in this log alone");
        } else if old.is_some() {
            pruned = Some(now);
        }
        for done in waiting {
            // Nobody waits any more: fine.
            let _ = done.send(());
        }
    }
}

/// Writes rows, and forgets those from before `old`, in one transaction of its own.
async fn keep(
    database: &Database,
    rows: Vec<rows::ActiveModel>,
    old: Option<Timestamp>,
) -> Result<(), Unexpected> {
    if rows.is_empty() && old.is_none() {
        return Ok(());
    }
    let session = database.session(Access::Write);
    if !rows.is_empty() {
        rows::Entity::insert_many(rows)
            .exec_without_returning(&session)
            .await?;
    }
    if let Some(old) = old {
        rows::Entity::delete_many()
            .filter(rows::Column::At.lt(doyen_data::sea_orm::prelude::DateTimeUtc::from(old)))
            .exec(&session)
            .await?;
    }
    session.commit().await
}

/// The line in the log.
fn line(event: &SecurityEvent, request: Option<&str>) {
    let details: Vec<String> = event
        .details
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    tracing::info!(
        target: "security",
        event = event.name,
        subject = event.subject.as_deref(),
        actor = event.actor.as_deref(),
        session = event.session.as_deref(),
        address = event.address.map(tracing::field::display),
        agent = event.agent.as_deref(),
        request_id = request,
        details = details.join(" "),
        "{}",
        event.name
    );
}
