//! Pipelined connections of PostgreSQL: a slow, lost or abandoned statement affects no other read.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::{Duration, Instant};

use doyen_core::Access;
use doyen_data::sea_orm::{self, FromQueryResult};
use doyen_data::{Database, DatabaseOptions, Row, Session, classify};

use crate::harness::{Fresh, maintenance};
use crate::reads::fast_session;

#[derive(Debug, FromQueryResult, Row)]
pub(crate) struct Number {
    pub(crate) number: i64,
}

/// The connection that served a read, by its application name.
#[derive(Debug, FromQueryResult, Row)]
struct Served {
    by: String,
}

const BY: &str = "SELECT current_setting('application_name') AS by";

async fn is_pipelined(session: &Session) -> bool {
    let served: Served = session.query_one_as(BY, []).await.unwrap().unwrap();
    served.by.ends_with(" reads")
}

async fn number(session: &Session, number: i64) -> i64 {
    let row = session.query_one_as::<Number>("SELECT $1 AS number", [number.into()]);
    row.await.unwrap().unwrap().number
}

/// Runs for minutes unless it is cancelled.
async fn endless(session: Session) -> Result<Option<Number>, sea_orm::DbErr> {
    session
        .query_one_as("SELECT 1::bigint AS number FROM pg_sleep(600)", [])
        .await
}

/// Number of sleeping statements of this database.
pub(crate) async fn sleeping(fresh: &Fresh) -> i64 {
    let sql = "SELECT count(*) AS number FROM pg_stat_activity WHERE datname = current_database() AND state = 'active' AND wait_event = 'PgSleep'";
    let row: Option<Number> = fresh
        .database
        .session(Access::Write)
        .query_one_as(sql, [])
        .await
        .unwrap();
    row.unwrap().number
}

/// Waits for a condition; fails after a timeout.
pub(crate) async fn until(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let started = Instant::now();
    while !holds().await {
        assert!(
            started.elapsed() < Duration::from_secs(20),
            "in vain: {what}"
        );
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

async fn patient(fresh: &Fresh) -> Database {
    let options = DatabaseOptions {
        statement_timeout: Duration::from_secs(600),
        ..fresh.options()
    };
    let database = Database::connect(&options).await.unwrap();
    fast_session(&database).await;
    database
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_opened_before_the_first_read_nor_when_switched_off() {
    let fresh = Fresh::postgres().await;
    let open = fresh.database.pool().open;
    crate::session::count(&fresh.database, "pg_class").await;
    assert_eq!(fresh.database.pool().open, open);
    assert_eq!(fresh.database.pool().max, 14);
    fast_session(&fresh.database).await;
    assert!(fresh.database.pool().open > open);
    assert!(is_pipelined(&fresh.database.session(Access::Read)).await);

    let off = DatabaseOptions {
        read_connections: 0,
        ..fresh.options()
    };
    let off = Database::connect(&off).await.unwrap();
    for n in 0..20 {
        assert_eq!(number(&off.session(Access::Read), n).await, n);
        assert!(!is_pipelined(&off.session(Access::Read)).await);
    }
    assert_eq!((off.pool().open, off.pool().max), (1, 10));
    off.close().await;
    fresh.drop().await;
}

/// The settings of a connection affect text formats, rounding and writes: they must equal those of
/// the pool.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fast_connections_have_the_settings_of_the_pool() {
    let fresh = Fresh::postgres().await;
    let pooled = DatabaseOptions {
        read_connections: 0,
        ..fresh.options()
    };
    let pooled = Database::connect(&pooled).await.unwrap();
    let session = fast_session(&fresh.database).await;
    #[derive(Debug, PartialEq, FromQueryResult, Row)]
    struct Setting {
        name: String,
        setting: String,
    }
    let sql =
        "SELECT name, setting FROM pg_settings WHERE name <> 'application_name' ORDER BY name";
    let (one, other) = (
        session.query_as::<Setting>(sql, []).await.unwrap(),
        pooled
            .session(Access::Read)
            .query_as::<Setting>(sql, [])
            .await
            .unwrap(),
    );
    assert!(is_pipelined(&session).await && one.len() > 200);
    for (one, other) in one.iter().zip(&other) {
        assert_eq!(one, other);
    }
    pooled.close().await;
    fresh.drop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_read_delays_no_other() {
    let fresh = Fresh::postgres().await;
    let database = patient(&fresh).await;
    let ended = Arc::new(AtomicBool::new(false));
    // Reads are sent directly behind the slow ones, before they are known to be slow.
    let mut slow = Vec::new();
    for round in 0..6 {
        let (session, over) = (database.session(Access::Read), Arc::clone(&ended));
        slow.push(tokio::spawn(async move {
            let result = endless(session).await;
            over.store(true, Ordering::SeqCst);
            result
        }));
        let fast = (0..30).map(|n| {
            let session = database.session(Access::Read);
            async move { assert_eq!(number(&session, n).await, n) }
        });
        futures_util::future::join_all(fast).await;
        assert!(
            !ended.load(Ordering::SeqCst),
            "the slow ones still run: {round}"
        );
    }
    until("all six run", async || sleeping(&fresh).await >= 6).await;
    for n in 0..30 {
        assert_eq!(number(&database.session(Access::Read), n).await, n);
    }
    assert!(!ended.load(Ordering::SeqCst));
    for task in slow {
        task.abort();
    }
    until("nothing is left of them", async || {
        sleeping(&fresh).await == 0
    })
    .await;
    // Then reads are pipelined again.
    fast_session(&database).await;
    let pool = database.pool();
    assert!(pool.open <= pool.max, "{pool:?}");
    database.close().await;
    fresh.drop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_read_that_was_given_up_is_cancelled_and_those_behind_it_do_not_notice() {
    let fresh = Fresh::postgres().await;
    let database = patient(&fresh).await;
    for round in 0..8 {
        let session = fast_session(&database).await;
        // Sent together with the slow one; some wait longer than others.
        let slow = tokio::time::timeout(Duration::from_millis(round * 4), endless(session.clone()));
        let fast = (0..20).map(|n| number(&session, n));
        let (slow, fast) =
            futures_util::future::join(slow, futures_util::future::join_all(fast)).await;
        assert!(slow.is_err(), "it should still be running");
        assert_eq!(fast, (0..20).collect::<Vec<_>>());
        until("it is gone", async || sleeping(&fresh).await == 0).await;
    }
    until("connections come back", async || {
        let pool = database.pool();
        pool.open == pool.idle
    })
    .await;
    database.close().await;
    fresh.drop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_quick_read_that_was_given_up_costs_no_connection() {
    let fresh = Fresh::postgres().await;
    let session = fast_session(&fresh.database).await;
    #[derive(Debug, FromQueryResult, Row)]
    struct Backend {
        pid: i32,
    }
    let pid = async || {
        session
            .query_one_as::<Backend>("SELECT pg_backend_pid() AS pid", [])
            .await
            .unwrap()
            .unwrap()
            .pid
    };
    let before = pid().await;
    let mut given_up = 0;
    for n in 0..200 {
        // Polled once: the statement is sent and not awaited. Occasionally the response is faster.
        let answer = futures_util::FutureExt::now_or_never(number(&session, n));
        given_up += u32::from(answer.is_none());
    }
    assert!(given_up > 0, "all 200 were answered at once");
    until("they are answered", async || {
        let pool = fresh.database.pool();
        pool.open == pool.idle
    })
    .await;
    assert_eq!(pid().await, before);
    fresh.drop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_backends_are_not_noticed_by_readers() {
    let fresh = Fresh::postgres().await;
    fast_session(&fresh.database).await;
    let (stop, reads) = (
        Arc::new(AtomicBool::new(false)),
        Arc::new(AtomicU32::new(0)),
    );
    let readers: Vec<_> = (0..8)
        .map(|reader| {
            let (database, stop, reads) = (
                fresh.database.clone(),
                Arc::clone(&stop),
                Arc::clone(&reads),
            );
            tokio::spawn(async move {
                while !stop.load(Ordering::Relaxed) {
                    assert_eq!(
                        number(&database.session(Access::Read), reader).await,
                        reader
                    );
                    reads.fetch_add(1, Ordering::Relaxed);
                }
            })
        })
        .collect();
    let name = fresh.url.rsplit_once('/').unwrap().1.to_owned();
    for _ in 0..20 {
        maintenance(&format!(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}' AND application_name LIKE '% reads'"
        ))
        .await;
        let before = reads.load(Ordering::Relaxed);
        until("reads continue", async || {
            reads.load(Ordering::Relaxed) > before + 50
        })
        .await;
    }
    stop.store(true, Ordering::Relaxed);
    for reader in readers {
        reader.await.unwrap();
    }
    fast_session(&fresh.database).await;
    fresh.drop().await;
}

/// All of them at once, as when the server restarts.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restart_is_survived() {
    let fresh = Fresh::postgres().await;
    let name = fresh.url.rsplit_once('/').unwrap().1.to_owned();
    for round in 0..5 {
        let session = fast_session(&fresh.database).await;
        crate::session::count(&fresh.database, "pg_class").await;
        maintenance(&format!(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"
        ))
        .await;
        for n in 0..20 {
            assert_eq!(number(&session, n).await, n, "{round}");
        }
    }
    fresh.drop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_statement_has_its_time() {
    let fresh = Fresh::postgres().await;
    let options = DatabaseOptions {
        statement_timeout: Duration::from_millis(100),
        ..fresh.options()
    };
    let database = Database::connect(&options).await.unwrap();
    let session = fast_session(&database).await;
    let error = endless(session.clone()).await.unwrap_err();
    assert!(
        classify(&error).is_some_and(|problem| problem.code == "unavailable"),
        "{error:?}"
    );
    assert!(error.to_string().contains("statement timeout"), "{error}");
    assert!(is_pipelined(&fast_session(&database).await).await);
    database.close().await;
    fresh.drop().await;
}
