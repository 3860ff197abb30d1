//! Health checks: registered by plugins, run by `/readyz` and by the metrics.

use std::fmt;
use std::future::Future;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use doyen_core::inject::BoxFuture;
use doyen_core::sync::lock;
use futures_util::FutureExt as _;
use futures_util::future::Shared;

/// What a failed health check means for the application.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Impact {
    /// The application cannot serve requests: `/readyz` returns 503.
    Required,
    /// The application serves requests with restrictions: `/readyz` returns 200.
    Degrades,
}

/// The result of one health check.
#[derive(Clone, Debug)]
pub struct HealthStatus {
    /// The name of the check.
    pub name: String,
    /// What a failure means.
    pub impact: Impact,
    /// How long the check took.
    pub latency: Duration,
    /// The reason if the check failed.
    pub error: Option<String>,
}

/// All health checks of the application. Injectable as `Arc<Health>`.
#[derive(Default)]
pub struct Health {
    checks: Mutex<Vec<Arc<Check>>>,
}

/// A run, its duration and its error. Clones wait for the same run.
type Run = Shared<BoxFuture<'static, (Duration, Option<String>)>>;

struct Check {
    name: String,
    impact: Impact,
    limit: Duration,
    run: CheckFn,
    // The run that is in progress: probes that arrive meanwhile wait for it.
    running: Mutex<Option<Run>>,
}

pub(crate) type CheckFn = Box<dyn Fn() -> BoxFuture<'static, Result<(), String>> + Send + Sync>;

impl fmt::Debug for Health {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Health")
            .field("checks", &self.checks().len())
            .finish()
    }
}

impl Health {
    fn checks(&self) -> Vec<Arc<Check>> {
        lock(&self.checks).clone()
    }

    pub(crate) fn add(
        &self,
        name: impl Into<String>,
        impact: Impact,
        limit: Duration,
        run: CheckFn,
    ) {
        let check = Check {
            name: name.into(),
            impact,
            limit,
            run,
            running: Mutex::default(),
        };
        lock(&self.checks).push(Arc::new(check));
    }

    /// Runs all checks at once and returns their results in order of registration. A check that
    /// exceeds its time limit has failed. Of one check, at most one run is in progress: further
    /// callers get its result.
    pub async fn run(&self) -> Vec<HealthStatus> {
        let checks = self.checks();
        futures_util::future::join_all(checks.iter().map(|check| check.run())).await
    }
}

impl Check {
    async fn run(self: &Arc<Self>) -> HealthStatus {
        let (latency, error) = self.shared().await;
        HealthStatus {
            name: self.name.clone(),
            impact: self.impact,
            latency,
            error,
        }
    }

    fn shared(self: &Arc<Self>) -> Run {
        let mut running = lock(&self.running);
        if let Some(run) = running.as_ref().filter(|run| run.peek().is_none()) {
            return run.clone();
        }
        let check = Arc::clone(self);
        // A task of its own: it ends in time although every caller may have gone away.
        let run = tokio::spawn(async move {
            let started = Instant::now();
            let run = async { (check.run)().await };
            let done = std::panic::AssertUnwindSafe(run).catch_unwind();
            let error = match tokio::time::timeout(check.limit, done).await {
                Ok(Ok(Ok(()))) => None,
                Ok(Ok(Err(reason))) => Some(reason),
                Ok(Err(_)) => Some("the check panicked".to_owned()),
                Err(_) => Some(format!("no response within {:?}", check.limit)),
            };
            (started.elapsed(), error)
        });
        let run = async move {
            run.await
                .unwrap_or_else(|_| (Duration::ZERO, Some("the check was cancelled".to_owned())))
        };
        let run: BoxFuture<'static, _> = Box::pin(run);
        let run = run.shared();
        *running = Some(run.clone());
        run
    }
}

/// Wraps a function that checks health.
pub(crate) fn check<F, Fut>(run: F) -> CheckFn
where
    F: Fn() -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<(), String>> + Send + 'static,
{
    Box::new(move || Box::pin(run()))
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[tokio::test]
    async fn a_hung_check_is_run_once_for_fifty_probes_and_fails_in_time() {
        static RUNS: AtomicUsize = AtomicUsize::new(0);
        let health = Health::default();
        health.add(
            "hung",
            Impact::Required,
            Duration::from_millis(100),
            check(|| {
                RUNS.fetch_add(1, Ordering::SeqCst);
                std::future::pending()
            }),
        );
        health.add(
            "fine",
            Impact::Degrades,
            Duration::from_secs(1),
            check(|| async { Ok(()) }),
        );
        let probes = (0..50).map(|_| health.run());
        let all = futures_util::future::join_all(probes).await;
        assert_eq!(RUNS.load(Ordering::SeqCst), 1);
        for probe in all {
            assert_eq!(probe[0].error.as_deref(), Some("no response within 100ms"));
            assert_eq!(probe[1].error, None);
        }
        // The next probe is a new run, not the old result.
        health.run().await;
        assert_eq!(RUNS.load(Ordering::SeqCst), 2);
    }

    #[tokio::test]
    async fn a_check_that_panics_has_failed() {
        let health = Health::default();
        let panics = || -> std::future::Ready<Result<(), String>> { panic!("on purpose") };
        health.add(
            "panics",
            Impact::Required,
            Duration::from_secs(1),
            check(panics),
        );
        let status = health.run().await;
        assert_eq!(status[0].error.as_deref(), Some("the check panicked"));
    }
}
