//! The readiness check: on a connection of its own, so that a pool full of requests is not taken
//! for a database that is down.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use doyen_core::sync;
use sea_orm::{DbErr, Statement};

use crate::connection::{Outcome, SqlStatement};
use crate::error::{code, is_broken, is_busy};
use crate::pool::Pool;

/// How long the database counts as broken after a statement found it full or corrupt.
const BROKEN_FOR: Duration = Duration::from_secs(10);

/// Minimum time between two test writes: probes may be frequent, and each write costs a page.
const WRITE_INTERVAL: Duration = Duration::from_secs(1);

pub(crate) struct Probe {
    // One connection. On SQLite it is opened for each probe: a cached page hides a broken file.
    pool: Pool,
    last_write: Mutex<Option<Instant>>,
    // What a statement of a request reported, and when.
    reported: Mutex<Option<(Instant, String)>>,
}

impl Probe {
    pub(crate) fn new(pool: Pool) -> Self {
        Self {
            pool,
            last_write: Mutex::default(),
            reported: Mutex::default(),
        }
    }

    /// Remembers the error if it says that the database is full or corrupt.
    pub(crate) fn observe(&self, error: &DbErr) {
        if code(error).is_some_and(|code| is_broken(&code)) {
            *sync::lock(&self.reported) = Some((Instant::now(), error.to_string()));
        }
    }

    /// Reads, on SQLite also writes, and returns what the statements of requests found.
    pub(crate) async fn run(&self) -> Result<(), DbErr> {
        if self.pool.connect_options().backend() == sea_orm::DbBackend::Sqlite {
            self.probe_file().await?;
        } else {
            let mut lease = self.pool.acquire().await?;
            lease.run(&self.query("SELECT 1")).await?;
        }
        match &*sync::lock(&self.reported) {
            Some((since, error)) if since.elapsed() < BROKEN_FOR => Err(DbErr::Custom(format!(
                "a statement failed within the last {BROKEN_FOR:?}: {error}"
            ))),
            _ => Ok(()),
        }
    }

    /// Reads the schema and commits the version number that the file has. A full disk is noticed
    /// only by a write.
    async fn probe_file(&self) -> Result<(), DbErr> {
        let mut lease = self.pool.acquire().await?;
        lease
            .run(&self.query("SELECT count(*) FROM sqlite_schema"))
            .await?;
        let due = |last: &Option<Instant>| last.is_none_or(|at| at.elapsed() >= WRITE_INTERVAL);
        if !due(&sync::lock(&self.last_write)) {
            return Ok(());
        }
        match lease.begin().await {
            Ok(()) => {}
            // Another connection is writing, so writes are possible.
            Err(error) if code(&error).is_some_and(|code| is_busy(&code)) => return Ok(()),
            Err(error) => return Err(error),
        }
        let version = match lease.run(&self.query("PRAGMA user_version")).await? {
            Outcome::Row(Some(row)) => row.try_get_by_index::<i32>(0)?,
            _ => 0,
        };
        let same = format!("PRAGMA user_version = {version}");
        lease.run(&SqlStatement::Script(same)).await?;
        lease.run_sql("COMMIT").await?;
        lease.in_transaction = false;
        // A failed write is tried again by the next probe.
        *sync::lock(&self.last_write) = Some(Instant::now());
        Ok(())
    }

    fn query(&self, sql: &str) -> SqlStatement {
        let backend = self.pool.connect_options().backend();
        SqlStatement::FetchOne(Statement::from_string(backend, sql))
    }

    pub(crate) async fn close(&self) {
        self.pool.close().await;
    }
}
