//! A schedule: a job that is enqueued at times of the calendar.

use std::sync::Arc;
use std::time::Duration;

use super::NewJob;

/// What happens with the times that passed while no process ran.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MissedRuns {
    /// One run makes up for all that were missed. The default.
    #[default]
    Once,
    /// Each missed time gets its run, at most 100.
    Each,
    /// They are skipped.
    Skip,
}

/// A job that is enqueued at times of the calendar, once over all nodes. Contribute it with
/// `Registrar::contribute`, or with `Module::schedule`.
///
/// ```
/// # extern crate doyen_core as doyen;
/// # use doyen_core::{Job, JobError, JobRun, NewJob, Schedule};
/// # #[derive(serde::Serialize, serde::Deserialize)]
/// # struct Report {}
/// # impl Job for Report {
/// #     const NAME: &'static str = "report";
/// #     type Needs = ();
/// #     type Output = ();
/// #     async fn run(self, _: (), _: JobRun) -> Result<(), JobError> { Ok(()) }
/// # }
/// let nightly = Schedule::new("nightly report", "30 2 * * *", || NewJob::new(Report {}))
///     .time_zone("Europe/Berlin");
/// ```
///
/// The expression has five fields (minute, hour, day of month, month, day of week). A time that a
/// change to daylight saving skips is run right after the change; one that occurs twice is run
/// once.
#[derive(Clone)]
pub struct Schedule {
    /// Name in the database and in messages.
    pub name: &'static str,
    /// The cron expression.
    pub cron: &'static str,
    /// IANA name of the time zone.
    pub time_zone: &'static str,
    /// What happens with missed times.
    pub missed: MissedRuns,
    /// Times that are missed by less than this count as on time.
    pub grace: Duration,
    job: Arc<dyn Fn() -> NewJob + Send + Sync>,
}

impl Schedule {
    /// A schedule in UTC.
    pub fn new(
        name: &'static str,
        cron: &'static str,
        job: impl Fn() -> NewJob + Send + Sync + 'static,
    ) -> Self {
        Self {
            name,
            cron,
            time_zone: "UTC",
            missed: MissedRuns::default(),
            grace: Duration::from_secs(60),
            job: Arc::new(job),
        }
    }

    /// Reads the expression in this time zone, by its IANA name.
    #[must_use]
    pub const fn time_zone(mut self, name: &'static str) -> Self {
        self.time_zone = name;
        self
    }

    /// Sets what happens with missed times.
    #[must_use]
    pub const fn missed(mut self, policy: MissedRuns) -> Self {
        self.missed = policy;
        self
    }

    /// Creates the job of one run.
    pub fn job(&self) -> NewJob {
        (self.job)()
    }
}

impl std::fmt::Debug for Schedule {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Schedule")
            .field("name", &self.name)
            .field("cron", &self.cron)
            .field("time_zone", &self.time_zone)
            .finish_non_exhaustive()
    }
}
