//! Schedules: the time of the next run is a row, and the process that moves it enqueues the job in
//! the same transaction. So a time gets one job, over any number of processes.

use std::str::FromStr as _;
use std::time::Duration;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use croner::Cron;
use doyen_core::{Access, MissedRuns, NewJob, Schedule, Timestamp, Unexpected};
use doyen_data::sea_orm::Value;
use doyen_data::{Row, Session};

use crate::JobsCore;
use crate::store::{enqueue, time};

/// Maximum number of missed times that get a run each.
const MAX_MISSED: usize = 100;

/// Times that are missed by more than this get no run.
const MAX_BEHIND: Duration = Duration::from_secs(31 * 86_400);

/// A schedule with its parsed expression.
pub(crate) struct Calendar {
    schedule: Schedule,
    cron: Cron,
    zone: Tz,
}

#[derive(Row)]
struct NextRun {
    cron: String,
    next_at: i64,
}

impl Calendar {
    /// # Errors
    ///
    /// Returns what is wrong with the expression or the time zone.
    pub(crate) fn new(schedule: Schedule) -> Result<Self, String> {
        let name = schedule.name;
        let cron = Cron::from_str(schedule.cron).map_err(|error| {
            let text = schedule.cron;
            format!("the schedule `{name}` has the expression `{text}`, which is wrong: {error}")
        })?;
        let zone = schedule.time_zone.parse().map_err(|_| {
            let zone = schedule.time_zone;
            format!("the schedule `{name}` has the time zone `{zone}`, which is not known. Use an IANA name such as `Europe/Berlin`")
        })?;
        let calendar = Self {
            schedule,
            cron,
            zone,
        };
        // A date such as 30 February never comes.
        match calendar.after(Timestamp::from_micros(0)) {
            Some(_) => Ok(calendar),
            None => Err(format!(
                "the schedule `{name}` never runs: change its expression"
            )),
        }
    }

    pub(crate) fn name(&self) -> &'static str {
        self.schedule.name
    }

    pub(crate) fn job(&self) -> NewJob {
        self.schedule.job()
    }

    /// Returns the first time after this one.
    pub(crate) fn after(&self, time: Timestamp) -> Option<Timestamp> {
        let local = DateTime::<Utc>::from(time).with_timezone(&self.zone);
        let next = self.cron.find_next_occurrence(&local, false).ok()?;
        Some(next.with_timezone(&Utc).into())
    }

    /// Identifies expression and zone, so that a changed schedule starts again.
    fn key(&self) -> String {
        format!("{} {}", self.schedule.cron, self.schedule.time_zone)
    }

    /// Returns the times that get a job now, and the next time.
    fn due(&self, next: Timestamp, now: Timestamp) -> (Vec<Timestamp>, Timestamp) {
        let mut passed = Vec::new();
        let mut at = match self.after(now - MAX_BEHIND) {
            Some(recent) if recent > next => recent,
            _ => next,
        };
        while at <= now {
            passed.push(at);
            if passed.len() > MAX_MISSED {
                passed.remove(0);
            }
            match self.after(at) {
                Some(after) => at = after,
                None => {
                    at = Timestamp::MAX;
                    break;
                }
            }
        }
        let on_time = |at: &Timestamp| now.since(*at) <= self.schedule.grace;
        let due = match self.schedule.missed {
            MissedRuns::Each => passed,
            MissedRuns::Once => passed.pop().into_iter().collect(),
            MissedRuns::Skip => passed.pop().filter(on_time).into_iter().collect(),
        };
        (due, at)
    }
}

/// Enqueues the jobs of all schedules whose time has come. Returns the earliest next time.
pub(crate) async fn tick(core: &JobsCore) -> Result<Option<Timestamp>, Unexpected> {
    let mut earliest = None;
    for calendar in &core.calendars {
        let next = tick_one(core, calendar).await?;
        earliest = Some(earliest.map_or(next, |other: Timestamp| other.min(next)));
    }
    Ok(earliest)
}

async fn tick_one(core: &JobsCore, calendar: &Calendar) -> Result<Timestamp, Unexpected> {
    let now = core.now();
    let sql = "SELECT cron, next_at FROM jobs_schedules WHERE name = $1";
    let read = core.database.session(Access::Read);
    let row: Option<NextRun> = read.query_one_as(sql, [calendar.name().into()]).await?;
    let session = core.database.session(Access::Write);
    let Some(row) = row.filter(|row| row.cron == calendar.key()) else {
        let next = calendar.after(now).unwrap_or(Timestamp::MAX);
        let sql = "INSERT INTO jobs_schedules (name, cron, next_at) VALUES ($1, $2, $3)
            ON CONFLICT (name) DO UPDATE SET cron = excluded.cron, next_at = excluded.next_at
            WHERE jobs_schedules.cron <> excluded.cron";
        let values: [Value; 3] = [calendar.name().into(), calendar.key().into(), time(next)];
        session.execute_sql(sql, values).await?;
        session.commit().await?;
        return Ok(next);
    };
    let planned = Timestamp::from_micros(row.next_at);
    if planned > now {
        return Ok(planned);
    }
    let (due, next) = calendar.due(planned, now);
    if moved(&session, calendar, planned, next).await? {
        for _ in due {
            let job = calendar.job();
            core.check(&job)?;
            enqueue(&session, &job, now, None, core.limits()).await?;
            core.dispatch.announce(&session);
        }
    }
    session.commit().await?;
    Ok(next)
}

/// Moves the next time, unless another process did.
async fn moved(
    session: &Session,
    calendar: &Calendar,
    from: Timestamp,
    to: Timestamp,
) -> Result<bool, Unexpected> {
    let sql = "UPDATE jobs_schedules SET next_at = $3 WHERE name = $1 AND next_at = $2";
    let values: [Value; 3] = [calendar.name().into(), time(from), time(to)];
    Ok(session.execute_sql(sql, values).await? == 1)
}

#[cfg(test)]
mod tests;
