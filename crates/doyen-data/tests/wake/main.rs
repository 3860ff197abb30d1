//! Wake-ups reach every listener after a commit, and none after a rollback.

#![allow(
    dead_code,
    unused_macros,
    unused_imports,
    reason = "the harness of the suite is shared"
)]

#[path = "../suite/harness.rs"]
mod harness;
#[path = "../suite/pgbouncer.rs"]
mod pgbouncer;

use std::time::Duration;

use doyen_core::Access;
use doyen_data::sea_orm::DbBackend;
use doyen_data::{Database, DatabaseOptions};

use crate::harness::{Fresh, both, maintenance, server_url};

/// A wait that must end long before; the runner ends a test after a minute, without its reason.
const HANG: Duration = Duration::from_secs(40);

async fn commit(database: &Database, channel: &'static str) {
    let session = database.session(Access::Write);
    session.wake(channel);
    session.wake(channel);
    session.commit().await.unwrap();
}

both! {
    async fn a_commit_wakes_the_listeners_of_its_channel(fresh) {
        let mut jobs = fresh.database.wakeups("jobs");
        let mut mails = fresh.database.wakeups("mails");
        // On PostgreSQL the connection of the listener wakes each channel once.
        if fresh.database.backend() == DbBackend::Postgres {
            for wakeups in [&mut jobs, &mut mails] {
                assert!(wakeups.wait(HANG).await, "the listener did not connect");
                while wakeups.wait(Duration::ZERO).await {}
            }
        }
        let session = fresh.database.session(Access::Write);
        session.wake("jobs");
        assert!(!jobs.wait(Duration::ZERO).await, "before the commit");
        session.rollback().await;
        assert!(!jobs.wait(Duration::ZERO).await, "after a rollback");
        commit(&fresh.database, "jobs").await;
        // It is remembered until a listener waits, and is one however often it was requested.
        assert!(jobs.wait(HANG).await);
        assert!(!jobs.wait(Duration::ZERO).await);
        assert!(!mails.wait(Duration::ZERO).await);
    }
}

/// Waits until notifications of one process reach the other: it connects in the background.
async fn woken(listener: &Database, writer: &Database) {
    let mut wakeups = listener.wakeups("jobs");
    // The first wake-up is that of the connection itself.
    assert!(wakeups.wait(HANG).await, "the listener did not connect");
    while wakeups.wait(Duration::ZERO).await {}
    commit(writer, "jobs").await;
    assert!(wakeups.wait(HANG).await, "not woken");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_wakes_other_processes_on_postgres() {
    let fresh = Fresh::postgres().await;
    let other = fresh.another().await;
    woken(&other, &fresh.database).await;
    other.close().await;
    fresh.drop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lost_connection_wakes_the_listeners_and_is_replaced() {
    let fresh = Fresh::postgres().await;
    let other = fresh.another().await;
    woken(&other, &fresh.database).await;
    let mut wakeups = other.wakeups("jobs");
    let sql = format!(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{}' AND query LIKE 'LISTEN%'",
        fresh.name
    );
    maintenance(&sql).await;
    assert!(
        wakeups.wait(HANG).await,
        "what was lost meanwhile is not noticed"
    );
    while wakeups.wait(Duration::ZERO).await {}
    commit(&fresh.database, "jobs").await;
    assert!(
        wakeups.wait(HANG).await,
        "not woken after the connection was replaced"
    );
    other.close().await;
    fresh.drop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_url_without_the_pooler_listens() {
    let fresh = Fresh::pgbouncer().await;
    let direct = server_url()
        .rsplit_once('/')
        .map(|(server, _)| format!("{server}/{}", fresh.name));
    let options = DatabaseOptions {
        listen_url: direct,
        ..fresh.options()
    };
    let other = Database::connect(&options).await.unwrap();
    woken(&other, &fresh.database).await;
    other.close().await;
    fresh.drop().await;
}
