//! Starting and stopping a checked application.

mod services;
mod tasks;

use std::future::Future;
use std::ops::Deref;
use std::sync::Mutex;
use std::time::Duration;

use doyen_core::Unexpected;
use doyen_core::inject::Inject;
use doyen_core::sync::lock;
use doyen_settings::Loader;

use crate::build::Overrides;
use crate::command::Command;
use crate::fault::{Fault, StartupError};
use crate::lifecycle::DrainEntry;
use crate::{App, Built, Defaults};
pub(crate) use services::STOP_TIMEOUT;
use services::Services;
pub(crate) use tasks::FAMILIES as TASK_FAMILIES;
use tasks::Tasks;

/// An application whose database is connected and whose plugins have started.
///
/// ```no_run
/// use doyen_app::{App, Overrides};
/// use doyen_settings::Loader;
///
/// # async fn run() -> Result<(), doyen_app::StartupError> {
/// let runtime = <App>::new("shop").start(Loader::new("APP"), Overrides::default()).await?;
/// println!("{}", runtime.document());
/// runtime.stop().await;
/// # Ok(()) }
/// ```
pub struct Runtime {
    built: Built,
    services: Mutex<Services>,
    tasks: Mutex<Option<Tasks>>,
    drains: Mutex<Vec<DrainEntry>>,
}

impl std::fmt::Debug for Runtime {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Runtime")
            .field("built", &self.built)
            .finish_non_exhaustive()
    }
}

/// What is started in the background.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Background {
    /// Services and tasks: the application serves.
    All,
    /// Services: a command runs.
    Services,
}

impl Deref for Runtime {
    type Target = Built;

    fn deref(&self) -> &Built {
        &self.built
    }
}

impl<D: Defaults> App<D> {
    /// Starts the application without serving it: for tests, and for programs with a command line
    /// of their own. It passes through all phases: settings, plugins, check, connection, migration,
    /// start.
    ///
    /// # Errors
    ///
    /// Returns what keeps the application from starting, and what to change. What had started is
    /// stopped.
    pub async fn start(
        self,
        loader: Loader,
        overrides: Overrides,
    ) -> Result<Runtime, StartupError> {
        let built = self.build(loader, overrides)?;
        built.connect().await?;
        built.start().await
    }
}

impl Built {
    /// Connects to the database. The schema stays as it is.
    ///
    /// # Errors
    ///
    /// Returns an error if the database is unavailable or the root secret cannot be stored, and in
    /// development and tests if the source has a migration that the program does not contain.
    pub async fn connect(&self) -> Result<(), StartupError> {
        #[cfg(feature = "database")]
        if !self.info.environment.is_prod() {
            self.tables.check_folders()?;
        }
        self.secret.store()?;
        #[cfg(feature = "database")]
        self.database.open().await.map_err(Fault::from_error)?;
        Ok(())
    }

    /// Updates or checks the schema, then starts the plugins in order.
    ///
    /// # Errors
    ///
    /// Returns an error if the schema does not fit or a service does not start within 30 s. What
    /// had started is stopped.
    pub async fn start(self) -> Result<Runtime, StartupError> {
        self.start_until(std::future::pending(), Background::All)
            .await
    }

    /// Starts, unless `interrupt` completes first. What had started is then stopped.
    pub(crate) async fn start_until(
        self,
        interrupt: impl Future<Output = ()>,
        background: Background,
    ) -> Result<Runtime, StartupError> {
        let mut plan = std::mem::take(&mut *lock(&self.plan));
        let mut services = Services::new(self.service.container().clone());
        let starting = async {
            #[cfg(feature = "database")]
            self.migrate().await?;
            services
                .start(plan.services, &plan.order, &self.plugins)
                .await
        };
        let started = tokio::select! {
            started = starting => started,
            () = interrupt => Err(Fault::new("stopped by a signal while it started")),
        };
        if let Err(fault) = started {
            services.stop(STOP_TIMEOUT).await;
            self.close().await;
            return Err(fault.into());
        }
        if background == Background::Services {
            plan.tasks.clear();
        }
        let tasks = Tasks::start(
            plan.tasks,
            self.service.container(),
            &self.health,
            &self.metrics,
        );
        Ok(Runtime {
            built: self,
            services: Mutex::new(services),
            tasks: Mutex::new(Some(tasks)),
            drains: Mutex::new(plan.drains),
        })
    }

    /// Runs a command in a unit of work of its own.
    ///
    /// # Errors
    ///
    /// Returns the error of the command.
    pub async fn run(
        &self,
        command: &Command,
        arguments: Vec<String>,
    ) -> Result<String, Unexpected> {
        let context = self.service.container().context();
        let done = (command.work)(context.clone(), arguments).await;
        context.close().await;
        done
    }

    /// Runs the seed. Processes that start together on one database run it one after another.
    pub(crate) async fn run_seed(
        &self,
        seed: &Command,
        arguments: Vec<String>,
    ) -> Result<String, Unexpected> {
        #[cfg(feature = "database")]
        let lock = self.migrator().lock().await?;
        let done = self.run(seed, arguments).await;
        #[cfg(feature = "database")]
        lock.release().await;
        done
    }

    /// Returns an injected value, as a handler gets it.
    ///
    /// # Errors
    ///
    /// Returns the error of its provider.
    pub async fn get<T: Inject>(&self) -> Result<T, Unexpected> {
        let context = self.service.container().context();
        let value = context.get::<T>().await;
        context.close().await;
        value.map_err(crate::command::unexpected)
    }

    /// Releases the values of the application and closes the database.
    pub async fn close(&self) {
        self.service.container().close().await;
        #[cfg(feature = "database")]
        self.database.close().await;
    }
}

impl Runtime {
    /// Completes with an error if a task has failed for good: the process should then exit.
    pub(crate) async fn failed(&self) -> String {
        let failed = {
            let tasks = lock(&self.tasks);
            tasks.as_ref().map(Tasks::failed)
        };
        match failed {
            Some(failed) => failed.await,
            None => std::future::pending().await,
        }
    }

    /// Calls what plugins do when the drain begins. Each call has `limit`. A program with a server
    /// of its own calls it before its requests end, and [`stop`](Self::stop) after that.
    pub async fn drain(&self, limit: Duration) {
        let drains = std::mem::take(&mut *lock(&self.drains));
        let container = self.service.container();
        let all = drains.into_iter().map(|entry| async move {
            let name = entry.name;
            let context = container.context();
            match tokio::time::timeout(limit, (entry.run)(context.clone())).await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => {
                    let error = crate::command::text(&error);
                    tracing::warn!(name, error, "a plugin could not drain");
                }
                Err(_) => tracing::warn!(name, ?limit, "a plugin did not drain in time"),
            }
            context.close().await;
        });
        futures_util::future::join_all(all).await;
    }

    /// Stops the tasks, then the services in reverse order, and closes the database. It takes at
    /// most 10 s; a service that hangs does not keep the others from stopping. Returns the names of
    /// the services that hang.
    pub async fn stop(&self) -> Vec<String> {
        self.stop_within(STOP_TIMEOUT).await
    }

    /// Stops within this time.
    pub(crate) async fn stop_within(&self, limit: Duration) -> Vec<String> {
        let deadline = tokio::time::Instant::now() + limit;
        let tasks = lock(&self.tasks).take();
        if let Some(tasks) = tasks {
            tasks.stop(limit / 2).await;
        }
        let empty = Services::new(self.service.container().clone());
        let mut services = std::mem::replace(&mut *lock(&self.services), empty);
        let hanging = services
            .stop(deadline.saturating_duration_since(tokio::time::Instant::now()))
            .await;
        self.close().await;
        hanging
    }
}
