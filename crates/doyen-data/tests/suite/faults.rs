//! Failures of the database.

use std::error::Error as _;
use std::time::{Duration, Instant};

use doyen_core::{Access, Problem as _};
use doyen_data::sea_orm::{ConnectionTrait as _, DbErr, Statement};
use doyen_data::{Database, DatabaseOptions, Session, classify};

use crate::harness::{Fresh, both, maintenance};
use crate::session::count;

fn is_unavailable(error: &DbErr) -> bool {
    classify(error).is_some_and(|problem| problem.code == "unavailable")
}

async fn kill_backends(fresh: &Fresh) {
    let name = fresh.url.rsplit_once('/').unwrap().1;
    // The server ends them one after the other; this waits until they are gone.
    maintenance(&format!(
        "DO $$ BEGIN PERFORM pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}';
         FOR i IN 1..500 LOOP
             PERFORM pg_stat_clear_snapshot();
             EXIT WHEN NOT EXISTS (SELECT 1 FROM pg_stat_activity WHERE datname = '{name}');
             PERFORM pg_sleep(0.01);
         END LOOP; END $$"
    ))
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dead_connections_are_not_noticed_by_reads_and_first_writes() {
    let fresh = Fresh::postgres().await;
    fresh.migrated().await;
    for round in 0..5 {
        // Several connections are idle when the server ends them all.
        let sessions: Vec<_> = (0..5)
            .map(|_| fresh.database.session(Access::Write))
            .collect();
        for session in &sessions {
            session.execute_unprepared("SELECT 1").await.unwrap();
        }
        for session in &sessions {
            session.commit().await.unwrap();
        }
        assert!(fresh.database.pool().idle >= 5);
        kill_backends(&fresh).await;
        if round % 2 == 0 {
            assert_eq!(count(&fresh.database, "customers").await, round);
        }
        let session = fresh.database.session(Access::Write);
        session
            .execute_sql(
                "INSERT INTO customers (email) VALUES ($1)",
                [round.to_string().into()],
            )
            .await
            .unwrap();
        session.commit().await.unwrap();
    }
    fresh.drop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_that_dies_inside_a_transaction_is_said_so() {
    let fresh = Fresh::postgres().await;
    fresh.migrated().await;
    let session = fresh.database.session(Access::Write);
    session
        .execute_sql("INSERT INTO customers (email) VALUES ('a')", [])
        .await
        .unwrap();
    kill_backends(&fresh).await;
    let error = session
        .execute_sql("INSERT INTO customers (email) VALUES ('b')", [])
        .await
        .unwrap_err();
    assert!(is_unavailable(&error), "{error}");
    session.rollback().await;

    // During the commit the outcome is unknown.
    let session = fresh.database.session(Access::Write);
    session
        .execute_sql("INSERT INTO customers (email) VALUES ('c')", [])
        .await
        .unwrap();
    kill_backends(&fresh).await;
    assert_eq!(
        session.commit().await.unwrap_err().info().code,
        "outcome_unknown"
    );
    assert_eq!(count(&fresh.database, "customers").await, 0);
    fresh.drop().await;
}

both! {
    async fn a_full_pool_refuses_in_time(fresh) {
        fresh.migrated().await;
        let options = DatabaseOptions { max_connections: 1, acquire_timeout: Duration::from_millis(500), ..fresh.options() };
        let database = Database::connect(&options).await.unwrap();
        let holder = database.session(Access::Write);
        holder.execute_unprepared("SELECT 1").await.unwrap();
        let started = Instant::now();
        let error = database.session(Access::Write).execute_unprepared("SELECT 1").await.unwrap_err();
        assert!(is_unavailable(&error), "{error}");
        assert!(started.elapsed() < Duration::from_secs(2), "{:?}", started.elapsed());
        database.ping().await.expect("requests hold the pool, and the database is ready");
        holder.rollback().await;
        database.session(Access::Write).execute_unprepared("SELECT 1").await.unwrap();
        database.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_was_overwritten_is_not_ready() {
    let fresh = Fresh::sqlite().await;
    fresh.migrated().await;
    fresh.database.ping().await.unwrap();
    let file = fresh.url.strip_prefix("sqlite://").unwrap();
    // What the write-ahead log holds hides the file.
    let session = fresh.database.session(Access::Write);
    session
        .execute_unprepared("INSERT INTO customers (email) VALUES ('a')")
        .await
        .unwrap();
    session.commit().await.unwrap();
    fresh.database.close().await;
    let database = fresh.another().await;
    database.ping().await.unwrap();
    let noise = vec![0xa5; std::fs::metadata(file).unwrap().len() as usize];
    std::fs::write(file, &noise).unwrap();
    std::fs::remove_file(format!("{file}-wal")).unwrap();
    let error = database.ping().await.unwrap_err();
    assert!(error.to_string().contains("not a database"), "{error}");
    database.close().await;
    fresh.drop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_full_or_corrupt_is_not_ready() {
    for code in ["53100", "XX001", "XX002"] {
        let fresh = Fresh::postgres().await;
        fresh.database.ping().await.unwrap();
        let session = fresh.database.session(Access::Write);
        let raise = |code| format!("DO $$ BEGIN RAISE 'broken' USING ERRCODE = '{code}'; END $$");
        session
            .execute_unprepared(&raise("23505"))
            .await
            .unwrap_err();
        session.rollback().await;
        fresh.database.ping().await.unwrap();
        let session = fresh.database.session(Access::Write);
        session.execute_unprepared(&raise(code)).await.unwrap_err();
        session.rollback().await;
        let error = fresh.database.ping().await.unwrap_err();
        assert!(error.to_string().contains("broken"), "{error}");
        fresh.drop().await;
    }
}

both! {
    async fn a_statement_has_its_time(fresh) {
        let database = Database::connect(&DatabaseOptions { statement_timeout: Duration::from_millis(100), ..fresh.options() }).await.unwrap();
        let sql = if fresh.is_postgres() {
            "SELECT pg_sleep(600)"
        } else {
            "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"
        };
        let started = Instant::now();
        let session = database.session(Access::Read);
        let error = session.query_all_raw(Statement::from_string(session.backend(), sql)).await.unwrap_err();
        assert!(is_unavailable(&error), "{error}");
        assert!(started.elapsed() < Duration::from_secs(2), "{:?}", started.elapsed());
        database.ping().await.unwrap();
        database.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn waiting_for_a_lock_has_its_time() {
    let fresh = Fresh::postgres().await;
    fresh.migrated().await;
    let database = Database::connect(&DatabaseOptions {
        lock_timeout: Duration::from_millis(100),
        ..fresh.options()
    })
    .await
    .unwrap();
    let holder = database.session(Access::Write);
    holder
        .execute_unprepared("LOCK TABLE customers")
        .await
        .unwrap();
    let error = database
        .session(Access::Write)
        .execute_unprepared("INSERT INTO customers (email) VALUES ('a')")
        .await
        .unwrap_err();
    assert!(is_unavailable(&error), "{error}");
    database.close().await;
    drop(holder);
    fresh.drop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_process_that_writes_is_waited_for_and_then_refused() {
    let fresh = Fresh::sqlite().await;
    fresh.migrated().await;
    let database = Database::connect(&DatabaseOptions {
        busy_timeout: Duration::from_millis(100),
        ..fresh.options()
    })
    .await
    .unwrap();
    let other = fresh.another().await;
    let holder = other.session(Access::Write);
    holder
        .execute_unprepared("INSERT INTO customers (email) VALUES ('a')")
        .await
        .unwrap();
    let error = database
        .session(Access::Write)
        .execute_unprepared("INSERT INTO customers (email) VALUES ('b')")
        .await
        .unwrap_err();
    assert!(is_unavailable(&error), "{error}");
    let error = database
        .session(Access::Write)
        .execute_sql("INSERT INTO customers (email) VALUES ($1)", ["b".into()])
        .await
        .unwrap_err();
    assert!(is_unavailable(&error), "{error}");
    assert_eq!(count(&database, "customers").await, 0, "reads continue");
    holder.commit().await.unwrap();
    let session = database.session(Access::Write);
    session
        .execute_unprepared("INSERT INTO customers (email) VALUES ('b')")
        .await
        .unwrap();
    session.commit().await.unwrap();
    database.close().await;
    other.close().await;
    fresh.drop().await;
}

/// Forwards bytes until it is stopped; then it stays connected and forwards nothing.
async fn proxy(to: String) -> (u16, tokio::sync::watch::Sender<bool>) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let (stall, stalled) = tokio::sync::watch::channel(false);
    tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            let (to, mut stalled) = (to.clone(), stalled.clone());
            tokio::spawn(async move {
                let mut server = tokio::net::TcpStream::connect(to).await.unwrap();
                tokio::select! {
                    _ = tokio::io::copy_bidirectional(&mut client, &mut server) => {}
                    () = async { let _changed = stalled.wait_for(|stalled| *stalled).await.is_ok(); } => std::future::pending().await,
                }
            });
        }
    });
    (port, stall)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_falls_silent_is_not_waited_for() {
    let fresh = Fresh::postgres().await;
    let (server, name) = fresh.url.rsplit_once('/').unwrap();
    let host = server.rsplit_once('@').unwrap().1.to_owned();
    let (port, stall) = proxy(host).await;
    let options = DatabaseOptions {
        statement_timeout: Duration::from_millis(100),
        acquire_timeout: Duration::from_millis(500),
        ..DatabaseOptions::new(format!(
            "postgres://postgres@127.0.0.1:{port}/{name}?sslmode=disable"
        ))
    };
    let database = Database::connect(&options).await.unwrap();
    stall.send(true).unwrap();
    let started = Instant::now();
    let session = database.session(Access::Read);
    let error = session
        .query_all_raw(Statement::from_string(session.backend(), "SELECT 1"))
        .await
        .unwrap_err();
    assert!(is_unavailable(&error), "{error}");
    let error = database
        .session(Access::Write)
        .execute_unprepared("SELECT 1")
        .await
        .unwrap_err();
    assert!(is_unavailable(&error), "{error}");
    assert!(
        started.elapsed() < Duration::from_secs(8),
        "{:?}",
        started.elapsed()
    );
    fresh.drop().await;
}

#[tokio::test]
async fn a_failed_open_states_reason_and_remedy() {
    let here = std::env::temp_dir().join(format!("doyen-refused-{}", std::process::id()));
    std::fs::create_dir_all(&here).unwrap();
    std::fs::write(here.join("text.db"), "this is a text, and a long one: it has more than a hundred bytes, so that it is not taken for an empty file..").unwrap();
    std::fs::write(here.join("file"), "").unwrap();
    let short = |url: &str| DatabaseOptions {
        acquire_timeout: Duration::from_millis(300),
        ..DatabaseOptions::new(url)
    };
    for (url, expected) in [
        ("mysql://localhost/x", "must begin with"),
        ("nonsense", "must begin with"),
        ("sqlite::memory:", "belongs to one connection"),
        ("sqlite://", "names no file"),
        (
            &format!("sqlite://{}/text.db", here.display()),
            "not a SQLite database",
        ),
        (&format!("sqlite://{}/file/x.db", here.display()), "folder"),
        (&format!("sqlite://{}", here.display()), "cannot be opened"),
        (
            "postgres://postgres:s3cret@127.0.0.1:5432/no_such_database",
            "createdb",
        ),
        ("postgres://", "names no database"),
        (
            "postgres://postgres:s3cret@127.0.0.1:5432",
            "names no database",
        ),
        (
            "postgres://postgres:s3cret#x@127.0.0.1:5432/postgres",
            "`#` is `%23`",
        ),
        (
            "postgres://postgres:s3cret/x@127.0.0.1:5432/postgres",
            "`/` is `%2F`",
        ),
        (
            "postgres://postgres:s3cret@127.0.0.1:5432/postgres?sslmode=verify-full&sslrootcert=/nowhere.pem",
            "",
        ),
        (
            &format!("sqlite://{}/new.db\n", here.display()),
            "line break",
        ),
        (
            "postgres://postgres:s3cret@127.0.0.1:1/x",
            "correct host and port",
        ),
        (
            "postgres://nobody_here:s3cret@127.0.0.1:5432/postgres",
            "refuses the user",
        ),
    ] {
        let error = Database::connect(&short(url)).await.expect_err(url);
        let chain = format!("{error} {:?} {:?}", error, error.source());
        assert!(error.to_string().contains(expected), "{url}: {error}");
        assert!(!chain.contains("s3cret"), "{chain}");
    }
    assert!(!here.join("new.db\n").exists() && !here.join("new.db").exists());
    std::fs::remove_dir_all(here).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_deadlocked_transactions_one_gets_an_error() {
    let fresh = Fresh::postgres().await;
    fresh.migrated().await;
    let session = fresh.database.session(Access::Write);
    session
        .execute_unprepared("INSERT INTO counters VALUES ('a', 0), ('b', 0)")
        .await
        .unwrap();
    session.commit().await.unwrap();
    let take = async |session: &Session, name: &str| {
        session
            .execute_sql(
                "UPDATE counters SET value = 1 WHERE name = $1",
                [name.into()],
            )
            .await
    };
    let (one, two) = (
        fresh.database.session(Access::Write),
        fresh.database.session(Access::Write),
    );
    take(&one, "a").await.unwrap();
    take(&two, "b").await.unwrap();
    let (first, second) = futures_util::future::join(
        async {
            let result = take(&one, "b").await;
            one.rollback().await;
            result
        },
        async {
            let result = take(&two, "a").await;
            two.rollback().await;
            result
        },
    )
    .await;
    let refused: Vec<_> = [first, second]
        .into_iter()
        .filter_map(Result::err)
        .collect();
    assert_eq!(refused.len(), 1, "{refused:?}");
    assert!(is_unavailable(&refused[0]), "{refused:?}");
    fresh.drop().await;
}

/// A rolling update: another node migrates while this one has a prepared statement for the old
/// table.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_statement_prepared_before_a_migration_is_prepared_again() {
    let fresh = Fresh::postgres().await;
    fresh.migrated().await;
    let read = async || {
        let session = fresh.database.session(Access::Read);
        session
            .query_all_raw(Statement::from_string(
                session.backend(),
                "SELECT * FROM customers",
            ))
            .await
    };
    read().await.unwrap();
    for sql in [
        "ALTER TABLE customers ADD COLUMN name text",
        "ALTER TABLE customers DROP COLUMN name",
    ] {
        let other = fresh.another().await;
        let session = other.session(Access::Write);
        session.execute_unprepared(sql).await.unwrap();
        session.commit().await.unwrap();
        other.close().await;
        read().await.unwrap();
    }
    // Each connection of the pool has the statement. No request fails, whether it is the only
    // statement of a request or the first of its unit of work.
    for access in [Access::Read, Access::Write] {
        let sessions: Vec<_> = (0..5)
            .map(|_| fresh.database.session(Access::Write))
            .collect();
        let read = async |session: &Session| {
            let sql = "SELECT * FROM customers";
            let statement = Statement::from_string(session.backend(), sql);
            session.query_all_raw(statement).await
        };
        for session in &sessions {
            session.execute_unprepared("SELECT 1").await.unwrap();
            read(session).await.unwrap();
        }
        for session in &sessions {
            session.commit().await.unwrap();
        }
        assert!(fresh.database.pool().idle >= 5);
        let other = fresh.another().await;
        let session = other.session(Access::Write);
        let sql = format!("ALTER TABLE customers ADD COLUMN more_{access:?} text");
        session.execute_unprepared(&sql).await.unwrap();
        session.commit().await.unwrap();
        other.close().await;
        let reads = (0..5).map(|_| async {
            let session = fresh.database.session(access);
            let rows = read(&session).await;
            session.rollback().await;
            rows
        });
        for rows in futures_util::future::join_all(reads).await {
            rows.unwrap();
        }
    }
    // A pooler that selects another server connection has none of our prepared statements.
    let session = fresh.database.session(Access::Write);
    session.execute_unprepared("DEALLOCATE ALL").await.unwrap();
    session.commit().await.unwrap();
    read().await.unwrap();
    fresh.drop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_refuses_writes_and_serves_reads() {
    let fresh = Fresh::sqlite().await;
    fresh.migrated().await;
    let fill = async || -> Result<(), DbErr> {
        for n in 0..1_000 {
            let session = fresh.database.session(Access::Write);
            let email = format!("{n}{}", "x".repeat(1_000));
            session
                .execute_sql("INSERT INTO customers (email) VALUES ($1)", [email.into()])
                .await?;
            session
                .commit()
                .await
                .map_err(|error| DbErr::Custom(format!("{error:?}")))?;
        }
        Ok(())
    };
    let limit = fresh.database.session(Access::Write);
    limit
        .execute_unprepared("PRAGMA max_page_count = 60")
        .await
        .unwrap();
    limit.commit().await.unwrap();
    let error = fill().await.unwrap_err();
    assert!(is_unavailable(&error), "{error}");
    let rows = count(&fresh.database, "customers").await;
    assert!(rows > 10);
    let more = fresh.database.session(Access::Write);
    more.execute_unprepared("PRAGMA max_page_count = 100000")
        .await
        .unwrap();
    more.execute_sql(
        "INSERT INTO customers (email) VALUES ('there is room again')",
        [],
    )
    .await
    .unwrap();
    more.commit().await.unwrap();
    assert_eq!(count(&fresh.database, "customers").await, rows + 1);
    fresh.drop().await;
}

both! {
    async fn a_closed_database_refuses(fresh) {
        let database = fresh.another().await;
        let busy = database.session(Access::Write);
        busy.execute_unprepared("SELECT 1").await.unwrap();
        database.close().await;
        let refused: Result<_, _> = Session::execute_unprepared(&database.session(Access::Read), "SELECT 1").await;
        assert!(is_unavailable(&refused.unwrap_err()));
        busy.commit().await.unwrap();
        assert_eq!(database.pool().open, 0, "{:?}", database.pool());
    }
}
