//! A request that is cancelled at any point leaves nothing behind.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use doyen_core::Access;
use doyen_data::sea_orm::{ConnectionTrait as _, DbErr};
use doyen_data::{Database, DatabaseOptions, Session};

use crate::harness::{Fresh, everywhere};
use crate::session::count;

/// Polls a future this many times and then drops it.
struct Abandon<F> {
    future: Option<Pin<Box<F>>>,
    polls: u32,
}

impl<F: Future> Future for Abandon<F> {
    type Output = bool;
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<bool> {
        if self.polls == 0 {
            self.future = None;
            return Poll::Ready(false);
        }
        self.polls -= 1;
        match self.future.as_mut().map(|future| future.as_mut().poll(cx)) {
            Some(Poll::Pending) => {
                // Each wake-up counts: it comes from the connection.
                if self.polls == 0 {
                    self.future = None;
                    return Poll::Ready(false);
                }
                Poll::Pending
            }
            _ => Poll::Ready(true),
        }
    }
}

fn abandon<F: Future>(polls: u32, future: F) -> Abandon<F> {
    Abandon {
        future: Some(Box::pin(future)),
        polls,
    }
}

/// Two rows or none, and a contended lock.
async fn work(session: Session) -> Result<(), DbErr> {
    session
        .execute_sql(
            "UPDATE counters SET value = value + 1 WHERE name = 'hits'",
            [],
        )
        .await?;
    session
        .execute_sql(
            "INSERT INTO customers (email) VALUES ($1)",
            [uuid::Uuid::now_v7().to_string().into()],
        )
        .await?;
    session
        .savepoint(async |s| {
            s.execute_sql(
                "INSERT INTO customers (email) VALUES ($1)",
                [uuid::Uuid::now_v7().to_string().into()],
            )
            .await
        })
        .await?;
    session
        .query_all_raw(doyen_data::sea_orm::Statement::from_string(
            session.backend(),
            "SELECT * FROM customers",
        ))
        .await?;
    session
        .commit()
        .await
        .map_err(|error| DbErr::Custom(format!("{error:?}")))
}

async fn prepared(fresh: &Fresh) {
    fresh.migrated().await;
    let session = fresh.database.session(Access::Write);
    session
        .execute_sql("INSERT INTO counters (name, value) VALUES ('hits', 0)", [])
        .await
        .unwrap();
    session.commit().await.unwrap();
}

/// Waits until all connections are idle; fails after a timeout.
async fn at_rest(database: &Database) {
    let waited = Instant::now();
    loop {
        let pool = database.pool();
        assert!(pool.open <= pool.max, "{pool:?}");
        if pool.open == pool.idle {
            return;
        }
        assert!(
            waited.elapsed() < Duration::from_secs(10),
            "a connection does not come back: {pool:?}"
        );
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

everywhere! {
    async fn a_thousand_times_at_every_point(fresh) {
        prepared(fresh).await;
        let workers = (0..4).map(|worker| {
            let database = fresh.database.clone();
            tokio::spawn(async move {
                let mut finished = 0;
                for round in 0..250_u32 {
                    if abandon((round + worker * 7) % 40 + 1, work(database.session(Access::Write))).await {
                        finished += 1;
                    }
                }
                finished
            })
        });
        let mut finished = 0;
        for worker in workers.collect::<Vec<_>>() {
            finished += worker.await.unwrap();
        }
        assert!((1..1000).contains(&finished), "some finish, some do not: {finished}");
        at_rest(&fresh.database).await;
        // No change is partial. A commit that was sent may have succeeded without a reader of its
        // response.
        let rows = count(&fresh.database, "customers").await;
        let hits = crate::session::count(&fresh.database, "customers").await / 2;
        assert_eq!(rows % 2, 0, "two rows or none");
        assert!(hits >= finished);
        // The locks are released: otherwise this would wait.
        let started = Instant::now();
        work(fresh.database.session(Access::Write)).await.unwrap();
        assert!(started.elapsed() < Duration::from_secs(1), "{:?}", started.elapsed());
    }
}

/// Runs for minutes unless it is cancelled.
fn endless(database: &Database) -> &'static str {
    match database.backend() {
        doyen_data::sea_orm::DbBackend::Postgres => "SELECT pg_sleep(600)",
        _ => {
            "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"
        }
    }
}

everywhere! {
    async fn in_the_middle_of_a_statement_that_would_run_for_minutes(fresh) {
        prepared(fresh).await;
        // A single writer, so that a leaked one is detected at once.
        let database = Database::connect(&DatabaseOptions {
            max_connections: 1,
            statement_timeout: Duration::from_secs(600),
            acquire_timeout: Duration::from_secs(5),
            ..fresh.options()
        }).await.unwrap();
        for access in [Access::Write, Access::Read] {
            for round in 0..10 {
                let session = database.session(access);
                let busy = async {
                    if access == Access::Write {
                        session.execute_sql("UPDATE counters SET value = 99 WHERE name = 'hits'", []).await.unwrap();
                    }
                    session.execute_unprepared(endless(&database)).await
                };
                assert!(tokio::time::timeout(Duration::from_millis(15), busy).await.is_err(), "it should still be running");
                drop(session);
                let started = Instant::now();
                work(database.session(Access::Write)).await.unwrap();
                assert!(started.elapsed() < Duration::from_secs(2), "{access:?} {round}: {:?}", started.elapsed());
            }
        }
        at_rest(&database).await;
        assert_eq!(count(&database, "customers").await, 40);
        database.close().await;
    }
}

everywhere! {
    async fn a_statement_given_up_by_the_handler_ends_the_unit_of_work(fresh) {
        prepared(fresh).await;
        let session = fresh.database.session(Access::Write);
        session.execute_sql("UPDATE counters SET value = 7", []).await.unwrap();
        assert!(tokio::time::timeout(Duration::from_millis(15), session.execute_unprepared(endless(&fresh.database))).await.is_err());
        let error = session.execute_sql("UPDATE counters SET value = 8", []).await.unwrap_err().to_string();
        assert!(error.contains("given up"), "{error}");
        assert!(session.commit().await.is_err(), "half of it must not be kept");
        work(fresh.database.session(Access::Write)).await.unwrap();
        assert_eq!(count(&fresh.database, "counters WHERE value = 1").await, 1);
    }
}

everywhere! {
    async fn a_panic_rolls_back(fresh) {
        prepared(fresh).await;
        let session = fresh.database.session(Access::Write);
        let handler = tokio::spawn(async move {
            session.execute_sql("UPDATE counters SET value = 7", []).await.unwrap();
            panic!("a handler fell over");
        });
        assert!(handler.await.unwrap_err().is_panic());
        work(fresh.database.session(Access::Write)).await.unwrap();
        assert_eq!(count(&fresh.database, "counters WHERE value = 1").await, 1);
        at_rest(&fresh.database).await;
    }
}
