//! Tasks: supervised background work.

use std::collections::VecDeque;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use doyen_core::Unexpected;
use doyen_core::inject::Container;
use doyen_core::sync::lock;
use futures_util::FutureExt as _;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::health::{self, Health};
use crate::lifecycle::TaskEntry;
use crate::{Alert, Family, Impact, Metrics, Shutdown, TaskKind};

/// Pause after the first error; it doubles up to [`MAX_PAUSE`].
const MIN_PAUSE: Duration = Duration::from_secs(1);
const MAX_PAUSE: Duration = Duration::from_secs(60);

/// A run that lasts this long has recovered from earlier errors.
const RECOVERY: Duration = Duration::from_secs(10);

/// This number of panics within [`PANIC_WINDOW`] stop the process.
const MAX_PANICS: usize = 5;
const PANIC_WINDOW: Duration = Duration::from_secs(60);

const RESTARTS: &str = "task_restarts_total";
pub(crate) const FAMILIES: &[Family] = &[Family::counter(
    RESTARTS,
    "Background tasks that were run again after an error or a panic.",
)
.labels(&["task"])
.alerts(&[Alert::warning(
    "TaskRestarts",
    "sum by (job, instance, task) (increase(task_restarts_total{$app}[15m])) > 3",
    "A background task fails again and again. The log has its errors.",
)])];

/// All running tasks.
#[derive(Debug)]
pub(super) struct Tasks {
    shutdown: Shutdown,
    running: JoinSet<()>,
    failed: watch::Receiver<Option<String>>,
}

/// What is known of one task.
#[derive(Debug, Default)]
struct Status {
    restarts: AtomicU64,
    /// The error of the last run, until a run succeeds or lasts.
    error: Mutex<Option<String>>,
}

impl Tasks {
    pub(super) fn start(
        tasks: Vec<TaskEntry>,
        container: &Container,
        health: &Health,
        metrics: &Metrics,
    ) -> Self {
        let shutdown = Shutdown::default();
        let mut running = JoinSet::new();
        let (failing, failed) = watch::channel(None);
        let mut counts = Vec::new();
        for task in tasks {
            let status = Arc::new(Status::default());
            counts.push((task.name, Arc::clone(&status)));
            let checked = Arc::clone(&status);
            let check = health::check(move || {
                let error = lock(&checked.error).clone();
                std::future::ready(error.map_or(Ok(()), Err))
            });
            let name = format!("task {}", task.name);
            health.add(name, Impact::Degrades, Duration::from_secs(1), check);
            let supervisor = Supervisor {
                task,
                container: container.clone(),
                shutdown: shutdown.clone(),
                status,
            };
            let failing = failing.clone();
            running.spawn(async move {
                if let Err(reason) = supervisor.run().await {
                    tracing::error!(reason, "a background task failed for good");
                    failing.send_replace(Some(reason));
                }
            });
        }
        if !counts.is_empty() {
            let collect = move |samples: &mut crate::Samples| {
                for (name, status) in &counts {
                    let restarts = status.restarts.load(Ordering::Relaxed);
                    samples.value(RESTARTS, &[("task", name)], restarts);
                }
            };
            metrics.add("tasks", FAMILIES, Box::new(collect));
        }
        Self {
            shutdown,
            running,
            failed,
        }
    }

    /// Completes with the reason when a task has failed for good.
    pub(super) fn failed(&self) -> impl Future<Output = String> + use<> {
        let mut failed = self.failed.clone();
        async move {
            match failed.wait_for(Option::is_some).await {
                Ok(reason) => reason.clone().unwrap_or_default(),
                Err(_) => std::future::pending().await,
            }
        }
    }

    /// Asks all tasks to end and waits for them; those that do not end in time are cancelled.
    pub(super) async fn stop(mut self, limit: Duration) {
        self.shutdown.0.cancel();
        let ended = async { while self.running.join_next().await.is_some() {} };
        if tokio::time::timeout(limit, ended).await.is_err() {
            let left = self.running.len();
            tracing::error!(left, ?limit, "background tasks did not end in time");
            self.running.shutdown().await;
        }
    }
}

/// Runs one task again and again.
struct Supervisor {
    task: TaskEntry,
    container: Container,
    shutdown: Shutdown,
    status: Arc<Status>,
}

/// How one run ended.
enum Ended {
    Fine,
    Error(Unexpected),
    Panicked,
}

impl Supervisor {
    /// # Errors
    ///
    /// Returns the reason if the process must stop.
    async fn run(self) -> Result<(), String> {
        let TaskEntry { name, kind, .. } = self.task;
        let mut panics = VecDeque::new();
        let mut pause = MIN_PAUSE;
        loop {
            let began = Instant::now();
            let ended = self.once().await;
            if self.shutdown.is_requested() {
                return Ok(());
            }
            let error = match ended {
                Ended::Fine if kind == TaskKind::Once => {
                    self.note(None);
                    return Ok(());
                }
                Ended::Fine => {
                    return Err(format!("task `{name}` ended, and must run forever"));
                }
                Ended::Error(error) => crate::command::text(&error),
                Ended::Panicked => {
                    panics.push_back(Instant::now());
                    panics.retain(|at: &Instant| at.elapsed() < PANIC_WINDOW);
                    if panics.len() >= MAX_PANICS {
                        return Err(format!(
                            "task `{name}` panicked {MAX_PANICS} times within {PANIC_WINDOW:?}"
                        ));
                    }
                    "it panicked".to_owned()
                }
            };
            if began.elapsed() > RECOVERY {
                pause = MIN_PAUSE;
            }
            tracing::warn!(
                task = name,
                error,
                ?pause,
                "a background task failed; it is run again"
            );
            self.note(Some(error));
            self.status.restarts.fetch_add(1, Ordering::Relaxed);
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = self.shutdown.requested() => return Ok(()),
            }
            pause = (pause * 2).min(MAX_PAUSE);
        }
    }

    async fn once(&self) -> Ended {
        let context = self.container.context();
        let run = (self.task.run)(context.clone(), self.shutdown.clone());
        let run = AssertUnwindSafe(run).catch_unwind();
        let recovered = async {
            tokio::time::sleep(RECOVERY).await;
            self.note(None);
            std::future::pending::<()>().await;
        };
        let done = tokio::select! {
            done = run => done,
            () = recovered => Ok(Ok(())),
        };
        context.close().await;
        match done {
            Ok(Ok(())) => Ended::Fine,
            Ok(Err(error)) => Ended::Error(error),
            Err(_) => Ended::Panicked,
        }
    }

    fn note(&self, error: Option<String>) {
        let mut noted = lock(&self.status.error);
        *noted = error;
    }
}

#[cfg(test)]
mod tests;
