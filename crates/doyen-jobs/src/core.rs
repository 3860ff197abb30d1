//! What all parts of the plugin share.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use doyen_core::{Clock, JobHandler, JobId, NewJob, Timestamp, Unexpected, sync};
use doyen_data::Database;
use doyen_data::sea_orm::prelude::Uuid;
use tokio_util::sync::CancellationToken;

use crate::cron::Calendar;
use crate::dispatch::Dispatch;
use crate::figures::Figures;
use crate::settings::{JobSettings, QueueSettings};
use crate::store::Limits;

/// The jobs of an application: its handlers, queues and settings. Injectable as `Arc<JobsCore>`.
pub struct JobsCore {
    pub(crate) database: Database,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) settings: JobSettings,
    handlers: BTreeMap<&'static str, JobHandler>,
    queues: Vec<QueueSettings>,
    pub(crate) calendars: Vec<Calendar>,
    pub(crate) dispatch: Dispatch,
    pub(crate) figures: Figures,
    /// Cancelled when the process begins to stop.
    pub(crate) draining: CancellationToken,
    node: Mutex<Node>,
    failure: Mutex<Option<String>>,
}

/// This process as a worker.
struct Node {
    id: Uuid,
    running: HashMap<JobId, Arc<RunningJob>>,
}

/// A job that this process runs.
#[derive(Debug)]
pub(crate) struct RunningJob {
    pub(crate) queue: String,
    /// Asks the job to end.
    pub(crate) token: CancellationToken,
    /// Its cancellation was requested.
    pub(crate) cancelled: AtomicBool,
    /// Another process may run it: this one must not commit.
    pub(crate) lost: AtomicBool,
}

impl std::fmt::Debug for JobsCore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("JobsCore")
            .field("handlers", &self.handlers.keys())
            .finish_non_exhaustive()
    }
}

impl JobsCore {
    pub(crate) fn new(
        database: Database,
        clock: Arc<dyn Clock>,
        settings: JobSettings,
        handlers: Vec<JobHandler>,
        calendars: Vec<Calendar>,
        dispatch: Dispatch,
    ) -> Self {
        let mut queues = settings.queues.clone();
        for handler in &handlers {
            if !queues.iter().any(|queue| queue.name == handler.queue) {
                queues.push(QueueSettings {
                    name: handler.queue.to_owned(),
                    concurrency: settings.concurrency,
                    total: None,
                    rate: None,
                });
            }
        }
        Self {
            database,
            clock,
            settings,
            handlers: handlers
                .into_iter()
                .map(|handler| (handler.name, handler))
                .collect(),
            queues,
            calendars,
            dispatch,
            figures: Figures::default(),
            draining: CancellationToken::new(),
            node: Mutex::new(Node {
                id: Uuid::nil(),
                running: HashMap::new(),
            }),
            failure: Mutex::default(),
        }
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub(crate) fn queues(&self) -> &[QueueSettings] {
        &self.queues
    }

    pub(crate) fn handler(&self, name: &str) -> Option<&JobHandler> {
        self.handlers.get(name)
    }

    /// Returns the names of all kinds of jobs, as a list of SQL literals. A process claims only
    /// jobs that it can run: during a deployment, older ones do not know all.
    pub(crate) fn names(&self) -> String {
        let mut literals: Vec<String> = Vec::new();
        for name in self.handlers.keys() {
            literals.push(format!("'{}'", name.replace('\'', "''")));
        }
        // An empty list is no SQL.
        if literals.is_empty() {
            literals.push("NULL".to_owned());
        }
        literals.join(", ")
    }

    pub(crate) fn limits(&self) -> Limits {
        Limits {
            max_payload: self.settings.max_payload.bytes(),
        }
    }

    /// Refuses a job that nothing would ever run.
    pub(crate) fn check(&self, job: &NewJob) -> Result<(), Unexpected> {
        let NewJob { name, queue, .. } = job;
        if !self.handlers.contains_key(name.as_str()) {
            return Err(Unexpected::new(format!(
                "no handler is registered for the job `{name}`: add it with `Module::job`"
            )));
        }
        if !self.queues.iter().any(|known| known.name == *queue) {
            return Err(Unexpected::new(format!(
                "the queue `{queue}` is not known: add it to `jobs.queues`, or use it as the `QUEUE` of a job"
            )));
        }
        Ok(())
    }
}

/// The process as a worker.
impl JobsCore {
    pub(crate) fn node(&self) -> Uuid {
        sync::lock(&self.node).id
    }

    /// Becomes another node: the jobs of the former one belong to others.
    pub(crate) async fn become_node(&self) -> Result<(), Unexpected> {
        let id = Uuid::now_v7();
        // First, so that the heartbeat finds the row of each id it sees.
        crate::store::register(&self.database, id, self.now()).await?;
        let former = {
            let mut node = sync::lock(&self.node);
            for job in node.running.values() {
                job.lost.store(true, Ordering::SeqCst);
                job.token.cancel();
            }
            std::mem::replace(&mut node.id, id)
        };
        if former.is_nil() {
            return Ok(());
        }
        crate::store::leave(&self.database, former).await
    }

    /// Adds a job to the running ones, until the guard is dropped.
    pub(crate) fn start(self: &Arc<Self>, id: JobId, queue: &str) -> RunningGuard {
        let job = Arc::new(RunningJob {
            queue: queue.to_owned(),
            token: self.draining.child_token(),
            cancelled: AtomicBool::new(false),
            lost: AtomicBool::new(false),
        });
        sync::lock(&self.node).running.insert(id, Arc::clone(&job));
        RunningGuard {
            core: Arc::clone(self),
            id,
            job,
        }
    }

    /// Returns the number of jobs of a queue that this process runs.
    pub(crate) fn running(&self, queue: &str) -> usize {
        let node = sync::lock(&self.node);
        node.running
            .values()
            .filter(|job| job.queue == queue)
            .count()
    }

    /// Returns true if another job of any queue may start.
    pub(crate) fn has_place(&self) -> bool {
        let is_free =
            |queue: &QueueSettings| self.running(&queue.name) < queue.concurrency as usize;
        self.queues.iter().any(is_free)
    }

    pub(crate) fn is_idle(&self) -> bool {
        sync::lock(&self.node).running.is_empty()
    }

    /// Asks running jobs to end whose cancellation was requested.
    pub(crate) fn request_cancel(&self, ids: &[JobId]) {
        let node = sync::lock(&self.node);
        for job in ids.iter().filter_map(|id| node.running.get(id)) {
            job.cancelled.store(true, Ordering::SeqCst);
            job.token.cancel();
        }
    }

    /// Notes why the work stands still, for the health check; `None` when it continues.
    pub(crate) fn note(&self, failure: Option<String>) {
        *sync::lock(&self.failure) = failure;
    }

    pub(crate) fn check_health(&self) -> Result<(), String> {
        sync::lock(&self.failure).clone().map_or(Ok(()), Err)
    }
}

/// A job among the running ones.
#[derive(Debug)]
pub(crate) struct RunningGuard {
    core: Arc<JobsCore>,
    id: JobId,
    pub(crate) job: Arc<RunningJob>,
}

impl Drop for RunningGuard {
    fn drop(&mut self) {
        sync::lock(&self.core.node).running.remove(&self.id);
    }
}
