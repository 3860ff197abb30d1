//! Waiting for locks of PostgreSQL: who holds them, and how often to try.
//!
//! A statement that waits for a lock blocks all later ones on the same table, so a migration gives
//! up early and comes back. The server knows the holder only while a session waits. A second
//! connection therefore looks while the migration runs.

use std::convert::Infallible;
use std::fmt;
use std::time::Duration;

use sea_orm::DbErr;

use super::history::History;
use crate::Database;
use crate::error::code;

/// Pause before the second attempt. It doubles with each further one.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const MAX_PAUSE: Duration = Duration::from_secs(30);
/// Minimum time between two looks at the server.
const MIN_POLL_INTERVAL: Duration = Duration::from_millis(50);

const HOLDERS: &str = "SELECT blocker.pid, coalesce(activity.usename::text, ''), coalesce(activity.application_name, ''), \
    coalesce(activity.state, ''), coalesce(extract(epoch FROM clock_timestamp() - activity.xact_start), 0)::bigint, \
    left(regexp_replace(coalesce(activity.query, ''), '\\s+', ' ', 'g'), 200) \
    FROM unnest(pg_blocking_pids($1)) AS blocker (pid) \
    LEFT JOIN pg_stat_activity AS activity ON activity.pid = blocker.pid \
    ORDER BY activity.xact_start LIMIT 1";

/// The session that holds a lock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Holder {
    pid: i32,
    user: String,
    application: String,
    state: String,
    seconds: i64,
    query: String,
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            pid,
            user,
            application,
            state,
            seconds,
            query,
        } = self;
        if *pid == 0 {
            return f.write_str("a prepared transaction (see `pg_prepared_xacts`)");
        }
        write!(f, "the session {pid} of `{user}`")?;
        if !application.is_empty() {
            write!(f, " (`{application}`)")?;
        }
        write!(
            f,
            ", whose transaction is {seconds} s old and `{state}`; its statement: {query}"
        )
    }
}

/// Returns true if a statement waited for a lock longer than allowed.
pub(super) fn is_lock_timeout(error: &DbErr) -> bool {
    code(error).as_deref() == Some("55P03")
}

/// Returns the pause after an attempt, counted from 1.
pub(super) fn pause(attempt: u32) -> Duration {
    let factor = 1_u32.checked_shl(attempt - 1).unwrap_or(u32::MAX);
    FIRST_PAUSE.saturating_mul(factor).min(MAX_PAUSE)
}

impl History {
    /// Runs SQL of a migration, and notes who holds a lock that it waits for.
    pub(super) async fn run_watched(
        &mut self,
        database: &Database,
        sql: &str,
    ) -> Result<(), DbErr> {
        if !self.postgres() {
            return self.run_sql(sql).await;
        }
        let pid = self.rows("SELECT pg_backend_pid()", Vec::new()).await?;
        let pid: i32 = pid.first().map_or(Ok(0), |row| row.try_get_by_index(0))?;
        let mut seen = None;
        let done = tokio::select! {
            biased;
            done = self.run_sql(sql) => done,
            never = watch(database, pid, &mut seen) => match never {},
        };
        self.holder = seen;
        done
    }
}

/// Looks who blocks a session, again and again.
async fn watch(database: &Database, pid: i32, seen: &mut Option<Holder>) -> Infallible {
    let timeout = database.options().migration_lock_timeout;
    let interval = (timeout / 4).max(MIN_POLL_INTERVAL);
    // Most migrations are done before, and need no second connection.
    tokio::time::sleep(timeout / 4).await;
    // The holder is only named: without a connection the migration runs all the same.
    if let Ok(mut other) = History::open(database).await {
        while let Ok(holder) = other.holder_of(pid).await {
            if holder.is_some() {
                *seen = holder;
            }
            tokio::time::sleep(interval).await;
        }
    }
    std::future::pending().await
}

impl History {
    async fn holder_of(&mut self, pid: i32) -> Result<Option<Holder>, DbErr> {
        self.run_sql("BEGIN").await?;
        let rows = self.rows(HOLDERS, vec![pid.into()]).await?;
        self.run_sql("COMMIT").await?;
        let Some(row) = rows.first() else {
            return Ok(None);
        };
        Ok(Some(Holder {
            pid: row.try_get_by_index(0)?,
            user: row.try_get_by_index(1)?,
            application: row.try_get_by_index(2)?,
            state: row.try_get_by_index(3)?,
            seconds: row.try_get_by_index(4)?,
            query: row.try_get_by_index(5)?,
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_a_limit() {
        let seconds: Vec<u64> = [1, 2, 3, 5, 6, 7, 100]
            .into_iter()
            .map(|attempt| pause(attempt).as_secs())
            .collect();
        assert_eq!(seconds, [1, 2, 4, 16, 30, 30, 30]);
    }
}
