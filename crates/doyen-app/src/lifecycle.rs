//! Background work: what a plugin starts, runs and stops.

use std::fmt;
use std::future::Future;
use std::time::Duration;

use doyen_core::Unexpected;
use doyen_core::inject::{BoxFuture, Container, Context, Inject, Needs};
use tokio_util::sync::CancellationToken;

use crate::SetupError;

/// How a service is stopped. Only a service that has started has one, so that nothing is stopped
/// that was not started.
#[must_use = "the service is stopped with it"]
pub struct Stop(Option<Box<dyn FnOnce() -> BoxFuture<'static, ()> + Send>>);

impl Stop {
    /// There is nothing to stop.
    pub const fn nothing() -> Self {
        Self(None)
    }

    /// Stops with this function. It is called once, after the last request.
    pub fn with<F, Fut>(stop: F) -> Self
    where
        F: FnOnce() -> Fut + Send + 'static,
        Fut: Future<Output = ()> + Send + 'static,
    {
        Self(Some(Box::new(move || Box::pin(stop()))))
    }

    pub(crate) fn into_future(self) -> Option<BoxFuture<'static, ()>> {
        self.0.map(|stop| stop())
    }
}

impl fmt::Debug for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stop").finish_non_exhaustive()
    }
}

/// Tells a task that the application is stopping.
#[derive(Clone, Debug, Default)]
pub struct Shutdown(pub(crate) CancellationToken);

impl Shutdown {
    /// Completes when the application begins to stop.
    pub async fn requested(&self) {
        self.0.cancelled().await;
    }

    /// Returns true once the application is stopping.
    pub fn is_requested(&self) -> bool {
        self.0.is_cancelled()
    }

    /// Waits. Returns false at once when the application begins to stop, so that periodic work is
    /// `while shutdown.sleep(interval).await { .. }`.
    pub async fn sleep(&self, duration: Duration) -> bool {
        tokio::time::timeout(duration, self.requested())
            .await
            .is_err()
    }
}

/// How long a task runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TaskKind {
    /// Until the application stops. Returning earlier is an error that stops the process.
    Forever,
    /// Until it returns `Ok`.
    Once,
}

/// A service that was registered.
pub(crate) struct ServiceEntry {
    pub(crate) plugin: &'static str,
    pub(crate) name: &'static str,
    pub(crate) needs: Needs,
    pub(crate) start: StartFn,
}

type StartFn =
    Box<dyn FnOnce(Context) -> BoxFuture<'static, Result<Stop, SetupError>> + Send + Sync>;

/// A task that was registered.
pub(crate) struct TaskEntry {
    pub(crate) name: &'static str,
    pub(crate) kind: TaskKind,
    pub(crate) needs: Needs,
    pub(crate) run: RunFn,
}

type RunFn =
    Box<dyn Fn(Context, Shutdown) -> BoxFuture<'static, Result<(), Unexpected>> + Send + Sync>;

/// Work to do when the drain begins.
pub(crate) struct DrainEntry {
    pub(crate) name: &'static str,
    pub(crate) needs: Needs,
    pub(crate) run: DrainFn,
}

type DrainFn = Box<dyn FnOnce(Context) -> BoxFuture<'static, Result<(), Unexpected>> + Send + Sync>;

fn needs<T: Inject>() -> Needs {
    let mut needs = Needs::default();
    needs.add::<T>();
    needs
}

impl ServiceEntry {
    pub(crate) fn new<T, F, Fut>(plugin: &'static str, name: &'static str, start: F) -> Self
    where
        T: Inject,
        F: FnOnce(T) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<Stop, SetupError>> + Send + 'static,
    {
        Self {
            plugin,
            name,
            needs: needs::<T>(),
            start: Box::new(|cx| {
                Box::pin(async move {
                    let value = cx.get::<T>().await?;
                    start(value).await
                })
            }),
        }
    }
}

/// What the application itself does at start and stop.
impl ServiceEntry {
    pub(crate) fn on_start<T, F, Fut>(owner: &'static str, run: F) -> Self
    where
        T: Inject,
        F: FnOnce(T) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<(), Unexpected>> + Send + 'static,
    {
        Self {
            plugin: owner,
            name: "on_start",
            needs: needs::<T>(),
            start: Box::new(|cx| {
                Box::pin(async move {
                    once(&cx, run).await?;
                    Ok(Stop::nothing())
                })
            }),
        }
    }

    pub(crate) fn on_stop<T, F, Fut>(owner: &'static str, run: F) -> Self
    where
        T: Inject,
        F: FnOnce(T) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<(), Unexpected>> + Send + 'static,
    {
        let stop = |container: Container| async move {
            let cx = container.context();
            if let Err(error) = once(&cx, run).await {
                let error = crate::command::text(&error);
                tracing::error!(error, "a function of `App::on_stop` failed");
            }
            cx.close().await;
        };
        Self {
            plugin: owner,
            name: "on_stop",
            needs: needs::<T>(),
            start: Box::new(|cx| {
                let container = cx.container().clone();
                let stop = Stop::with(move || stop(container));
                Box::pin(std::future::ready(Ok(stop)))
            }),
        }
    }
}

/// Calls a function in a unit of work, which is committed if it succeeds.
async fn once<T, F, Fut>(cx: &Context, run: F) -> Result<(), Unexpected>
where
    T: Inject,
    F: FnOnce(T) -> Fut,
    Fut: Future<Output = Result<(), Unexpected>>,
{
    let done = match cx.get::<T>().await {
        Ok(value) => run(value).await,
        Err(refusal) => Err(crate::command::unexpected(refusal)),
    };
    match done {
        Ok(()) => cx.commit().await.map_err(crate::command::unexpected),
        Err(error) => {
            cx.rollback().await;
            Err(error)
        }
    }
}

impl TaskEntry {
    pub(crate) fn new<T, F, Fut>(name: &'static str, kind: TaskKind, run: F) -> Self
    where
        T: Inject,
        F: Fn(T, Shutdown) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<(), Unexpected>> + Send + 'static,
    {
        let run = std::sync::Arc::new(run);
        Self {
            name,
            kind,
            needs: needs::<T>(),
            run: Box::new(move |cx, shutdown| {
                let run = std::sync::Arc::clone(&run);
                Box::pin(async move {
                    let value = cx.get::<T>().await.map_err(crate::command::unexpected)?;
                    run(value, shutdown).await
                })
            }),
        }
    }
}

impl DrainEntry {
    pub(crate) fn new<T, F, Fut>(name: &'static str, run: F) -> Self
    where
        T: Inject,
        F: FnOnce(T) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<(), Unexpected>> + Send + 'static,
    {
        Self {
            name,
            needs: needs::<T>(),
            run: Box::new(|cx| {
                Box::pin(async move {
                    let value = cx.get::<T>().await.map_err(crate::command::unexpected)?;
                    run(value).await
                })
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_sleep_ends_when_the_application_begins_to_stop() {
        let shutdown = Shutdown::default();
        assert!(shutdown.sleep(Duration::from_secs(60)).await);
        let stop = async {
            tokio::time::sleep(Duration::from_secs(1)).await;
            shutdown.0.cancel();
        };
        let began = tokio::time::Instant::now();
        let (slept, ()) = tokio::join!(shutdown.sleep(Duration::from_secs(60)), stop);
        assert!(!slept && began.elapsed() < Duration::from_secs(2));
        assert!(!shutdown.sleep(Duration::from_secs(60)).await);
    }
}
