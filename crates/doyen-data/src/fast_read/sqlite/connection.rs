//! A read-only connection, and one run of a statement on it.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use rusqlite::{InterruptHandle, OpenFlags};
use sea_orm::{DbErr, Value};

use super::bind::bind;
use super::column_names::ColumnNames;
use super::error::SqliteError;
use crate::{Cells, Row};

/// Prepared statements kept on each connection. A service has some dozens.
pub(super) const STATEMENT_CACHE_CAPACITY: usize = 128;

/// Virtual machine steps between two calls of the progress handler: 5 to 10 µs.
const PROGRESS_INTERVAL: i32 = 500;

/// The budget of a run.
#[derive(Clone, Copy)]
pub(super) enum Budget {
    /// About 6,000 steps: 50 to 125 µs. A row by key takes 15 steps, a page of fifty rows with a
    /// join and a count each takes 2,000.
    Inline,
    /// No limit, until it is cancelled.
    Unlimited,
}

impl Budget {
    fn intervals(self) -> u32 {
        match self {
            Budget::Inline => 12,
            Budget::Unlimited => u32::MAX,
        }
    }
}

/// Why a run returned no rows.
#[derive(Debug)]
pub(super) enum RunError {
    /// The budget was used up, or the run was cancelled.
    Interrupted,
    /// Another connection holds a lock. The error is returned if the lock stays.
    Busy(DbErr),
    /// This driver cannot run the statement.
    Fallback,
    /// The statement failed, and with `is_connection_error` also the connection.
    Failed {
        error: DbErr,
        is_connection_error: bool,
    },
}

impl From<rusqlite::Error> for RunError {
    fn from(error: rusqlite::Error) -> Self {
        match SqliteError::of(error) {
            None => RunError::Fallback,
            Some(error) if error.is_interrupt() => RunError::Interrupted,
            Some(error) if error.is_busy() => RunError::Busy(error.into()),
            Some(error) => RunError::Failed {
                is_connection_error: error.is_connection_error(),
                error: error.into(),
            },
        }
    }
}

impl From<DbErr> for RunError {
    fn from(error: DbErr) -> Self {
        RunError::Failed {
            error,
            is_connection_error: false,
        }
    }
}

pub(super) struct Connection {
    sqlite: rusqlite::Connection,
    names: ColumnNames,
    meter: Arc<Meter>,
    pub(super) opened_at: Instant,
}

/// State of the progress handler. SQLite owns the handler while a statement runs, so it is atomic.
#[derive(Default)]
struct Meter {
    left: AtomicU32,
    /// Number of the current run, so that a late cancellation does not affect the next one.
    run: AtomicU64,
    cancelled: AtomicU64,
}

impl Meter {
    /// Starts a run. Returns false if it is cancelled already.
    fn begin(&self, budget: Budget) -> bool {
        self.left.store(budget.intervals(), Ordering::Relaxed);
        let run = self.run.fetch_add(1, Ordering::SeqCst) + 1;
        self.cancelled.load(Ordering::SeqCst) != run
    }

    /// Counts an interval. Returns true if the statement must end.
    fn tick(&self) -> bool {
        let left = self.left.load(Ordering::Relaxed).saturating_sub(1);
        self.left.store(left, Ordering::Relaxed);
        left == 0 || self.cancelled.load(Ordering::Relaxed) == self.run.load(Ordering::Relaxed)
    }
}

/// Cancels the next run of a connection if it is dropped before that run is done.
pub(super) struct Cancel {
    meter: Arc<Meter>,
    run: u64,
    handle: InterruptHandle,
    pub(super) done: bool,
}

impl Drop for Cancel {
    fn drop(&mut self) {
        if !self.done {
            self.meter.cancelled.store(self.run, Ordering::SeqCst);
            // Counting a table is a single step, which only this interrupts. Should it hit a later
            // run, that run is repeated.
            if self.meter.run.load(Ordering::SeqCst) == self.run {
                self.handle.interrupt();
            }
        }
    }
}

impl Connection {
    /// Opens the file read-only, like the readers of the pool.
    pub(super) fn open(file: &Path) -> Result<Self, DbErr> {
        Self::try_open(file).map_err(|error| match SqliteError::of(error) {
            Some(error) => error.into(),
            None => DbErr::Custom(format!("the file `{}` cannot be opened", file.display())),
        })
    }

    fn try_open(file: &Path) -> rusqlite::Result<Self> {
        // No mutex: one read uses a connection at a time. A `file:` name means the same as in the
        // pool.
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY
            | OpenFlags::SQLITE_OPEN_NO_MUTEX
            | OpenFlags::SQLITE_OPEN_PRIVATE_CACHE
            | OpenFlags::SQLITE_OPEN_URI;
        let sqlite = rusqlite::Connection::open_with_flags(file, flags)?;
        // The caller waits for locks, where the wait can be cancelled.
        sqlite.busy_timeout(Duration::ZERO)?;
        sqlite.set_prepared_statement_cache_capacity(STATEMENT_CACHE_CAPACITY);
        sqlite.execute_batch("PRAGMA foreign_keys = ON; PRAGMA query_only = 1;")?;
        // Reads the schema now. If that fails, the first statement reports it.
        let _schema = sqlite.query_row("SELECT 1 FROM sqlite_schema LIMIT 1", [], |_| Ok(()));
        let meter = Arc::new(Meter::default());
        let progress = Arc::clone(&meter);
        sqlite.progress_handler(PROGRESS_INTERVAL, Some(move || progress.tick()))?;
        Ok(Self {
            sqlite,
            names: ColumnNames::default(),
            meter,
            opened_at: Instant::now(),
        })
    }

    /// Runs a statement and reads its rows, all of them or the first.
    ///
    /// The statement can be repeated after any [`RunError`], because it only reads.
    pub(super) fn run<T: Row>(
        &self,
        sql: &str,
        values: &[Value],
        only_first: bool,
        budget: Budget,
    ) -> Result<Vec<T>, RunError> {
        let mut read = Vec::new();
        self.step(sql, values, budget, &mut |mut cells| {
            read.push(T::read(&mut cells)?);
            Ok(!only_first)
        })?;
        Ok(read)
    }

    /// Passes each row to the closure until it returns false.
    fn step(
        &self,
        sql: &str,
        values: &[Value],
        budget: Budget,
        row: &mut dyn FnMut(Cells<'_>) -> Result<bool, DbErr>,
    ) -> Result<(), RunError> {
        if !self.meter.begin(budget) {
            return Err(RunError::Interrupted);
        }
        let mut statement = self.sqlite.prepare_cached(sql)?;
        // A statement without columns writes or is empty. The pool reports it.
        if statement.column_count() == 0 {
            return Err(RunError::Fallback);
        }
        bind(&mut statement, values)?;
        self.names.prepare(sql, &statement);
        let mut names = None;
        let mut rows = statement.raw_query();
        while let Some(current) = rows.next()? {
            let names = match &names {
                Some(names) => names,
                None => names.insert(self.names.get(sql, current.as_ref())?),
            };
            if !row(Cells::sqlite(current, names))? {
                break;
            }
        }
        Ok(())
    }

    /// Returns a guard that cancels the next run when it is dropped.
    pub(super) fn cancel(&self) -> Cancel {
        Cancel {
            meter: Arc::clone(&self.meter),
            run: self.meter.run.load(Ordering::Relaxed) + 1,
            handle: self.sqlite.get_interrupt_handle(),
            done: false,
        }
    }

    /// Returns true if no transaction is open.
    pub(super) fn is_clean(&self) -> bool {
        self.sqlite.is_autocommit()
    }
}
