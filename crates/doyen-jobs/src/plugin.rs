//! Background jobs as a plugin.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use doyen_app::{Impact, Manifest, Plugin, Registrar, SetupError, Shutdown, TaskKind};
use doyen_core::job::JobQueue;
use doyen_core::{JobHandler, Schedule};

use crate::cron::Calendar;
use crate::dispatch::Dispatch;
use crate::figures::FAMILIES;
use crate::settings::JobSettings;
use crate::{JobsCore, SqlJobs, TABLES, Worker, commands, upkeep};

const HEALTH_TIMEOUT: Duration = Duration::from_secs(1);

/// Time between two looks at the running jobs while the process drains.
const DRAIN_POLL: Duration = Duration::from_millis(20);

/// Background jobs: enqueued in the transaction of a request, run by any process, applied once.
///
/// Handlers are contributed as [`JobHandler`] and schedules as [`Schedule`]. It supplies the port
/// [`JobQueue`], which [`Jobs`](doyen_core::Jobs) uses.
#[derive(Clone, Copy, Debug, Default)]
pub struct JobsPlugin;

impl Plugin for JobsPlugin {
    const NAME: &'static str = "jobs";
    type Settings = JobSettings;

    fn manifest(&self, manifest: &mut Manifest) {
        manifest
            .about("Background jobs, with retries, schedules and dead letters")
            .tables(TABLES);
        commands::declare(manifest);
    }

    fn register(self, settings: JobSettings, app: &mut Registrar<'_>) -> Result<(), SetupError> {
        check(&settings, app);
        app.bind::<dyn JobQueue, SqlJobs>();
        // Plugins and modules contribute handlers: all are known after registration.
        app.finish(|app| {
            wire(settings, app);
            Ok(())
        });
        Ok(())
    }
}

fn check(settings: &JobSettings, app: &mut Registrar<'_>) {
    let mut names = BTreeSet::new();
    for queue in &settings.queues {
        if !names.insert(&queue.name) {
            let message = format!("`{}` occurs twice: remove one", queue.name);
            app.fault(SetupError::setting("jobs.queues", message));
        }
    }
    if settings.lease < settings.poll_interval * 3 {
        let message = "must be at least three times `jobs.poll_interval`, so that a late heartbeat \
                       does not make a process count as dead";
        app.fault(SetupError::setting("jobs.lease", message));
    }
}

fn wire(settings: JobSettings, app: &mut Registrar<'_>) {
    let handlers = handlers(app);
    let works = settings.work;
    let calendars = calendars(app);
    let dispatch = Dispatch::of(settings.dispatch, app);
    let (database, clock) = (app.database(), app.clock());
    let core = JobsCore::new(database, clock, settings, handlers, calendars, dispatch);
    for calendar in &core.calendars {
        if let Err(error) = core.check(&calendar.job()) {
            let (name, error) = (calendar.name(), error.error());
            app.fault(SetupError::new(format!("the schedule `{name}`: {error}")));
        }
    }
    let core = Arc::new(core);
    app.provide(Arc::clone(&core));
    register_operations(&core, app);
    if works {
        register_work(&core, app);
    }
}

/// Returns the handlers of all plugins and modules, one for each name.
fn handlers(app: &mut Registrar<'_>) -> Vec<JobHandler> {
    let mut names = BTreeSet::new();
    let mut handlers = app.contributions::<JobHandler>();
    handlers.retain(|handler| {
        let is_new = names.insert(handler.name);
        if !is_new {
            let name = handler.name;
            app.fault(SetupError::new(format!(
                "two jobs have the name `{name}`: rename one"
            )));
        }
        is_new
    });
    for handler in &handlers {
        app.needs(format!("job {}", handler.name), handler.needs.clone());
    }
    handlers
}

fn calendars(app: &mut Registrar<'_>) -> Vec<Calendar> {
    let mut names = BTreeSet::new();
    let mut calendars = Vec::new();
    for schedule in app.contributions::<Schedule>() {
        let name = schedule.name;
        if !names.insert(name) {
            app.fault(SetupError::new(format!(
                "two schedules have the name `{name}`: rename one"
            )));
            continue;
        }
        match Calendar::new(schedule) {
            Ok(calendar) => calendars.push(calendar),
            Err(message) => app.fault(SetupError::new(message)),
        }
    }
    calendars
}

fn register_operations(core: &Arc<JobsCore>, app: &mut Registrar<'_>) {
    let checked = Arc::clone(core);
    app.health("jobs", Impact::Degrades, HEALTH_TIMEOUT, move || {
        std::future::ready(checked.check_health())
    });
    let measured = Arc::clone(core);
    app.metrics(FAMILIES, move |samples| {
        let queues = measured.queues().iter();
        let running: Vec<(&str, usize)> = queues
            .map(|queue| (&*queue.name, measured.running(&queue.name)))
            .collect();
        measured.figures.collect(samples, &running, measured.now());
    });
}

fn register_work(core: &Arc<JobsCore>, app: &mut Registrar<'_>) {
    app.task(
        "jobs worker",
        TaskKind::Forever,
        |worker: Worker, shutdown: Shutdown| async move { worker.work(&shutdown).await },
    );
    app.task(
        "jobs upkeep",
        TaskKind::Forever,
        |core: Arc<JobsCore>, shutdown: Shutdown| async move {
            upkeep::keep_up(&core, &shutdown).await
        },
    );
    let core = Arc::clone(core);
    // While requests end, running jobs end too; the rest is handed back to other processes.
    app.on_drain("jobs", move |(): ()| async move {
        core.draining.cancel();
        while !core.is_idle() {
            tokio::time::sleep(DRAIN_POLL).await;
        }
        Ok(())
    });
}
