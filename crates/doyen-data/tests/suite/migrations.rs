//! Migrations: once, in order, and atomic.

use doyen_core::Access;
use doyen_data::migrate::State;
use doyen_data::sea_orm::ConnectionTrait as _;
use doyen_data::{Migration, Migrations, Migrator};

use crate::harness::{Fresh, TABLES, both};
use crate::session::count;

const fn step(version: i64, name: &'static str, up: &'static str, down: &'static str) -> Migration {
    Migration {
        version,
        name,
        up,
        down,
    }
}

/// The same text for both databases.
fn of(steps: Vec<Migration>) -> Migrations {
    let steps: &'static [Migration] = steps.leak();
    Migrations {
        sqlite: steps,
        postgres: steps,
    }
}

fn three() -> Vec<Migration> {
    vec![
        step(
            1,
            "a",
            "CREATE TABLE a (id integer PRIMARY KEY); CREATE INDEX a_id ON a (id);",
            "DROP TABLE a;",
        ),
        step(
            2,
            "b",
            "CREATE TABLE b (id integer PRIMARY KEY REFERENCES a (id)); INSERT INTO a VALUES (1);",
            "DROP TABLE b; DELETE FROM a;",
        ),
        step(
            3,
            "c",
            "ALTER TABLE a ADD COLUMN note text",
            "ALTER TABLE a DROP COLUMN note",
        ),
    ]
}

both! {
    async fn up_down_up_is_the_same_schema(fresh) {
        let migrator = Migrator::new(&fresh.database, TABLES);
        let nothing = migrator.schema().await.unwrap();
        assert!(!nothing.contains("tickets"));
        assert_eq!(migrator.up().await.unwrap().len(), 2, "the framework's and ours");
        let first = migrator.schema().await.unwrap();
        assert!(first.contains("tickets") && first.contains("doyen_outbox") && first.contains("customers_email_key"), "{first}");
        assert_eq!(migrator.down_all().await.unwrap().len(), 2);
        assert_eq!(migrator.schema().await.unwrap(), nothing, "the way back leaves nothing");
        migrator.up().await.unwrap();
        assert_eq!(migrator.schema().await.unwrap(), first);
        // The dump detects a difference.
        let session = fresh.database.session(Access::Write);
        session.execute_unprepared("CREATE INDEX extra ON tickets (rank)").await.unwrap();
        session.commit().await.unwrap();
        assert_ne!(migrator.schema().await.unwrap(), first);
    }
}

both! {
    async fn steps_status_and_check(fresh) {
        let migrator = Migrator::new(&fresh.database, of(three()));
        let states = async || -> Vec<String> {
            let all = migrator.status().await.unwrap();
            all.iter().map(|one| format!("{}:{}:{}", one.owner, one.name, matches!(one.state, State::Applied { .. }))).collect()
        };
        assert_eq!(states().await, ["doyen:outbox:false", "app:a:false", "app:b:false", "app:c:false"]);
        assert!(migrator.check().await.unwrap_err().to_string().contains("1_outbox"));
        migrator.up().await.unwrap();
        assert!(migrator.up().await.unwrap().is_empty(), "the second time there is nothing to do");
        migrator.check().await.unwrap();
        let back = migrator.down(2).await.unwrap();
        assert_eq!(back.iter().map(|one| one.name.as_str()).collect::<Vec<_>>(), ["c", "b"]);
        assert_eq!(states().await, ["doyen:outbox:true", "app:a:true", "app:b:false", "app:c:false"]);
        assert_eq!(migrator.down(9).await.unwrap().len(), 1, "the framework's tables stay");
    }
}

both! {
    async fn processes_that_start_together_apply_each_once(fresh) {
        let migrations = of(three());
        let starts: Vec<_> = (0..4)
            .map(|_| {
                let url = fresh.url.clone();
                tokio::spawn(async move {
                    let database = doyen_data::Database::connect(&crate::harness::options(&url)).await.unwrap();
                    let applied = Migrator::new(&database, migrations).up().await.unwrap().len();
                    database.close().await;
                    applied
                })
            })
            .collect();
        let mut applied = 0;
        for start in starts {
            applied += start.await.unwrap();
        }
        assert_eq!(applied, 4);
        assert_eq!(count(&fresh.database, "a").await, 1);
    }
}

both! {
    async fn a_failure_undoes_its_migration_and_keeps_those_before(fresh) {
        let mut steps = three();
        steps[1].up = "CREATE TABLE b (id integer PRIMARY KEY); INSERT INTO b VALUES (1); INSERT INTO nowhere VALUES (1);";
        let error = Migrator::new(&fresh.database, of(steps)).up().await.unwrap_err();
        assert!(error.to_string().contains("2_b.up.sql"), "{error}");
        assert!(std::error::Error::source(&error).unwrap().to_string().contains("nowhere"));
        let migrator = Migrator::new(&fresh.database, of(three()));
        assert!(migrator.schema().await.unwrap().contains("a_id"));
        assert_eq!(migrator.up().await.unwrap().len(), 2, "corrected, it continues from there");
    }
}

both! {
    async fn a_changed_or_missing_file_is_refused_by_name(fresh) {
        Migrator::new(&fresh.database, of(three())).up().await.unwrap();
        let mut changed = three();
        changed[1].up = "SELECT 1";
        changed.push(step(4, "d", "CREATE TABLE d (id integer)", "DROP TABLE d"));
        let migrator = Migrator::new(&fresh.database, of(changed));
        for error in [migrator.up().await.unwrap_err(), migrator.check().await.unwrap_err(), migrator.down(1).await.unwrap_err()] {
            assert!(error.to_string().contains("2_b.up.sql") && error.to_string().contains("changed"), "{error}");
        }
        assert_eq!(migrator.status().await.unwrap()[2].state, State::Changed);
        let schema = migrator.schema().await.unwrap();
        assert!(!schema.contains("table d on d") && !schema.contains("public.d."), "nothing is applied then: {schema}");

        let mut missing = three();
        missing.remove(1);
        let migrator = Migrator::new(&fresh.database, of(missing));
        let error = migrator.up().await.unwrap_err().to_string();
        assert!(error.contains("2_b.up.sql") && error.contains("gone"), "{error}");
        // The down migration may be corrected, and line endings do not count.
        let mut fine = three();
        fine[1].down = "DROP TABLE b;";
        fine[0].up = fine[0].up.replace('\n', "\r\n").leak();
        Migrator::new(&fresh.database, of(fine)).check().await.unwrap();
    }
}

both! {
    async fn an_application_without_migrations_for_this_database_is_refused(fresh) {
        let mut one_sided = of(three());
        if fresh.is_postgres() { one_sided.postgres = &[] } else { one_sided.sqlite = &[] }
        let error = Migrator::new(&fresh.database, one_sided).up().await.unwrap_err().to_string();
        assert!(error.contains("no migrations for this database"), "{error}");
        Migrator::new(&fresh.database, Migrations::default()).up().await.unwrap();
    }
}

both! {
    async fn other_parts_bring_their_own(fresh) {
        let theirs = of(vec![step(1, "jobs", "CREATE TABLE doyen_jobs (id integer PRIMARY KEY)", "DROP TABLE doyen_jobs")]);
        let ours = of(vec![step(1, "mine", "CREATE TABLE mine (job integer REFERENCES doyen_jobs (id))", "DROP TABLE mine")]);
        let applied = Migrator::new(&fresh.database, ours).with("doyen-jobs", theirs).up().await.unwrap();
        assert_eq!(applied.iter().map(|one| one.owner).collect::<Vec<_>>(), ["doyen", "doyen-jobs", "app"]);
        // Compiled without that part, its tables stay and the check passes.
        Migrator::new(&fresh.database, ours).check().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_migration_that_waits_for_a_lock_gives_up() {
    let fresh = Fresh::postgres().await;
    fresh.migrated().await;
    let holder = fresh.database.session(Access::Write);
    holder
        .execute_unprepared("SELECT count(*) FROM tickets")
        .await
        .unwrap();
    let mut steps = TABLES.postgres.to_vec();
    steps.push(step(
        2,
        "wider",
        "ALTER TABLE tickets ALTER COLUMN rank TYPE numeric",
        "SELECT 1",
    ));
    let migrator = Migrator::new(&fresh.database, of(steps));
    let started = std::time::Instant::now();
    let error = migrator.up().await.unwrap_err();
    assert!(error.to_string().contains("2_wider.up.sql"), "{error}");
    assert!(
        started.elapsed() < std::time::Duration::from_secs(4),
        "{:?}",
        started.elapsed()
    );
    holder.rollback().await;
    assert_eq!(migrator.up().await.unwrap().len(), 1);
    fresh.drop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_index_can_be_built_during_traffic() {
    let fresh = Fresh::postgres().await;
    fresh.migrated().await;
    let mut steps = TABLES.postgres.to_vec();
    steps.push(step(
        2,
        "index",
        "-- no-transaction\nCREATE INDEX CONCURRENTLY tickets_rank ON tickets (rank);\nCREATE INDEX CONCURRENTLY tickets_note ON tickets (note);\n",
        "-- no-transaction\nDROP INDEX CONCURRENTLY tickets_note;\nDROP INDEX CONCURRENTLY tickets_rank;\n",
    ));
    let migrator = Migrator::new(&fresh.database, of(steps));
    assert_eq!(migrator.up().await.unwrap().len(), 1);
    assert!(migrator.schema().await.unwrap().contains("tickets_note"));
    assert_eq!(migrator.down(1).await.unwrap().len(), 1);
    assert!(!migrator.schema().await.unwrap().contains("tickets_rank"));
    fresh.drop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rebuilt_table_keeps_its_references_whole() {
    let fresh = Fresh::sqlite().await;
    let mut steps = three();
    // The procedure of SQLite's manual, which would cascade with foreign keys enforced.
    steps.push(step(4, "rebuild", "CREATE TABLE a_new (id integer PRIMARY KEY, note text NOT NULL DEFAULT ''); INSERT INTO a_new (id) SELECT id FROM a; \
        DROP TABLE a; ALTER TABLE a_new RENAME TO a;", "SELECT 1"));
    Migrator::new(&fresh.database, of(steps.clone()))
        .up()
        .await
        .unwrap();
    steps.push(step(5, "break", "INSERT INTO b VALUES (77)", "SELECT 1"));
    let error = Migrator::new(&fresh.database, of(steps))
        .up()
        .await
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("5_break") && error.contains("`b`"),
        "{error}"
    );
    assert_eq!(count(&fresh.database, "b").await, 0);
    fresh.drop().await;
}

#[test]
fn the_macro_embeds_both_folders() {
    let migrations: Migrations = doyen_macros::migrations!("tests/suite/embedded");
    assert_eq!(
        migrations
            .sqlite
            .iter()
            .map(|one| (one.version, one.name))
            .collect::<Vec<_>>(),
        [(1, "first"), (2, "second")]
    );
    assert_eq!(
        migrations.postgres[0].up,
        "CREATE TABLE first (id bigint PRIMARY KEY);\n"
    );
    assert_eq!(migrations.sqlite[1].down, "DROP TABLE second;\n");
}
