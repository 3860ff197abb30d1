//! The loop of a node: it claims jobs while it has free places, and runs each in a task.

mod control;
mod outcome;
mod run;

use std::sync::Arc;
use std::time::Duration;

use doyen_app::Shutdown;
use doyen_core::inject::{Container, Context, Lifetime, Node};
use doyen_core::{Access, Inject, Refusal, Timestamp, Unexpected, chain};
use doyen_data::Session;
use tokio::task::JoinSet;

use crate::store::{self, CHANNEL};
use crate::{JobsCore, cron};

/// Time beyond `jobs.drain` in which jobs are rolled back and handed back.
const HAND_BACK_TIMEOUT: Duration = Duration::from_secs(2);

/// The container, for the contexts of jobs.
#[derive(Clone)]
pub(crate) struct Home(pub(crate) Container);

impl Inject for Home {
    const LIFETIME: Lifetime = Lifetime::Call;

    fn node() -> Node {
        Node::of::<Self>(Vec::new())
    }

    async fn make(cx: &Context) -> Result<Self, Refusal> {
        Ok(Self(cx.container().clone()))
    }
}

/// Runs jobs. The plugin runs one in each process with `jobs.work = true`; a test injects it and
/// calls [`run_due`](Self::run_due).
#[derive(Clone, Inject)]
pub struct Worker {
    core: Arc<JobsCore>,
    home: Home,
}

impl std::fmt::Debug for Worker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Worker").finish_non_exhaustive()
    }
}

impl Worker {
    /// Works until the application stops.
    pub(crate) async fn work(&self, shutdown: &Shutdown) -> Result<(), Unexpected> {
        let core = &self.core;
        core.become_node().await?;
        let mut wakeups = core.database.wakeups(CHANNEL);
        let mut tokens = core.dispatch.subscribe();
        let mut running = JoinSet::new();
        // True if more jobs may wait than were claimed.
        let mut look = true;
        loop {
            let mut wait = core.settings.poll_interval;
            if look && !core.draining.is_cancelled() {
                match self.fill(&mut running).await {
                    Ok(filled) => {
                        core.note(None);
                        look = filled.more;
                        wait = wait.min(filled.wait);
                    }
                    Err(error) => {
                        let error = chain(error.error());
                        tracing::warn!(target: "jobs", error, "jobs cannot be claimed");
                        core.note(Some(error));
                        look = false;
                    }
                }
                if look && wait.is_zero() {
                    continue;
                }
            }
            tokio::select! {
                () = shutdown.requested() => break,
                Some(_) = running.join_next(), if !running.is_empty() => {
                    while running.try_join_next().is_some() {}
                }
                _ = wakeups.wait(wait) => look = true,
                () = tokens.next(), if core.has_place() && !core.draining.is_cancelled() => look = true,
            }
        }
        self.drain(running).await;
        // Without the row, others take over at once what is left.
        store::leave(&core.database, core.node()).await
    }

    /// Claims jobs of all queues up to their concurrency, and starts them.
    async fn fill(&self, running: &mut JoinSet<()>) -> Result<Filled, Unexpected> {
        let core = &self.core;
        let next = store::stage(&core.database, core.now()).await?;
        let mut filled = Filled::until(next, core.now());
        let names = core.names();
        for queue in core.queues() {
            let free = (queue.concurrency as usize).saturating_sub(core.running(&queue.name));
            if free == 0 {
                filled.more = true;
                continue;
            }
            if !store::has_work(&core.database, &queue.name).await? {
                continue;
            }
            let node = core.node();
            let now = core.now();
            let claimed = store::claim(&core.database, queue, &names, node, free, now).await?;
            filled.more |= claimed.len() == free;
            for job in claimed {
                let guard = core.start(job.id, &queue.name);
                let worker = self.clone();
                running.spawn(async move { worker.run(job, node, guard).await });
            }
        }
        Ok(filled)
    }

    /// Lets running jobs end, then waits until the rest is handed back.
    async fn drain(&self, mut running: JoinSet<()>) {
        self.core.draining.cancel();
        let limit = self.core.settings.drain + HAND_BACK_TIMEOUT;
        let ended = async { while running.join_next().await.is_some() {} };
        if tokio::time::timeout(limit, ended).await.is_err() {
            tracing::warn!(target: "jobs", "some jobs did not end: other processes run them again");
        }
    }

    /// Runs what is due now, one job after another, until nothing is left: for tests, with
    /// `jobs.work = false` and a clock that the test moves. Returns the number of attempts.
    ///
    /// # Errors
    ///
    /// Returns an error if the database fails. A job that fails is no error here.
    pub async fn run_due(&self) -> Result<usize, Unexpected> {
        let core = &self.core;
        if core.node().is_nil() {
            core.become_node().await?;
        }
        cron::tick(core).await?;
        let names = core.names();
        let mut attempts = 0;
        loop {
            store::stage(&core.database, core.now()).await?;
            let before = attempts;
            for queue in core.queues() {
                let node = core.node();
                let claimed =
                    store::claim(&core.database, queue, &names, node, 1, core.now()).await?;
                for job in claimed {
                    let guard = core.start(job.id, &queue.name);
                    self.run(job, node, guard).await;
                    attempts += 1;
                }
            }
            if attempts == before {
                return Ok(attempts);
            }
        }
    }

    /// Hands the jobs of dead processes to others, as each heartbeat does.
    ///
    /// # Errors
    ///
    /// Returns an error if the database fails.
    pub async fn rescue(&self) -> Result<u64, Unexpected> {
        let core = &self.core;
        store::rescue(&core.database, core.settings.lease, core.now()).await
    }

    /// Returns the Session of a context, in which the job is marked as done.
    async fn session(cx: &Context) -> Result<Session, Unexpected> {
        let session = cx.get::<Session>().await;
        let session = session.map_err(|refusal| Unexpected::new(refusal.info().title))?;
        debug_assert_eq!(session.access(), Access::Write);
        Ok(session)
    }
}

/// What a look at the queues found.
struct Filled {
    /// More jobs may wait.
    more: bool,
    /// Time until a scheduled job is due.
    wait: Duration,
}

impl Filled {
    fn until(next: Option<Timestamp>, now: Timestamp) -> Self {
        Self {
            more: next.is_some_and(|next| next <= now),
            wait: next.map_or(Duration::MAX, |next| next.since(now)),
        }
    }
}
