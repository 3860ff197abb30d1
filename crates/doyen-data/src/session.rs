//! The Session: one unit of work.

mod connection;
mod finish;
mod query;
mod read;
mod savepoint;
mod texts;

use std::sync::Arc;
use std::sync::Mutex as StdMutex;
use std::sync::atomic::AtomicU32;
use std::time::{Duration, Instant};

use doyen_core::inject::{BoxFuture, Context, Node};
use doyen_core::problem::{OUTCOME_UNKNOWN, UNAVAILABLE};
use doyen_core::sync;
use doyen_core::{Access, Inject, Refusal};
use sea_orm::{DbBackend, DbErr};
use tokio::sync::Mutex;

pub use savepoint::Savepoint;

use crate::link::{Ask, Reply, lost};
use crate::pool::Lease;
use crate::statement::{Sort, sort};
use crate::statistics::Counter;
use crate::{COMMIT_FAILED, Database, Statistics};

/// One unit of work on the database. Cloning shares it.
///
/// A repository asks for a [`Session`] and gives it to SeaORM wherever that wants a connection:
///
/// ```
/// # extern crate doyen_core as doyen;
/// use doyen_core::{Inject, Unexpected};
/// use doyen_data::Session;
///
/// #[derive(Clone, Inject)]
/// struct Orders {
///     session: Session,
/// }
///
/// impl Orders {
///     async fn close(&self, id: i64) -> Result<(), Unexpected> {
///         self.session.execute_sql("UPDATE orders SET open = false WHERE id = $1", [id.into()]).await?;
///         Ok(())
///     }
/// }
/// ```
///
/// | access | statements |
/// | --- | --- |
/// | [`Access::Read`] (GET, HEAD) | each on its own; a write is refused by the database itself |
/// | [`Access::Write`] (the rest) | the first one begins a transaction, all others join it; the edge commits before the answer leaves |
///
/// - After a commit or rollback the session is closed.
/// - After a statement failed, the unit of work can only be rolled back, on SQLite as on PostgreSQL. Put a statement that may fail into a
///   [`savepoint`](Session::savepoint).
/// - A session that is dropped without either (the client went away, the handler panicked) is rolled back, and its connection is clean
///   before anybody else gets it.
///
/// What it does not do: it holds no cache of rows, it does not flush by itself, and it never holds a connection before the first statement.
#[derive(Clone)]
pub struct Session {
    inner: Arc<Inner>,
}

struct Inner {
    database: Database,
    access: Access,
    state: Mutex<State>,
    /// The savepoint to go back to before anything else: one was dropped before its end. `u32::MAX` when there is none.
    undo: AtomicU32,
    after: StdMutex<Vec<BoxFuture<'static, ()>>>,
    counter: Arc<Counter>,
    trace: StdMutex<Option<String>>,
}

enum State {
    /// Nothing was asked yet.
    Fresh,
    /// The transaction has begun.
    Open(Work),
    /// Committed or rolled back.
    Closed,
}

struct Work {
    lease: Lease,
    /// Savepoints open.
    depth: u32,
    /// The first statement that failed, and the number of savepoints open then.
    failed: Option<(u32, String)>,
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session")
            .field("access", &self.inner.access)
            .finish_non_exhaustive()
    }
}

impl Session {
    pub(crate) fn new(database: Database, access: Access) -> Self {
        Self::with_counter(database, access, Arc::default())
    }

    fn with_counter(database: Database, access: Access, counter: Arc<Counter>) -> Self {
        Self {
            inner: Arc::new(Inner {
                database,
                access,
                state: Mutex::new(State::Fresh),
                undo: AtomicU32::new(u32::MAX),
                after: StdMutex::default(),
                counter,
                trace: StdMutex::default(),
            }),
        }
    }

    /// Whether it may write.
    pub fn access(&self) -> Access {
        self.inner.access
    }

    /// The database it works on.
    pub fn database(&self) -> &Database {
        &self.inner.database
    }

    /// Which database this is, for the rare statement that differs.
    pub fn backend(&self) -> DbBackend {
        self.inner.database.backend()
    }

    /// A session beside this one that only reads, each statement on its own, and holds nothing between them.
    ///
    /// It does not see what this unit of work has written and not yet committed. Use it for a read before slow work that must not hold a
    /// transaction: a login reads the hash, compares for 20 ms, then writes.
    #[must_use]
    pub fn autocommit(&self) -> Self {
        Self::with_counter(
            self.inner.database.clone(),
            Access::Read,
            Arc::clone(&self.inner.counter),
        )
    }

    /// What was asked of the database so far.
    pub fn statistics(&self) -> Statistics {
        self.inner.counter.statistics()
    }

    /// How many statements were run and how long they took: [`statistics`](Self::statistics) without its list.
    pub fn totals(&self) -> (u32, Duration) {
        self.inner.counter.totals()
    }

    /// Names the trace this unit of work belongs to; outbox rows carry it.
    pub fn set_trace(&self, trace: impl Into<String>) {
        *sync::lock(&self.inner.trace) = Some(trace.into());
    }

    pub(crate) fn trace(&self) -> Option<String> {
        sync::lock(&self.inner.trace).clone()
    }

    /// Runs one statement wherever this session runs statements.
    async fn ask(&self, ask: Ask) -> Result<Reply, DbErr> {
        let begun = Instant::now();
        let result = self.answer(&ask).await;
        self.count(ask.sql(), begun, result.is_err());
        result
    }

    async fn answer(&self, ask: &Ask) -> Result<Reply, DbErr> {
        match self.inner.access {
            Access::Read => self.read(ask).await,
            Access::Write => self.write(ask).await,
        }
    }

    fn count(&self, sql: &str, begun: Instant, failed: bool) {
        let time = begun.elapsed();
        self.inner.counter.add(sql, time);
        tracing::debug!(target: "doyen::sql", sql, micros = u64::try_from(time.as_micros()).unwrap_or(u64::MAX), failed);
    }

    /// On its own, on any connection that reads; once more when the connection turns out dead, for nothing happened.
    async fn read(&self, ask: &Ask) -> Result<Reply, DbErr> {
        if sort(ask.sql()) != Sort::Reads {
            return Err(not_here(ask.sql()));
        }
        // As a prepared statement PostgreSQL takes one statement only: a second one behind a semicolon can not undo the read-only mode.
        let prepared;
        let ask = match ask {
            Ask::Script(sql) => {
                prepared = Ask::Execute(sea_orm::Statement::from_string(
                    self.backend(),
                    sql.as_str(),
                ));
                &prepared
            }
            ask => ask,
        };
        let pool = self.inner.database.reader();
        let result = pool.acquire().await?.run(ask).await;
        let result = match result {
            // A time-out is not repeated: the server may be busy with the first one.
            Err(error) if lost(&error) && !timed_out(&error) => {
                pool.acquire().await?.run(ask).await
            }
            result => result,
        };
        result.map_err(|error| {
            if read_only(&error) {
                not_here(ask.sql())
            } else {
                error
            }
        })
    }

    /// In the transaction, which the first statement begins.
    async fn write(&self, ask: &Ask) -> Result<Reply, DbErr> {
        if sort(ask.sql()) == Sort::Transaction {
            return Err(DbErr::Custom(
                "a session begins and ends its transaction itself; for a part that may fail use `session.savepoint(..)`".to_owned(),
            ));
        }
        let mut state = self.inner.state.lock().await;
        if let State::Fresh = &*state
            && self.inner.database.recipe().begins_along()
        {
            return self.first(&mut state, ask).await;
        }
        let work = self.begun(&mut state).await?;
        work.usable()?;
        let result = work.lease.run(ask).await;
        if let Err(error) = &result {
            work.failed = Some((work.depth, error.to_string()));
        }
        result
    }

    /// The first statement, and the transaction with it.
    async fn first(&self, state: &mut State, ask: &Ask) -> Result<Reply, DbErr> {
        let pool = self.inner.database.writer();
        // Open before the answer comes: given up in between, the unit of work must not begin anew without this statement.
        let mut work = state.open(pool.acquire().await?)?;
        let mut result = work.lease.begin_with(ask).await;
        // The connection died while it rested. Nothing was committed, so nothing has happened yet.
        if result
            .as_ref()
            .is_err_and(|error| lost(error) && !timed_out(error))
        {
            *state = State::Fresh;
            work = state.open(pool.acquire().await?)?;
            result = work.lease.begin_with(ask).await;
        }
        if let Err(error) = &result {
            work.failed = Some((work.depth, error.to_string()));
        }
        result
    }

    /// The open transaction; begins it when there is none.
    async fn begun<'a>(&self, state: &'a mut State) -> Result<&'a mut Work, DbErr> {
        if let State::Fresh = state {
            let pool = self.inner.database.writer();
            let mut lease = pool.acquire().await?;
            match lease.begin().await {
                Ok(()) => {}
                // The connection died while it rested. Nothing has happened yet, so a fresh one may try.
                Err(error) if lost(&error) && !timed_out(&error) => {
                    drop(lease);
                    lease = pool.acquire().await?;
                    lease.begin().await?;
                }
                Err(error) => return Err(error),
            }
            state.open(lease)?;
        }
        let work = state.work()?;
        self.settle(work).await?;
        Ok(work)
    }
}

impl State {
    fn open(&mut self, lease: Lease) -> Result<&mut Work, DbErr> {
        *self = State::Open(Work {
            lease,
            depth: 0,
            failed: None,
        });
        self.work()
    }

    fn work(&mut self) -> Result<&mut Work, DbErr> {
        match self {
            State::Open(work) => Ok(work),
            State::Fresh | State::Closed => Err(DbErr::Custom(
                "the session is closed: its unit of work was committed or rolled back before this statement".to_owned(),
            )),
        }
    }
}

impl Work {
    /// Refuses to go on after a failure that the database would not, or should not, forget.
    fn usable(&self) -> Result<(), DbErr> {
        if self.lease.in_flight {
            return Err(DbErr::Custom("a statement of this unit of work was given up before its answer came: nothing more can join it".to_owned()));
        }
        match &self.failed {
            None => Ok(()),
            Some((_, first)) => Err(DbErr::Custom(format!(
                "a statement of this unit of work failed before, so nothing more can join it (put a statement that may fail into \
                 `session.savepoint(..)`). The first failure: {first}"
            ))),
        }
    }
}

fn not_here(sql: &str) -> DbErr {
    let start: String = sql.trim_start().chars().take(60).collect();
    DbErr::Custom(format!(
        "this session only reads (a GET or HEAD request, or `session.autocommit()`), and the statement writes: `{start}`. \
         Use another method, or the session of a unit of work"
    ))
}

/// The database's own refusal to write.
fn read_only(error: &DbErr) -> bool {
    match crate::error::code(error).as_deref() {
        Some("25006") => true,
        Some(code) if code.len() < 5 => code.parse::<u32>().is_ok_and(|code| code & 0xff == 8),
        _ => false,
    }
}

fn timed_out(error: &DbErr) -> bool {
    matches!(crate::error::sqlx_error(error), Some(sqlx::Error::Io(error)) if error.kind() == std::io::ErrorKind::TimedOut)
}

impl Inject for Session {
    fn node() -> Node {
        Node::of::<Self>(vec![
            <Arc<Database> as Inject>::node,
            <Access as Inject>::node,
        ])
        .fails(vec![&UNAVAILABLE, &COMMIT_FAILED, &OUTCOME_UNKNOWN])
    }

    async fn make(cx: &Context) -> Result<Self, Refusal> {
        let database = cx.get::<Arc<Database>>().await?;
        let access = cx.get::<Access>().await?;
        let session = database.session(access);
        // One that only reads has nothing to commit, but its statements count too.
        cx.enlist(Arc::new(session.clone()));
        Ok(session)
    }
}
