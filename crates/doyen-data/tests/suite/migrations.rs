//! Migrations: once, in order, and atomic.

use doyen_core::Access;
use doyen_data::migrate::State;
use doyen_data::sea_orm::{ConnectionTrait as _, Statement};
use doyen_data::{Database, DatabaseOptions, Migration, Migrations, Migrator};

use crate::harness::{Fresh, TABLES, both, everywhere};
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
        folder: None,
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

everywhere! {
    async fn up_down_up_is_the_same_schema(fresh) {
        let migrator = Migrator::new(&fresh.database, TABLES);
        let nothing = migrator.schema().await.unwrap();
        assert!(!nothing.contains("tickets"));
        assert_eq!(migrator.up().await.unwrap().len(), 3, "the framework's and ours");
        let first = migrator.schema().await.unwrap();
        assert!(first.contains("tickets") && first.contains("doyen_outbox") && first.contains("customers_email_key"), "{first}");
        assert_eq!(migrator.down_all().await.unwrap().len(), 3);
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

everywhere! {
    async fn steps_status_and_check(fresh) {
        let migrator = Migrator::new(&fresh.database, of(three()));
        let states = async || -> Vec<String> {
            let all = migrator.status().await.unwrap();
            all.iter().map(|one| format!("{}:{}:{}", one.owner, one.name, matches!(one.state, State::Applied { .. }))).collect()
        };
        assert_eq!(states().await, ["doyen:outbox:false", "doyen:outbox_order:false", "app:a:false", "app:b:false", "app:c:false"]);
        assert!(migrator.check().await.unwrap_err().to_string().contains("1_outbox"));
        migrator.up().await.unwrap();
        assert!(migrator.up().await.unwrap().is_empty(), "the second time there is nothing to do");
        migrator.check().await.unwrap();
        let back = migrator.down(2).await.unwrap();
        assert_eq!(back.iter().map(|one| one.name.as_str()).collect::<Vec<_>>(), ["c", "b"]);
        assert_eq!(states().await, ["doyen:outbox:true", "doyen:outbox_order:true", "app:a:true", "app:b:false", "app:c:false"]);
        assert_eq!(migrator.down(9).await.unwrap().len(), 1, "the framework's tables stay");
    }
}

everywhere! {
    async fn processes_that_start_together_apply_each_once(fresh) {
        let migrations = of(three());
        let starts: Vec<_> = (0..4)
            .map(|_| {
                let options = fresh.options();
                tokio::spawn(async move {
                    let database = doyen_data::Database::connect(&options).await.unwrap();
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
        assert_eq!(applied, 5);
        assert_eq!(count(&fresh.database, "a").await, 1);
    }
}

everywhere! {
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

everywhere! {
    async fn a_changed_or_missing_file_is_refused_by_name(fresh) {
        Migrator::new(&fresh.database, of(three())).up().await.unwrap();
        let mut changed = three();
        changed[1].up = "SELECT 1";
        changed.push(step(4, "d", "CREATE TABLE d (id integer)", "DROP TABLE d"));
        let migrator = Migrator::new(&fresh.database, of(changed));
        for error in [migrator.up().await.unwrap_err(), migrator.check().await.unwrap_err(), migrator.down(1).await.unwrap_err()] {
            assert!(error.to_string().contains("2_b.up.sql") && error.to_string().contains("changed"), "{error}");
        }
        assert_eq!(migrator.status().await.unwrap()[3].state, State::Changed);
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

everywhere! {
    async fn a_former_release_starts_on_the_database_of_a_newer_one(fresh) {
        Migrator::new(&fresh.database, of(three())).up().await.unwrap();
        let former = Migrator::new(&fresh.database, of(three()[..2].to_vec()));
        former.check().await.unwrap();
        assert!(former.up().await.unwrap().is_empty());
        assert_eq!(former.status().await.unwrap()[4].state, State::Newer);
        let error = former.down(1).await.unwrap_err().to_string();
        assert!(error.contains("3_c.up.sql") && error.contains("newer release"), "{error}");
        assert_eq!(former.status().await.unwrap().len(), 5, "nothing is reverted");

        // A program that knows none of the migrations is another one, and one with a pending
        // migration is of another branch.
        let other = Migrator::new(&fresh.database, of(Vec::new()));
        assert!(other.check().await.unwrap_err().to_string().contains("gone"));
        let branch = [three()[..2].to_vec(), vec![step(4, "d", "SELECT 1", "SELECT 1")]].concat();
        let branch = Migrator::new(&fresh.database, of(branch));
        assert!(branch.up().await.unwrap_err().to_string().contains("gone"));
    }
}

everywhere! {
    async fn an_application_without_migrations_for_this_database_is_refused(fresh) {
        let mut one_sided = of(three());
        if fresh.is_postgres() { one_sided.postgres = &[] } else { one_sided.sqlite = &[] }
        let error = Migrator::new(&fresh.database, one_sided).up().await.unwrap_err().to_string();
        assert!(error.contains("no migrations for this database"), "{error}");
        Migrator::new(&fresh.database, Migrations::default()).up().await.unwrap();
    }
}

everywhere! {
    async fn other_parts_bring_their_own(fresh) {
        let theirs = of(vec![step(1, "jobs", "CREATE TABLE doyen_jobs (id integer PRIMARY KEY)", "DROP TABLE doyen_jobs")]);
        let ours = of(vec![step(1, "mine", "CREATE TABLE mine (job integer REFERENCES doyen_jobs (id))", "DROP TABLE mine")]);
        let applied = Migrator::new(&fresh.database, ours).with("doyen-jobs", theirs).up().await.unwrap();
        assert_eq!(applied.iter().map(|one| one.owner).collect::<Vec<_>>(), ["doyen", "doyen", "doyen-jobs", "app"]);
        // Compiled without that part, its tables stay and the check passes.
        Migrator::new(&fresh.database, ours).check().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_migration_that_waits_for_a_lock_gives_up() {
    gives_up(Fresh::postgres().await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_holder_of_a_lock_is_found_through_a_pooler() {
    gives_up(Fresh::pgbouncer().await).await;
}

async fn gives_up(fresh: Fresh) {
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
    let options = DatabaseOptions {
        migration_lock_attempts: 1,
        ..fresh.options()
    };
    let database = Database::connect(&options).await.unwrap();
    let migrator = Migrator::new(&database, of(steps));
    let error = migrator.up().await.unwrap_err().to_string();
    for part in [
        "2_wider.up.sql",
        "waited too long for a lock; nothing of it was applied",
        "The lock is held by the session ",
        "its statement: SELECT count(*) FROM tickets",
    ] {
        assert!(error.contains(part), "no `{part}`: {error}");
    }
    holder.rollback().await;
    assert_eq!(migrator.up().await.unwrap().len(), 1);
    database.close().await;
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

both! {
    async fn control_of_the_transaction_is_refused_before_anything_is_applied(fresh) {
        for (up, keyword) in [
            ("CREATE TABLE b (id integer);\r\nCOMMIT;\r\nCREATE TABLE c (id nonsense nonsense);", "COMMIT"),
            ("BEGIN;\nCREATE TABLE b (id integer);\nCOMMIT;", "BEGIN"),
            ("-- no-transaction\nCREATE TABLE b (id integer);\nROLLBACK;", "ROLLBACK"),
        ] {
            let steps = vec![three()[0], step(2, "b", up, "SELECT 1")];
            let migrator = Migrator::new(&fresh.database, of(steps));
            let error = migrator.up().await.unwrap_err().to_string();
            assert!(error.contains("2_b.up.sql") && error.contains(&format!("`{keyword}` at line")), "{error}");
            let schema = migrator.schema().await.unwrap();
            assert!(!schema.contains("a_id"), "{schema}");
        }
        // Corrected, nothing is in the way.
        Migrator::new(&fresh.database, of(three())).up().await.unwrap();
    }
}

both! {
    async fn a_script_is_run_as_it_is_written(fresh) {
        let trigger = if fresh.is_postgres() {
            "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$\r\nBEGIN\r\n RETURN NEW; -- ';'\r\nEND;\r\n$$;\r\n\
             CREATE TRIGGER t BEFORE INSERT ON a FOR EACH ROW EXECUTE FUNCTION f();"
        } else {
            "CREATE TRIGGER t AFTER INSERT ON a BEGIN\r\n UPDATE a SET id = id;\r\n DELETE FROM a WHERE id < 0; -- ';'\r\nEND;"
        };
        for (version, begin) in [(1, "\u{feff}"), (2, "\u{feff}-- no-transaction\r\n")] {
            let up = format!("{begin}CREATE TABLE a (id integer, note text DEFAULT 'a;b'); -- a comment;\r\n{trigger} /* ; */\r\nINSERT INTO a (id) VALUES (1);\r\n");
            let steps = vec![step(version, "a", up.leak(), "DROP TABLE a; DROP FUNCTION IF EXISTS f")];
            let mut steps = of(steps).sqlite.to_vec();
            if !fresh.is_postgres() {
                steps[0].down = "DROP TABLE a;";
            }
            let migrator = Migrator::new(&fresh.database, of(steps));
            migrator.up().await.unwrap();
            assert_eq!(count(&fresh.database, "a").await, 1);
            migrator.down(1).await.unwrap();
        }
    }
}

both! {
    async fn a_failure_says_where_it_is(fresh) {
        let up = "CREATE TABLE a (id integer);\n\nINSERT INTO nowhere VALUES (1);";
        let migrator = Migrator::new(&fresh.database, of(vec![step(1, "a", up, "SELECT 1")]));
        let error = migrator.up().await.unwrap_err().to_string();
        let place = if fresh.is_postgres() { "failed at line 3; nothing" } else { "failed; nothing" };
        assert!(error.contains(place), "{error}");
    }
}

/// A migration outside of a transaction with three statements, of which the last one fails.
fn stops_half_way() -> Vec<Migration> {
    let up = "-- no-transaction\nCREATE INDEX CONCURRENTLY tickets_rank ON tickets (rank);\nCREATE INDEX CONCURRENTLY tickets_note ON tickets (note); -- two\nCREATE INDEX CONCURRENTLY broken ON tickets (nonsense);\n";
    let mut steps = TABLES.postgres.to_vec();
    steps.push(step(
        2,
        "index",
        up,
        "-- no-transaction\nDROP INDEX CONCURRENTLY tickets_rank;",
    ));
    steps
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_migration_that_stops_half_way_is_recorded_until_it_is_resolved() {
    let fresh = Fresh::postgres().await;
    let migrator = Migrator::new(&fresh.database, of(stops_half_way()));
    let error = migrator.up().await.unwrap_err().to_string();
    let expected = "statement 3 of 3 of the migration `2_index.up.sql` failed, at line 4; the statements before it completed and stay. \
        Complete or undo it by hand, then run `migrate resolve 2 applied` or `migrate resolve 2 pending`";
    assert_eq!(error, expected);
    let unfinished = State::Unfinished {
        completed: 2,
        statements: 3,
    };
    assert_eq!(migrator.status().await.unwrap()[3].state, unfinished);
    for error in [
        migrator.up().await.unwrap_err().to_string(),
        migrator.check().await.unwrap_err().to_string(),
        migrator.down(1).await.unwrap_err().to_string(),
    ] {
        let expected = "stopped half-way: at least 2 of 3 statements completed. Complete or undo it by hand, then run `migrate resolve 2 applied`";
        assert!(error.contains(expected), "{error}");
    }
    assert!(migrator.resolve(3, true).await.is_err());
    migrator.resolve(2, true).await.unwrap();
    assert!(migrator.resolve(2, true).await.is_err());
    migrator.check().await.unwrap();

    // The way back stops too, and is then recorded as done.
    let mut steps = stops_half_way();
    steps[1].down = "-- no-transaction\nDROP INDEX CONCURRENTLY tickets_rank;\nDROP INDEX CONCURRENTLY nowhere;";
    let back = Migrator::new(&fresh.database, of(steps));
    let error = back.down(1).await.unwrap_err().to_string();
    assert!(
        error.contains("statement 2 of 2 of the migration `2_index.down.sql`"),
        "{error}"
    );
    back.resolve(2, false).await.unwrap();
    assert_eq!(back.status().await.unwrap()[3].state, State::Pending);
    fresh.drop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_first_statement_that_fails_leaves_nothing_to_resolve() {
    let fresh = Fresh::postgres().await;
    let mut steps = TABLES.postgres.to_vec();
    steps.push(step(
        2,
        "index",
        "-- no-transaction\nCREATE INDEX CONCURRENTLY i ON nowhere (id);\nSELECT 1;",
        "SELECT 1",
    ));
    let error = Migrator::new(&fresh.database, of(steps.clone()))
        .up()
        .await
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("statement 1 of 2") && error.contains("invalid index"),
        "{error}"
    );
    steps[1].up = "-- no-transaction\nCREATE INDEX CONCURRENTLY i ON tickets (id);\nSELECT 1;";
    assert_eq!(
        Migrator::new(&fresh.database, of(steps))
            .up()
            .await
            .unwrap()
            .len(),
        1
    );
    fresh.drop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_waits_for_another_that_migrates_a_sqlite_file_for_long() {
    let fresh = Fresh::sqlite().await;
    let busy_timeout = std::time::Duration::from_millis(20);
    let options = doyen_data::DatabaseOptions {
        busy_timeout,
        ..fresh.options()
    };
    let holder = fresh.database.session(Access::Write);
    holder
        .execute_unprepared("CREATE TABLE long (id integer)")
        .await
        .unwrap();
    let other = doyen_data::Database::connect(&options).await.unwrap();
    let migrating = tokio::spawn(async move {
        let done = Migrator::new(&other, TABLES)
            .up()
            .await
            .map(|done| done.len());
        other.close().await;
        done
    });
    // Much longer than the busy timeout.
    tokio::time::sleep(busy_timeout * 10).await;
    assert!(!migrating.is_finished());
    holder.commit().await.unwrap();
    assert_eq!(migrating.await.unwrap().unwrap(), 3);
    fresh.drop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_lock_of_the_migrations_is_held_by_one() {
    let fresh = Fresh::postgres().await;
    let migrator = Migrator::new(&fresh.database, TABLES);
    let lock = migrator.lock().await.unwrap();
    let mut second = Box::pin(migrator.lock());
    let waits = tokio::time::timeout(std::time::Duration::from_millis(200), &mut second).await;
    assert!(waits.is_err(), "the second one waits");
    lock.release().await;
    second.as_mut().await.unwrap().release().await;
    drop(second);
    fresh.drop().await;
}

#[test]
fn a_file_that_is_not_embedded_is_named() {
    let folder = std::env::temp_dir().join(format!("doyen-folder-{}", std::process::id()));
    let migrations = Migrations {
        folder: Some(folder.display().to_string().leak()),
        ..of(three())
    };
    // A machine without the source.
    migrations.check_folder().unwrap();
    for backend in ["sqlite", "postgres"] {
        std::fs::create_dir_all(folder.join(backend)).unwrap();
        for file in ["1_a.up.sql", "1_a.down.sql", "02_b.up.sql", "README.md"] {
            std::fs::write(folder.join(backend).join(file), "").unwrap();
        }
    }
    migrations.check_folder().unwrap();
    std::fs::write(folder.join("sqlite/4_new.up.sql"), "").unwrap();
    let error = migrations.check_folder().unwrap_err().to_string();
    assert!(
        error.contains("`sqlite/4_new.up.sql`") && error.contains("build.rs"),
        "{error}"
    );
    std::fs::remove_dir_all(folder).unwrap();
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

/// A role that may not create an extension learns what to do; one that exists is enough for it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_missing_right_to_an_extension_is_explained() {
    const SEARCH: Migrations = Migrations {
        sqlite: &[],
        postgres: &[Migration {
            version: 1,
            name: "search",
            up: "CREATE EXTENSION IF NOT EXISTS pg_trgm;",
            down: "DROP EXTENSION pg_trgm;",
        }],
        folder: None,
    };
    const MISSING: Migrations = Migrations {
        sqlite: &[],
        postgres: &[Migration {
            version: 1,
            name: "missing",
            up: "CREATE EXTENSION no_such_extension;",
            down: "SELECT 1;",
        }],
        folder: None,
    };
    let fresh = Fresh::postgres().await;
    let role = format!("guest_of_{}", fresh.url.rsplit_once('/').unwrap().1);
    let run = async |sql: String| {
        let session = fresh.database.session(Access::Write);
        session.execute_sql(&sql, []).await.unwrap();
        session.commit().await.unwrap();
    };
    run(format!("CREATE ROLE {role} LOGIN PASSWORD 'guest'")).await;
    run(format!("GRANT CREATE ON SCHEMA public TO {role}")).await;
    let (_, server) = fresh.url.rsplit_once('@').unwrap();
    let guest = Database::connect(&crate::harness::options(&format!(
        "postgres://{role}:guest@{server}"
    )))
    .await
    .unwrap();
    let migrator = Migrator::new(&guest, SEARCH);
    let error = migrator.up().await.unwrap_err().to_string();
    assert!(
        error.contains("`1_search.up.sql` failed") && error.contains("`CREATE EXTENSION pg_trgm`"),
        "{error}"
    );
    let missing = Migrator::new(&fresh.database, MISSING).up().await;
    let missing = missing.unwrap_err().to_string();
    assert!(
        missing.contains("`no_such_extension`") && missing.contains("`postgresql-contrib`"),
        "{missing}"
    );
    run("CREATE EXTENSION pg_trgm".to_owned()).await;
    assert_eq!(migrator.up().await.unwrap().len(), 1);
    guest.close().await;
    run(format!("DROP OWNED BY {role}")).await;
    run(format!("DROP ROLE {role}")).await;
    fresh.drop().await;
}

/// SQLite plans without statistics until they are gathered.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn planner_statistics_are_gathered_on_sqlite() {
    let fresh = Fresh::sqlite().await;
    fresh.migrated().await;
    let session = fresh.database.session(Access::Write);
    let rows = "INSERT INTO customers (id, email) VALUES (1, 'a'), (2, 'b')";
    session.execute_sql(rows, []).await.unwrap();
    session.commit().await.unwrap();
    fresh.database.optimize().await.unwrap();
    let session = fresh.database.session(Access::Read);
    let sql = "SELECT stat FROM sqlite_stat1 WHERE tbl = 'customers'";
    let found = session
        .query_all_raw(Statement::from_string(fresh.database.backend(), sql))
        .await;
    assert!(!found.unwrap().is_empty());
    fresh.drop().await;
}
