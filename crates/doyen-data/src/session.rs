//! The session: a unit of work.

mod finish;
mod parameters;
mod query;
mod read;
mod savepoint;
mod seaorm;
mod sql_cache;

use std::sync::Arc;
use std::sync::Mutex as StdMutex;
use std::sync::atomic::AtomicU32;
use std::time::{Duration, Instant};

use doyen_core::inject::{BoxFuture, Context, Node};
use doyen_core::problem::{OUTCOME_UNKNOWN, UNAVAILABLE};
use doyen_core::sync;
use doyen_core::{Access, Inject, ObservedStatement, Refusal};
use sea_orm::{DbBackend, DbErr, Value};
use tokio::sync::Mutex;

pub use savepoint::Savepoint;

use parameters::Parameters;

use crate::connection::{Outcome, SqlStatement, is_lost};
use crate::pool::Lease;
use crate::query_stats::QueryCounter;
use crate::statement::{StatementKind, classify};
use crate::{COMMIT_FAILED, Database, QueryStats};

/// A unit of work on the database. Clones share it.
///
/// A repository injects a [`Session`] and passes it to SeaORM as a connection:
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
///         let sql = "UPDATE orders SET open = false WHERE id = $1";
///         self.session.execute_sql(sql, [id.into()]).await?;
///         Ok(())
///     }
/// }
/// ```
///
/// | access | statements |
/// | --- | --- |
/// | [`Access::Read`] (GET, HEAD) | each runs on its own; the database rejects writes |
/// | [`Access::Write`] (others) | the first begins a transaction, which is committed before the response is sent |
///
/// - A commit or rollback closes the session.
/// - After a failed statement, the unit of work can only be rolled back, on SQLite as on
///   PostgreSQL. Put a statement that may fail into a [`savepoint`](Session::savepoint).
/// - If a session is dropped (the client disconnected, the handler panicked), it is rolled back,
///   and its connection is reset before another request gets it.
///
/// A session has no cache of rows, does not flush by itself, and holds no connection before its
/// first statement.
#[derive(Clone)]
pub struct Session {
    inner: Arc<Inner>,
}

struct Inner {
    database: Database,
    access: Access,
    state: Mutex<State>,
    /// Depth of a dropped savepoint that must be rolled back first, or `u32::MAX`.
    rollback_to: AtomicU32,
    after_commit: StdMutex<Vec<CommitHook>>,
    counter: Arc<QueryCounter>,
    trace: StdMutex<Option<String>>,
    /// Channels to wake after the commit.
    wakes: StdMutex<Vec<&'static str>>,
}

/// Work for the end of a unit of work.
struct CommitHook {
    work: BoxFuture<'static, ()>,
    /// True if it also runs when the outcome of the commit is unknown.
    if_unknown: bool,
}

enum State {
    /// No statement was run yet.
    Fresh,
    /// The transaction is open.
    Open(Work),
    /// Committed or rolled back.
    Closed,
}

struct Work {
    lease: Lease,
    /// Number of open savepoints.
    depth: u32,
    /// The first error, and the number of savepoints that were open then.
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

    fn with_counter(database: Database, access: Access, counter: Arc<QueryCounter>) -> Self {
        Self {
            inner: Arc::new(Inner {
                database,
                access,
                state: Mutex::new(State::Fresh),
                rollback_to: AtomicU32::new(u32::MAX),
                after_commit: StdMutex::default(),
                counter,
                trace: StdMutex::default(),
                wakes: StdMutex::default(),
            }),
        }
    }

    /// Returns whether it may write.
    pub fn access(&self) -> Access {
        self.inner.access
    }

    /// Returns its database.
    pub fn database(&self) -> &Database {
        &self.inner.database
    }

    /// Returns the kind of the database, for the rare statement that differs.
    pub fn backend(&self) -> DbBackend {
        self.inner.database.backend()
    }

    /// Returns a separate read-only session that runs each statement on its own and holds no
    /// connection in between.
    ///
    /// It does not see uncommitted changes of this unit of work. Use it for a read before slow work
    /// that must not hold a transaction: a login reads the hash, verifies it for 20 ms, then
    /// writes.
    #[must_use]
    pub fn autocommit(&self) -> Self {
        Self::with_counter(
            self.inner.database.clone(),
            Access::Read,
            Arc::clone(&self.inner.counter),
        )
    }

    /// Returns the statistics of the statements so far.
    pub fn query_stats(&self) -> QueryStats {
        self.inner.counter.query_stats()
    }

    /// Returns the number of statements and their total time.
    pub fn totals(&self) -> (u32, Duration) {
        self.inner.counter.totals()
    }

    /// Sets the trace of this unit of work, which is stored with its outbox rows.
    pub fn set_trace(&self, trace: impl Into<String>) {
        *sync::lock(&self.inner.trace) = Some(trace.into());
    }

    pub(crate) fn wakes(&self) -> &StdMutex<Vec<&'static str>> {
        &self.inner.wakes
    }

    pub(crate) fn trace(&self) -> Option<String> {
        sync::lock(&self.inner.trace).clone()
    }

    /// Runs a statement and counts it.
    async fn run(&self, statement: SqlStatement) -> Result<Outcome, DbErr> {
        let started = Instant::now();
        let result = self.run_uncounted(&statement).await;
        let rows = match &result {
            Ok(Outcome::Rows(rows)) => Some(rows.len()),
            _ => None,
        };
        let ran = (statement.sql(), statement.values());
        self.count(ran, started, rows, result.as_ref().err());
        result
    }

    async fn run_uncounted(&self, statement: &SqlStatement) -> Result<Outcome, DbErr> {
        match self.inner.access {
            Access::Read => self.read(statement).await,
            Access::Write => self.write(statement).await,
        }
    }

    /// The name of the database in traces.
    fn system(&self) -> &'static str {
        match self.backend() {
            DbBackend::Postgres => "postgresql",
            _ => "sqlite",
        }
    }

    /// Counts a statement with its values, and reports it to the observers of the request.
    fn count(
        &self,
        (sql, values): (&str, &[Value]),
        started: Instant,
        rows: Option<usize>,
        error: Option<&DbErr>,
    ) {
        let time = started.elapsed();
        let failed = error.is_some();
        if let Some(error) = error {
            self.inner.database.observe(error);
        }
        self.inner.counter.add(sql, time);
        if let Some(observation) = self.inner.counter.observation() {
            observation.statement(&ObservedStatement {
                system: self.system(),
                sql,
                parameters: (!values.is_empty()).then_some(&Parameters(values)),
                started,
                time,
                rows,
                failed,
            });
        }
        tracing::debug!(target: "doyen::sql", sql, micros = u64::try_from(time.as_micros()).unwrap_or(u64::MAX), failed);
    }

    /// Runs a statement on its own. It is repeated once if the connection was lost.
    async fn read(&self, statement: &SqlStatement) -> Result<Outcome, DbErr> {
        if classify(statement.sql()) != StatementKind::Read {
            return Err(write_rejected(statement.sql()));
        }
        // PostgreSQL prepares single statements only, so a second one cannot undo the read-only
        // mode.
        let prepared;
        let statement = match statement {
            SqlStatement::Script(sql) => {
                prepared = SqlStatement::Execute(sea_orm::Statement::from_string(
                    self.backend(),
                    sql.as_str(),
                ));
                &prepared
            }
            statement => statement,
        };
        let pool = self.inner.database.read_pool();
        let result = pool.acquire().await?.run(statement).await;
        let result = match result {
            // A timeout is not retried: the server may still be busy with the statement.
            Err(error) if is_lost(&error) && !is_timeout(&error) => {
                pool.acquire().await?.run(statement).await
            }
            result => result,
        };
        result.map_err(|error| {
            if is_read_only_error(&error) {
                write_rejected(statement.sql())
            } else {
                error
            }
        })
    }

    /// Runs a statement in the transaction, which the first one begins.
    async fn write(&self, statement: &SqlStatement) -> Result<Outcome, DbErr> {
        if classify(statement.sql()) == StatementKind::Transaction {
            return Err(DbErr::Custom(
                "a session begins and ends its transaction itself; for a part that may fail use `session.savepoint(..)`".to_owned(),
            ));
        }
        let mut state = self.inner.state.lock().await;
        if let State::Fresh = &*state {
            return self.first(&mut state, statement).await;
        }
        let work = self.open_work(&mut state).await?;
        work.check_usable()?;
        let result = work.lease.run(statement).await;
        if let Err(error) = &result {
            work.failed = Some((work.depth, error.to_string()));
        }
        result
    }

    /// Begins the transaction and runs its first statement. Both are repeated once if the idle
    /// connection was lost, or if a migration changed a table since the statement was prepared:
    /// nothing was committed.
    async fn first(&self, state: &mut State, statement: &SqlStatement) -> Result<Outcome, DbErr> {
        let mut result = self.begin_with(state, statement).await;
        if result
            .as_ref()
            .is_err_and(|error| is_lost(error) && !is_timeout(error))
        {
            *state = State::Fresh;
            result = self.begin_with(state, statement).await;
        }
        if let (Err(error), State::Open(work)) = (&result, state) {
            work.failed = Some((work.depth, error.to_string()));
        }
        result
    }

    async fn begin_with(
        &self,
        state: &mut State,
        statement: &SqlStatement,
    ) -> Result<Outcome, DbErr> {
        let database = &self.inner.database;
        if database.connect_options().begins_with_statement() {
            // Open before the response: if this is cancelled, the transaction must not begin again
            // without it.
            let work = state.open(database.write_pool().acquire().await?)?;
            self.inner.counter.transaction_began();
            work.lease.begin_with(statement).await
        } else {
            let work = self.open_work(state).await?;
            work.lease.run(statement).await
        }
    }

    /// Returns the open transaction, and begins it if needed.
    async fn open_work<'a>(&self, state: &'a mut State) -> Result<&'a mut Work, DbErr> {
        if let State::Fresh = state {
            let pool = self.inner.database.write_pool();
            let mut lease = pool.acquire().await?;
            match lease.begin().await {
                Ok(()) => {}
                // The idle connection was lost. Nothing was run, so it is safe to repeat.
                Err(error) if is_lost(&error) && !is_timeout(&error) => {
                    drop(lease);
                    lease = pool.acquire().await?;
                    lease.begin().await?;
                }
                Err(error) => return Err(error),
            }
            state.open(lease)?;
            self.inner.counter.transaction_began();
        }
        let work = state.work()?;
        self.apply_pending_rollback(work).await?;
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
    /// Returns an error if a statement has failed or was cancelled.
    fn check_usable(&self) -> Result<(), DbErr> {
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

fn write_rejected(sql: &str) -> DbErr {
    let start: String = sql.trim_start().chars().take(60).collect();
    DbErr::Custom(format!(
        "this session only reads (a GET or HEAD request, or `session.autocommit()`), and the statement writes: `{start}`. \
         Use another method, or the session of a unit of work"
    ))
}

/// Returns true if the database rejected a write.
fn is_read_only_error(error: &DbErr) -> bool {
    match crate::error::code(error).as_deref() {
        Some("25006") => true,
        Some(code) => crate::error::sqlite_result(code) == Some(8),
        None => false,
    }
}

fn is_timeout(error: &DbErr) -> bool {
    matches!(crate::error::sqlx_error(error), Some(sqlx::Error::Io(error)) if error.kind() == std::io::ErrorKind::TimedOut)
}

#[diagnostic::do_not_recommend]
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
        let counter = QueryCounter::new(cx.observation().cloned());
        let session = Self::with_counter((*database).clone(), access, Arc::new(counter));
        // A read-only session has nothing to commit, but its statements are counted.
        cx.enlist(Arc::new(session.clone()));
        Ok(session)
    }
}
