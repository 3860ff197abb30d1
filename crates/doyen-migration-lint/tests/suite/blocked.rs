//! Migrations that wait for a lock that another session holds.

use std::time::Duration;

use doyen::data::Session;
use doyen::data::sea_orm::{ConnectionTrait as _, Statement};
use doyen::domain::Access;
use doyen_test::Program;

use crate::kit::{Lab, LabApp, assert_contains};

const ADD: &str = "ALTER TABLE t ADD COLUMN b integer;";
const TIMEOUT: Duration = Duration::from_secs(30);

/// Creates a table, and holds a lock on it. Returns the session and the id of its process.
async fn hold(app: &LabApp) -> (Session, i32) {
    app.execute("CREATE TABLE t (a integer)", []).await;
    let session = app.database().session(Access::Write);
    let lock = "LOCK TABLE t IN ACCESS SHARE MODE";
    session.execute_sql(lock, []).await.unwrap();
    let backend = session.backend();
    let pid = Statement::from_string(backend, "SELECT pg_backend_pid() AS holds_the_lock");
    let row = session.query_one_raw(pid).await.unwrap().unwrap();
    (session, row.try_get_by_index(0).unwrap())
}

fn up(lab: &Lab, app: &LabApp, attempts: &str) -> Program {
    lab.program("test", app.database_url(), &["migrate", "up"])
        .env("APP_DATABASE__MIGRATION_LOCK_TIMEOUT", "400ms")
        .env("APP_DATABASE__MIGRATION_LOCK_ATTEMPTS", attempts)
}

/// Number of sessions that wait for a lock on the table.
async fn waiting(app: &LabApp) -> i64 {
    app.count("pg_locks WHERE NOT granted AND relation = 't'::regclass")
        .await
}

async fn until(app: &LabApp, waits: bool) {
    let reached = async {
        while (waiting(app).await > 0) != waits {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    let done = tokio::time::timeout(TIMEOUT, reached).await;
    assert!(done.is_ok(), "waits: {waits}");
}

async fn run(program: Program) -> doyen_test::Ended {
    let run = tokio::task::spawn_blocking(|| program.run());
    run.await.unwrap()
}

#[doyen_test::test(postgres)]
async fn a_blocked_migration_gives_up_and_names_the_holder(app: LabApp) {
    let lab = Lab::new();
    for (up_sql, says) in [
        (ADD, "nothing of it was applied"),
        (
            "-- no-transaction\nALTER TABLE t ADD COLUMN b integer;",
            "none after it was run",
        ),
    ] {
        app.execute("DROP TABLE IF EXISTS t", []).await;
        lab.write("postgres", 1, up_sql, "ALTER TABLE t DROP COLUMN b;");
        let (holder, pid) = hold(&app).await;
        let ended = run(up(&lab, &app, "2")).await;
        assert_eq!(ended.code, Some(1), "{ended:?}");
        let holds = format!("The lock is held by the session {pid} of ");
        assert_contains(
            &ended.stderr,
            &[
                "`1_m.up.sql`",
                "waited too long for a lock",
                says,
                &holds,
                "`idle in transaction`; its statement: SELECT pg_backend_pid() AS holds_the_lock",
                "`database.migration_lock_timeout`",
            ],
        );
        assert_eq!(
            waiting(&app).await,
            0,
            "nothing queues behind the migration"
        );
        holder.rollback().await;
    }
}

#[doyen_test::test(postgres)]
async fn a_blocked_migration_succeeds_when_the_lock_is_free(app: LabApp) {
    let lab = Lab::new();
    for (version, up_sql) in [
        (1, ADD),
        (2, "-- no-transaction\nALTER TABLE t ADD COLUMN b integer;"),
    ] {
        app.execute("DROP TABLE IF EXISTS t", []).await;
        lab.write("postgres", version, up_sql, "ALTER TABLE t DROP COLUMN b;");
        let (holder, _) = hold(&app).await;
        let migration = tokio::spawn(run(up(&lab, &app, "50")));
        // It waits, gives up, and comes back.
        until(&app, true).await;
        until(&app, false).await;
        until(&app, true).await;
        holder.rollback().await;
        let ended = migration.await.unwrap();
        assert_eq!(
            (ended.code, ended.stdout.trim()),
            (Some(0), "1 applied"),
            "{ended:?}"
        );
        assert_eq!(app.count("t WHERE b IS NULL").await, 0);
    }
}

#[doyen_test::test(postgres)]
async fn a_statement_of_a_migration_has_a_limit(app: LabApp) {
    let lab = Lab::new();
    lab.write("postgres", 1, "SELECT pg_sleep(60);", "SELECT 1;");
    let ended = run(up(&lab, &app, "1").env("APP_DATABASE__MIGRATION_STATEMENT_TIMEOUT", "50ms"));
    let ended = ended.await;
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert_contains(&ended.stderr, &["`1_m.up.sql` failed", "statement timeout"]);
}
