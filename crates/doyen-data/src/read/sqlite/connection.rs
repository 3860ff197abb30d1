//! One connection that only reads, and one run of a statement on it.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use rusqlite::{InterruptHandle, OpenFlags};
use sea_orm::{DbErr, Value};

use super::bind::bind;
use super::fault::Fault;
use super::names::Names;
use crate::{Cells, Row};

/// Prepared statements kept on each connection: a service has some dozens.
pub(super) const STATEMENTS: usize = 128;

/// Virtual machine steps between two looks at the meter: 5 to 10 µs.
const STEPS: i32 = 500;

/// How far a run may go.
#[derive(Clone, Copy)]
pub(super) enum Budget {
    /// Some 6,000 steps: 50 to 125 µs. A row by its key takes 15 steps, a page of fifty rows with a join and a count each 2,000.
    Inline,
    /// To its end, or until it is cancelled.
    Unlimited,
}

impl Budget {
    fn looks(self) -> u32 {
        match self {
            Budget::Inline => 12,
            Budget::Unlimited => u32::MAX,
        }
    }
}

/// Why a run gave no rows.
#[derive(Debug)]
pub(super) enum Stop {
    /// The budget was used up, or the run was cancelled.
    Interrupted,
    /// Another connection holds a lock. The error is what to say when it stays so.
    Busy(DbErr),
    /// Not a statement for this driver.
    Elsewhere,
    /// The statement failed. `serious`: so did the connection.
    Failed { error: DbErr, serious: bool },
}

impl From<rusqlite::Error> for Stop {
    fn from(error: rusqlite::Error) -> Self {
        match Fault::of(error) {
            None => Stop::Elsewhere,
            Some(fault) if fault.is_interrupt() => Stop::Interrupted,
            Some(fault) if fault.is_busy() => Stop::Busy(fault.into()),
            Some(fault) => Stop::Failed {
                serious: fault.is_serious(),
                error: fault.into(),
            },
        }
    }
}

impl From<DbErr> for Stop {
    fn from(error: DbErr) -> Self {
        Stop::Failed {
            error,
            serious: false,
        }
    }
}

pub(super) struct Connection {
    sqlite: rusqlite::Connection,
    names: Names,
    meter: Arc<Meter>,
    pub(super) born: Instant,
}

/// What the progress handler looks at. It belongs to SQLite while a statement runs, so all of it is atomic.
#[derive(Default)]
struct Meter {
    left: AtomicU32,
    /// Runs are numbered: a cancel that comes late must not meet the next one.
    run: AtomicU64,
    cancelled: AtomicU64,
}

impl Meter {
    /// False when this run was cancelled before it began.
    fn begin(&self, budget: Budget) -> bool {
        self.left.store(budget.looks(), Ordering::Relaxed);
        let run = self.run.fetch_add(1, Ordering::SeqCst) + 1;
        self.cancelled.load(Ordering::SeqCst) != run
    }

    /// True when the statement should end.
    fn look(&self) -> bool {
        let left = self.left.load(Ordering::Relaxed).saturating_sub(1);
        self.left.store(left, Ordering::Relaxed);
        left == 0 || self.cancelled.load(Ordering::Relaxed) == self.run.load(Ordering::Relaxed)
    }
}

/// Ends the next run of a connection, when it is dropped before that run is done.
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
            // Counting a whole table is one step: only this ends it. Should the run have ended just now and another one be hit, then that one
            // is started anew.
            if self.meter.run.load(Ordering::SeqCst) == self.run {
                self.handle.interrupt();
            }
        }
    }
}

impl Connection {
    /// Opened read-only by SQLite itself, as the readers of the pool are.
    pub(super) fn open(file: &Path) -> Result<Self, DbErr> {
        Self::try_open(file).map_err(|error| match Fault::of(error) {
            Some(fault) => fault.into(),
            None => DbErr::Custom(format!("the file `{}` can not be opened", file.display())),
        })
    }

    fn try_open(file: &Path) -> rusqlite::Result<Self> {
        // No mutex: a connection is used by one read at a time. A name like `file:..` means to SQLite what it means to the pool.
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY
            | OpenFlags::SQLITE_OPEN_NO_MUTEX
            | OpenFlags::SQLITE_OPEN_PRIVATE_CACHE
            | OpenFlags::SQLITE_OPEN_URI;
        let sqlite = rusqlite::Connection::open_with_flags(file, flags)?;
        // Waiting for a lock is done outside, where it holds up nobody and can be given up.
        sqlite.busy_timeout(Duration::ZERO)?;
        sqlite.set_prepared_statement_cache_capacity(STATEMENTS);
        sqlite.execute_batch("PRAGMA foreign_keys = ON; PRAGMA query_only = 1;")?;
        // Reads the schema now, where it may take its time. If it can not, the first statement will say so.
        let _schema = sqlite.query_row("SELECT 1 FROM sqlite_schema LIMIT 1", [], |_| Ok(()));
        let meter = Arc::new(Meter::default());
        let look = Arc::clone(&meter);
        sqlite.progress_handler(STEPS, Some(move || look.look()))?;
        Ok(Self {
            sqlite,
            names: Names::default(),
            meter,
            born: Instant::now(),
        })
    }

    /// Runs a statement and reads its rows, all of them or the first.
    ///
    /// It may be run again after any [`Stop`]: it only reads.
    pub(super) fn run<T: Row>(
        &self,
        sql: &str,
        values: &[Value],
        only_first: bool,
        budget: Budget,
    ) -> Result<Vec<T>, Stop> {
        let mut read = Vec::new();
        self.step(sql, values, budget, &mut |mut cells| {
            read.push(T::read(&mut cells)?);
            Ok(!only_first)
        })?;
        Ok(read)
    }

    /// Gives each row to the closure, until it has enough.
    fn step(
        &self,
        sql: &str,
        values: &[Value],
        budget: Budget,
        row: &mut dyn FnMut(Cells<'_>) -> Result<bool, DbErr>,
    ) -> Result<(), Stop> {
        if !self.meter.begin(budget) {
            return Err(Stop::Interrupted);
        }
        let mut statement = self.sqlite.prepare_cached(sql)?;
        // A statement without columns writes, or is empty: the pool knows what to say.
        if statement.column_count() == 0 {
            return Err(Stop::Elsewhere);
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

    /// Cancels the next run when dropped.
    pub(super) fn cancel(&self) -> Cancel {
        Cancel {
            meter: Arc::clone(&self.meter),
            run: self.meter.run.load(Ordering::Relaxed) + 1,
            handle: self.sqlite.get_interrupt_handle(),
            done: false,
        }
    }

    /// Nothing of a read is left behind: no transaction is open.
    pub(super) fn is_clean(&self) -> bool {
        self.sqlite.is_autocommit()
    }
}
