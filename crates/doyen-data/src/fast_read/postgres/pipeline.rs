//! A connection on which several reads are pending at a time.

mod prepared;
mod queue;

use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;
use std::time::{Duration, Instant};

use futures_util::TryStreamExt as _;
use sea_orm::Value;
use tokio::task::AbortHandle;
use tokio_postgres::{Client, Error, Row, Statement};

use self::prepared::{Prepared, PreparedStatements};
use self::queue::QueryQueue;
pub(super) use self::queue::QueueState;
use super::connector::Canceller;
use super::values::Parameter;

/// How long an abandoned query may run before it is cancelled. Most end sooner.
const CANCEL_AFTER: Duration = Duration::from_millis(100);

/// Timeout for each step of the cleanup.
pub(super) const CLEANUP_TIMEOUT: Duration = Duration::from_secs(5);

/// How often a waiting read checks whether an earlier query blocks it.
const POLL_INTERVAL: Duration = Duration::from_millis(10);

pub(super) type Rows = Vec<Row>;

type RowsFuture = Pin<Box<dyn Future<Output = Result<Rows, Error>> + Send>>;

/// Why a connection returns no rows.
pub(super) enum PipelineError {
    /// This connection cannot run the query. Nothing is wrong with the query.
    Fallback,
    /// The server did not respond in time.
    Timeout,
    /// The query or the connection failed.
    Failed(Error),
}

pub(super) struct PipelinedConnection {
    client: Client,
    canceller: Canceller,
    task: AbortHandle,
    pub(super) opened_at: Instant,
    prepared: PreparedStatements,
    queue: QueryQueue,
    retired: AtomicBool,
    cancelled: AtomicBool,
}

impl PipelinedConnection {
    pub(super) fn new(client: Client, canceller: Canceller, task: AbortHandle) -> Self {
        let opened_at = Instant::now();
        Self {
            client,
            canceller,
            task,
            opened_at,
            prepared: PreparedStatements::default(),
            queue: QueryQueue::new(opened_at),
            retired: AtomicBool::new(false),
            cancelled: AtomicBool::new(false),
        }
    }

    /// Sends the statement and waits for its rows. With `first`, only the first row is kept.
    pub(super) async fn read(
        self: &Arc<Self>,
        sql: &str,
        values: &[Value],
        first: bool,
        timeout: Duration,
    ) -> Result<Rows, PipelineError> {
        let prepared = self.prepared.entry(sql, values);
        let prepared = prepared.ok_or(PipelineError::Fallback)?;
        let statement = match prepared.statement.get() {
            Some(statement) => statement.clone(),
            None => {
                let preparing = pin!(self.prepare(sql, prepared));
                self.wait(None, timeout, preparing).await??
            }
        };
        let connection = Arc::clone(self);
        let values = values.iter().cloned().map(Parameter).collect();
        let mut query: RowsFuture =
            Box::pin(async move { connection.fetch(statement, values, first).await });
        let (number, sent) = self.queue.send(query.as_mut()).await;
        let mut pending = PendingQuery {
            connection: Arc::clone(self),
            number,
            query: None,
        };
        let rows = match sent {
            Poll::Ready(rows) => rows,
            Poll::Pending => {
                let query = pending.query.insert(query);
                self.wait(Some(number), timeout, query.as_mut()).await?
            }
        };
        pending.query = None;
        rows.map_err(PipelineError::Failed)
    }

    /// Waits for a response until the timeout, or until an earlier query blocks the connection.
    /// Pass no number if nothing was sent yet.
    async fn wait<T>(
        &self,
        number: Option<u64>,
        timeout: Duration,
        mut response: Pin<&mut (impl Future<Output = T> + ?Sized)>,
    ) -> Result<T, PipelineError> {
        let mut waited = Duration::ZERO;
        loop {
            if let Ok(value) = tokio::time::timeout(POLL_INTERVAL, response.as_mut()).await {
                return Ok(value);
            }
            waited += POLL_INTERVAL;
            if waited > timeout {
                return Err(PipelineError::Timeout);
            }
            if self.queue.is_blocked(number) {
                return Err(PipelineError::Fallback);
            }
        }
    }

    async fn fetch(
        &self,
        statement: Statement,
        values: Vec<Parameter>,
        first: bool,
    ) -> Result<Rows, Error> {
        let mut stream = pin!(self.client.query_raw(&statement, values).await?);
        let mut rows = Vec::new();
        while let Some(row) = stream.try_next().await? {
            if !first || rows.is_empty() {
                rows.push(row);
            }
        }
        Ok(rows)
    }

    /// Prepares a statement, once for all reads that need it at the same time.
    async fn prepare(
        self: &Arc<Self>,
        sql: &str,
        prepared: Prepared,
    ) -> Result<Statement, PipelineError> {
        let Prepared { types, statement } = prepared;
        let prepare = async {
            let (connection, sql) = (Arc::clone(self), sql.to_owned());
            // In a task, so that it continues if this read is dropped: others may wait for it.
            let task = tokio::spawn(async move {
                let mut preparing = pin!(connection.client.prepare_typed(&sql, &types));
                let (number, sent) = connection.queue.send(preparing.as_mut()).await;
                let result = match sent {
                    Poll::Ready(result) => result,
                    Poll::Pending => preparing.await,
                };
                connection.queue.finish(number);
                result
            });
            match task.await {
                Ok(result) => result.map_err(PipelineError::Failed),
                Err(_) => Err(PipelineError::Fallback),
            }
        };
        statement.get_or_try_init(|| prepare).await.cloned()
    }

    /// Removes a prepared text, so that its next use prepares it again.
    pub(super) fn forget(&self, sql: &str) {
        self.prepared.remove(sql);
    }

    /// Pings the server. Returns false if it does not respond within a second.
    pub(super) async fn responds(&self) -> bool {
        let ping = tokio::time::timeout(Duration::from_secs(1), self.client.check_connection());
        let responds = matches!(ping.await, Ok(Ok(())));
        if responds {
            self.queue.record_response();
        }
        responds
    }

    pub(super) fn is_closed(&self) -> bool {
        self.client.is_closed()
    }

    pub(super) fn is_usable(&self) -> bool {
        !self.retired.load(Ordering::Relaxed) && !self.client.is_closed()
    }

    pub(super) fn is_idle(&self) -> bool {
        self.queue.is_empty()
    }

    /// Returns true if the connection was not used for longer than this.
    pub(super) fn is_idle_for(&self, span: Duration) -> bool {
        self.queue.is_idle_for(span)
    }

    pub(super) fn queue_state(&self, now: Instant) -> QueueState {
        self.queue.state(now)
    }

    /// Accepts no more reads. The connection closes when its pending queries have ended.
    pub(super) fn retire(&self) {
        self.retired.store(true, Ordering::Relaxed);
    }

    /// Closes the connection at once, whatever runs on it.
    pub(super) fn abort(&self) {
        self.retire();
        self.task.abort();
    }

    pub(super) fn was_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Relaxed)
    }

    /// Waits for the end of an abandoned query, and cancels it if it takes long.
    async fn drain_abandoned(&self, number: u64, mut query: RowsFuture) {
        let mut query = query.as_mut();
        while tokio::time::timeout(CANCEL_AFTER, query.as_mut())
            .await
            .is_err()
        {
            // A cancel request ends whatever the server runs now: send it only if that is this
            // query.
            let running = self.queue.running_for(number);
            if running.is_none_or(|time| time < CANCEL_AFTER) {
                continue;
            }
            self.retire();
            self.cancelled.store(true, Ordering::Relaxed);
            self.canceller.cancel().await;
            if tokio::time::timeout(CLEANUP_TIMEOUT, query.as_mut())
                .await
                .is_err()
            {
                self.abort();
            }
            break;
        }
        self.queue.finish(number);
    }
}

/// A query in the queue. If it is dropped without a response, a task waits for its end.
struct PendingQuery {
    connection: Arc<PipelinedConnection>,
    number: u64,
    /// The query, if its response was not read to the end.
    query: Option<RowsFuture>,
}

impl Drop for PendingQuery {
    fn drop(&mut self) {
        let runtime = tokio::runtime::Handle::try_current();
        match (self.query.take(), runtime) {
            (Some(query), Ok(runtime)) => {
                let (connection, number) = (Arc::clone(&self.connection), self.number);
                drop(runtime.spawn(async move { connection.drain_abandoned(number, query).await }));
            }
            (Some(_), Err(_)) => self.connection.abort(),
            (None, _) => self.connection.queue.finish(self.number),
        }
    }
}
