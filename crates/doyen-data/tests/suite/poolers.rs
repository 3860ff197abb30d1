//! A pooler in front of PostgreSQL: the settings of a connection hold, or nothing starts.

use std::time::{Duration, Instant};

use doyen_core::Access;
use doyen_data::sea_orm::{ConnectionTrait as _, Statement};
use doyen_data::{Database, DatabaseOptions, Migrator, Pooler, classify};

use crate::entities::customer;
use crate::harness::{Fresh, TABLES};
use crate::pgbouncer::PgBouncer;
use crate::session::count;

fn options(url: String, pooler: Pooler) -> DatabaseOptions {
    DatabaseOptions {
        pooler,
        statement_timeout: Duration::from_millis(300),
        lock_timeout: Duration::from_millis(200),
        ..DatabaseOptions::new(url)
    }
}

async fn refused(url: String, pooler: Pooler) -> String {
    let error = Database::connect(&options(url, pooler)).await;
    error.expect_err("it must not start").to_string()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pooler_that_drops_the_settings_is_found() {
    let fresh = Fresh::postgres().await;
    for (mode, dropped) in [
        ("session", "extra_float_digits"),
        ("session", "extra_float_digits, options"),
        ("transaction", "extra_float_digits"),
        ("transaction", "extra_float_digits, options"),
    ] {
        let bouncer = PgBouncer::start(mode, dropped).await;
        let error = refused(bouncer.url(&fresh.name), Pooler::None).await;
        assert!(
            error.contains("`database.pooler`"),
            "{mode}, {dropped}: {error}"
        );
    }
    // A mode that is not the one of the pooler, before a `SET` changes a connection of others.
    let bouncer = PgBouncer::start("transaction", "options").await;
    let error = refused(bouncer.url(&fresh.name), Pooler::Session).await;
    assert!(error.contains("to `transaction`"), "{error}");
    let plain = options(bouncer.url(&fresh.name), Pooler::Transaction);
    let database = Database::connect(&plain).await.unwrap();
    let session = database.session(Access::Write);
    let sql = "SELECT current_setting('default_transaction_read_only')";
    let statement = Statement::from_string(session.backend(), sql);
    let row = session.query_one_raw(statement).await.unwrap().unwrap();
    assert_eq!(row.try_get_by_index::<String>(0).unwrap(), "off");
    database.close().await;
    // A mode without transactions.
    let bouncer = PgBouncer::start("statement", "options").await;
    let error = refused(bouncer.url(&fresh.name), Pooler::Transaction).await;
    assert!(error.contains("SQLSTATE 08P01"), "{error}");
    fresh.drop().await;
}

/// A code that has no advice is shown, and not taken for a server that does not answer.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_unknown_error_of_the_server_is_shown() {
    let url = crate::harness::server_url();
    let error = refused(format!("{url}?options=-c%20nonsense%3D1"), Pooler::None).await;
    assert!(
        error.contains("SQLSTATE 42704") && error.contains("nonsense"),
        "{error}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_settings_hold_through_a_pooler() {
    let fresh = Fresh::postgres().await;
    fresh.migrated().await;
    for (mode, pooler) in [
        ("session", Pooler::Session),
        ("transaction", Pooler::Transaction),
    ] {
        let bouncer = PgBouncer::start(mode, "options, extra_float_digits").await;
        let database = Database::connect(&options(bouncer.url(&fresh.name), pooler)).await;
        let database = database.unwrap();
        // Read-only, whatever the first word is.
        let session = database.session(Access::Read);
        for sql in [
            "WITH new AS (INSERT INTO customers (email) VALUES ('a') RETURNING id) SELECT id FROM new",
            "SELECT nextval('customers_id_seq') AS id",
        ] {
            let statement = Statement::from_string(session.backend(), sql);
            let error = session
                .query_all_raw(statement)
                .await
                .unwrap_err()
                .to_string();
            assert!(error.contains("only reads"), "{mode}: {error}");
            let error = session
                .query_as::<Id>(sql, [])
                .await
                .unwrap_err()
                .to_string();
            assert!(error.contains("only reads"), "{mode}: {error}");
        }
        // The timeout of a statement, in both kinds of sessions.
        for access in [Access::Read, Access::Write] {
            let session = database.session(access);
            let statement = Statement::from_string(session.backend(), "SELECT pg_sleep(60)");
            let started = Instant::now();
            let error = session.query_all_raw(statement).await.unwrap_err();
            assert_eq!(
                classify(&error).unwrap().code,
                "unavailable",
                "{mode}: {error}"
            );
            assert!(
                error.to_string().contains("statement timeout"),
                "{mode}: {error}"
            );
            assert!(started.elapsed() < Duration::from_secs(20));
            session.rollback().await;
        }
        // The timeout of a lock.
        let holder = fresh.database.session(Access::Write);
        holder
            .execute_unprepared("LOCK TABLE customers")
            .await
            .unwrap();
        let session = database.session(Access::Write);
        let sql = "INSERT INTO customers (email) VALUES ($1)";
        let error = session.execute_sql(sql, ["a".into()]).await.unwrap_err();
        assert!(
            error.to_string().contains("lock timeout"),
            "{mode}: {error}"
        );
        session.rollback().await;
        holder.rollback().await;
        // A transaction that was abandoned.
        let session = database.session(Access::Write);
        let sql = "SELECT current_setting('idle_in_transaction_session_timeout')";
        let statement = Statement::from_string(session.backend(), sql);
        let row = session.query_one_raw(statement).await.unwrap().unwrap();
        assert_eq!(row.try_get_by_index::<String>(0).unwrap(), "3s", "{mode}");
        session.rollback().await;
        database.close().await;
    }
    assert_eq!(count(&fresh.database, "customers").await, 0);
    fresh.drop().await;
}

#[derive(Debug, doyen_data::sea_orm::FromQueryResult, doyen_data::Row)]
#[allow(dead_code, reason = "it is not read")]
struct Id {
    id: i64,
}

/// More connections than the pooler has to the server, and the same statements on each.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_units_of_work_share_few_server_connections() {
    let fresh = Fresh::pgbouncer().await;
    Migrator::new(&fresh.database, TABLES).up().await.unwrap();
    let others = [fresh.another().await, fresh.another().await];
    let databases = others.iter().chain([&fresh.database]);
    let work = databases.flat_map(|database| {
        (0..30).map(move |number| async move {
            let session = database.session(Access::Write);
            let sql = "INSERT INTO customers (email) VALUES ($1) RETURNING id";
            let email = format!("{number}-{:p}", database);
            let row = session
                .query_one_as::<Id>(sql, [email.into()])
                .await
                .unwrap();
            session.commit().await.unwrap();
            let session = database.session(Access::Read);
            let found = session.get::<customer::Entity>(row.unwrap().id).await;
            assert!(found.unwrap().is_some());
        })
    });
    futures_util::future::join_all(work).await;
    assert_eq!(count(&fresh.database, "customers").await, 90);
    for other in others {
        other.close().await;
    }
    fresh.drop().await;
}

/// Such a migration takes a lock that belongs to its connection.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_migration_outside_of_a_transaction_needs_the_server_itself() {
    use doyen_data::{Migration, Migrations};
    const MIGRATIONS: Migrations = Migrations {
        sqlite: &[],
        postgres: &[Migration {
            version: 1,
            name: "concurrent",
            up: "-- no-transaction\nCREATE TABLE alone (id bigint);\n",
            down: "DROP TABLE alone;",
        }],
        folder: None,
    };
    let fresh = Fresh::pgbouncer().await;
    let error = Migrator::new(&fresh.database, MIGRATIONS)
        .up()
        .await
        .unwrap_err();
    assert!(error.to_string().contains("URL of the server"), "{error}");
    fresh.drop().await;
}
