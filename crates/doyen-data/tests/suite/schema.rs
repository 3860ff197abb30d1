//! Tables of entities: compared with the database, and made by generated migrations.

#![allow(unreachable_pub, reason = "SeaORM's derive wants its types public")]

use doyen_data::schema::{Answers, Phase, Scratch, plan};
use doyen_data::sea_orm::{ConnectionTrait as _, Database as Plain, DbBackend};
use doyen_data::table::{HasTable as _, Table};
use doyen_data::{Migration, Migrations, Migrator};

use crate::harness::{Fresh, both, server_url};

/// The first version of an entity.
mod before {
    use doyen_data::Entity;
    use doyen_data::sea_orm::{self, entity::prelude::*};

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel, Entity)]
    #[sea_orm(table_name = "orders")]
    #[index(created_at, id)]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub sku: String,
        pub note: Option<String>,
        pub code: Option<String>,
        pub created_at: DateTimeUtc,
    }
}

/// The next version: each change that can be generated.
mod after {
    use doyen_data::Entity;
    use doyen_data::sea_orm::{self, entity::prelude::*};

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel, Entity)]
    #[sea_orm(table_name = "orders")]
    #[index(created_at, id)]
    #[unique(sku, title)]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub sku: Option<String>,
        pub title: Option<String>,
        pub code: String,
        #[column(references = "users", on_delete = "set null")]
        pub buyer: Option<Uuid>,
        #[sea_orm(indexed, default_value = 1)]
        pub quantity: i32,
        pub gift: bool,
        pub created_at: DateTimeUtc,
    }
}

/// A new table with every type.
mod users {
    use doyen_data::Entity;
    use doyen_data::sea_orm::{self, entity::prelude::*};

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel, Entity)]
    #[sea_orm(table_name = "users")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        #[sea_orm(unique)]
        pub email: String,
        pub rank: i16,
        pub points: i64,
        pub ratio: f32,
        pub weight: f64,
        pub picture: Vec<u8>,
        pub settings: Json,
        pub born: Date,
        pub wakes: Time,
        pub seen: DateTime,
        pub created_at: DateTimeUtc,
    }
}

/// A key of two columns, and a number that the database assigns.
mod members {
    use doyen_data::Entity;
    use doyen_data::sea_orm::{self, entity::prelude::*};

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel, Entity)]
    #[sea_orm(table_name = "members")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        #[column(references = "users.id", on_delete = "cascade")]
        pub user_id: Uuid,
        #[sea_orm(primary_key, auto_increment = false)]
        #[column(references = "groups")]
        pub group_id: i64,
    }
}

mod groups {
    use doyen_data::Entity;
    use doyen_data::sea_orm::{self, entity::prelude::*};

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel, Entity)]
    #[sea_orm(table_name = "groups")]
    pub struct Model {
        #[sea_orm(primary_key)]
        pub id: i64,
        pub order: String,
    }
}

const NOTHING: Migrations = Migrations {
    sqlite: &[],
    postgres: &[],
    folder: None,
};

fn leaked(text: String) -> &'static str {
    Box::leak(text.into_boxed_str())
}

/// Adds migrations to a set that is the same on both databases.
fn more(known: Migrations, drafts: Vec<doyen_data::schema::Draft>) -> Migrations {
    let mut all = known.sqlite.to_vec();
    for draft in drafts {
        all.push(Migration {
            version: all.len() as i64 + 1,
            name: "generated",
            up: leaked(draft.up),
            down: leaked(draft.down),
        });
    }
    let all: &'static [Migration] = all.leak();
    Migrations {
        sqlite: all,
        postgres: all,
        folder: None,
    }
}

/// The tables of the database, as a plan needs them.
async fn found(fresh: &Fresh, tables: &[Table]) -> Vec<doyen_data::schema::FoundTable> {
    let migrator = Migrator::new(&fresh.database, NOTHING);
    let names = tables.iter().map(|table| table.name.as_str());
    migrator.tables(names).await.unwrap()
}

/// Generates migrations for these tables, and applies them.
async fn generate(
    fresh: &Fresh,
    known: Migrations,
    tables: &[Table],
    answers: &Answers,
) -> (Migrations, Vec<Phase>) {
    let backend = fresh.database.backend();
    let found = found(fresh, tables).await;
    let plan = plan(tables, &found, backend, backend, answers).unwrap();
    let phases = plan.drafts.iter().map(|draft| draft.phase).collect();
    let all = more(known, plan.drafts);
    let applied = Migrator::new(&fresh.database, all).up().await;
    applied.unwrap_or_else(|error| panic!("{}: {all:#?}", doyen_core::chain(&error)));
    (all, phases)
}

async fn drift(fresh: &Fresh, migrations: Migrations, tables: &[Table]) -> Vec<String> {
    let migrator = Migrator::new(&fresh.database, migrations);
    let all = migrator.drift(tables).await.unwrap();
    all.iter().map(ToString::to_string).collect()
}

/// Changes the database by hand, past everything.
async fn by_hand(fresh: &Fresh, sql: &str) {
    let connection = Plain::connect(&fresh.url).await.unwrap();
    connection.execute_unprepared(sql).await.unwrap();
    connection.close().await.unwrap();
}

/// The answers for the change from `before` to `after`.
fn answers() -> Answers {
    let pair = |a: &str, b: &str| (a.to_owned(), b.to_owned());
    Answers {
        renames: vec![pair("orders.note", "title")],
        defaults: vec![pair("orders.gift", "false"), pair("orders.code", "none")],
        ..Answers::default()
    }
}

fn everything() -> Vec<Table> {
    vec![
        members::Entity::table(),
        after::Entity::table(),
        users::Entity::table(),
        groups::Entity::table(),
    ]
}

both! {
    async fn generated_migrations_leave_no_difference_and_can_be_reverted(fresh) {
        let old = [before::Entity::table()];
        let (first, phases) = generate(fresh, NOTHING, &old, &Answers::default()).await;
        assert_eq!(phases, [Phase::Expand], "a new table has its indexes");
        assert_eq!(drift(fresh, first, &old).await, [""; 0]);
        let id = if fresh.is_postgres() { "gen_random_uuid()" } else { "randomblob(16)" };
        let time = "'2026-11-22T08:30:00+00:00'";
        by_hand(fresh, &format!("INSERT INTO orders (id, sku, note, created_at) VALUES ({id}, 'TE', 'tea', {time})")).await;
        let before = Migrator::new(&fresh.database, first).schema().await.unwrap();

        let tables = everything();
        let (all, phases) = generate(fresh, first, &tables, &answers()).await;
        assert_eq!(phases, [Phase::Expand, Phase::Online]);
        assert_eq!(drift(fresh, all, &tables).await, [""; 0]);
        // The second run has nothing to write.
        let backend = fresh.database.backend();
        let again = plan(&tables, &found(fresh, &tables).await, backend, backend, &Answers::default()).unwrap();
        assert!(again.drafts.is_empty() && again.differences.is_empty(), "{again:?}");
        // The row that existed has the values that were given, and its own.
        let session = fresh.database.session(doyen_core::Access::Read);
        let row: (String, i64) = {
            let sql = "SELECT code || title AS words, count(*) AS rows FROM orders WHERE NOT gift AND quantity = 1 GROUP BY 1";
            let sql = if fresh.is_postgres() { sql.to_owned() } else { sql.replace("NOT gift", "gift = 0") };
            let rows = session.query_all_raw(doyen_data::sea_orm::Statement::from_string(backend, sql)).await.unwrap();
            (rows[0].try_get_by_index(0).unwrap(), rows[0].try_get_by_index(1).unwrap())
        };
        assert_eq!(row, ("nonetea".to_owned(), 1));
        drop(session);

        let migrator = Migrator::new(&fresh.database, all);
        let steps = all.sqlite.len() - first.sqlite.len();
        migrator.down(steps).await.unwrap();
        // SQLite cannot make a column NOT NULL again without a value for its rows.
        if fresh.is_postgres() {
            assert_eq!(migrator.schema().await.unwrap(), before);
        } else {
            assert_eq!(drift(fresh, first, &old).await, ["`orders.sku` can be NULL"]);
        }
        migrator.up().await.unwrap();
        assert_eq!(drift(fresh, all, &tables).await, [""; 0]);
    }
}

both! {
    async fn a_column_is_dropped_in_a_migration_of_its_own(fresh) {
        let (first, _) = generate(fresh, NOTHING, &[before::Entity::table()], &Answers::default()).await;
        let mut table = before::Entity::table();
        table.columns.retain(|column| column.name != "sku");
        let kept = plan(&[table.clone()], &found(fresh, &[table.clone()]).await, fresh.database.backend(), fresh.database.backend(), &Answers::default()).unwrap();
        assert!(kept.drafts.is_empty() && kept.kept == ["orders.sku"], "{kept:?}");
        let answers = Answers { drops: vec!["orders.sku".to_owned()], ..Answers::default() };
        let (all, phases) = generate(fresh, first, &[table.clone()], &answers).await;
        assert_eq!(phases.last(), Some(&Phase::Contract));
        let tables = found(fresh, &[table.clone()]).await;
        assert!(tables[0].columns.iter().all(|column| column.name != "sku"));
        Migrator::new(&fresh.database, all).down(1).await.unwrap();
    }
}

both! {
    async fn what_cannot_be_known_is_asked(fresh) {
        generate(fresh, NOTHING, &[before::Entity::table()], &Answers::default()).await;
        let backend = fresh.database.backend();
        let tables = [after::Entity::table(), users::Entity::table()];
        let ask = async |answers: Answers| plan(&tables, &found(fresh, &tables).await, backend, backend, &answers).err().unwrap_or_default().join("\n");
        let questions = ask(Answers::default()).await;
        assert!(questions.contains("`--rename orders.note=title`") && questions.contains("`--keep orders.note`"), "{questions}");
        assert!(questions.contains("`--default orders.gift=..`"), "{questions}");
        let wrong = Answers { defaults: vec![("orders.gift".to_owned(), "maybe".to_owned())], ..answers() };
        assert!(ask(wrong).await.contains("no value of the column"));
        let wrong = Answers { drops: vec!["orders.sku".to_owned(), "orders.nothing".to_owned()], ..answers() };
        let faults = ask(wrong).await;
        assert!(faults.contains("an entity has it") && faults.contains("no column `orders.nothing`"), "{faults}");
        let wrong = Answers { renames: vec![("orders.note".to_owned(), "sku".to_owned())], ..Answers::default() };
        assert!(ask(wrong).await.contains("cannot be renamed"));
        let mut typed = before::Entity::table();
        typed.columns[1].kind = doyen_data::table::ColumnKind::Bytes;
        let tables = [typed];
        let fault = plan(&tables, &found(fresh, &tables).await, backend, backend, &Answers::default()).unwrap_err();
        assert!(fault[0].contains("a change of type rewrites the table"), "{fault:?}");
    }
}

both! {
    async fn changes_by_hand_are_named(fresh) {
        let tables = [before::Entity::table()];
        let (known, _) = generate(fresh, NOTHING, &tables, &Answers::default()).await;
        for (sql, line) in [
            ("ALTER TABLE orders ADD COLUMN hand text", "extra column `orders.hand` (text)"),
            ("CREATE INDEX by_hand ON orders (sku)", "extra index `by_hand` on `orders`"),
            ("CREATE UNIQUE INDEX by_note ON orders (note, lower(sku))", "extra unique index `by_note` on `orders`"),
            ("DROP INDEX orders_by_created_at_id", "missing index on `orders` (created_at, id)"),
            ("ALTER TABLE orders RENAME COLUMN note TO remark", "missing column `orders.note`"),
        ] {
            by_hand(fresh, sql).await;
            let found = drift(fresh, known, &tables).await;
            assert!(found.iter().any(|found| found == line), "{sql}: {found:#?}");
        }
        if fresh.is_postgres() {
            for (sql, line) in [
                ("ALTER TABLE orders ALTER COLUMN sku DROP NOT NULL", "`orders.sku` can be NULL"),
                ("ALTER TABLE orders ALTER COLUMN code TYPE integer USING 0", "`orders.code` is integer, not text"),
            ] {
                by_hand(fresh, sql).await;
                let found = drift(fresh, known, &tables).await;
                assert!(found.iter().any(|found| found == line), "{sql}: {found:#?}");
            }
        }
        by_hand(fresh, "DROP TABLE orders").await;
        assert_eq!(drift(fresh, known, &tables).await, ["missing table `orders`"]);
        by_hand(fresh, "CREATE VIEW orders AS SELECT 1 AS id").await;
        let found = drift(fresh, known, &tables).await;
        assert!(found[0].contains("`orders` is a view"), "{found:?}");
    }
}

both! {
    async fn what_migrations_made_by_hand_is_no_drift(fresh) {
        let mut migrations = NOTHING;
        let tables = [before::Entity::table()];
        let draft = |up: &str| doyen_data::schema::Draft { phase: Phase::Expand, up: up.to_owned(), down: String::new() };
        let (first, _) = generate(fresh, migrations, &tables, &Answers::default()).await;
        migrations = more(first, vec![
            draft("ALTER TABLE orders ADD COLUMN words text; CREATE INDEX orders_by_words ON orders (words);"),
            draft("CREATE INDEX orders_gone ON orders (sku); DROP INDEX orders_gone;"),
        ]);
        Migrator::new(&fresh.database, migrations).up().await.unwrap();
        assert_eq!(drift(fresh, migrations, &tables).await, [""; 0]);
        by_hand(fresh, "DROP INDEX orders_by_words").await;
        let found = drift(fresh, migrations, &tables).await;
        assert_eq!(found, ["missing index `orders_by_words` on `orders`, which a migration creates"]);
    }
}

/// Another connection holds the strongest lock of the table, and a transaction that writes.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_comparison_waits_for_no_lock() {
    for fresh in [Fresh::sqlite().await, Fresh::postgres().await] {
        let tables = [before::Entity::table()];
        let (known, _) = generate(&fresh, NOTHING, &tables, &Answers::default()).await;
        let session = fresh.database.session(doyen_core::Access::Write);
        let lock = match fresh.is_postgres() {
            true => "LOCK TABLE orders IN ACCESS EXCLUSIVE MODE",
            false => "DELETE FROM orders",
        };
        session.execute_unprepared(lock).await.unwrap();
        assert_eq!(drift(&fresh, known, &tables).await, [""; 0]);
        session.rollback().await;
        fresh.drop().await;
    }
}

/// Without a PostgreSQL server, its SQL is derived from the difference on SQLite.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_sql_of_postgres_is_derived_from_sqlite() {
    let (sqlite, postgres) = (Fresh::sqlite().await, Fresh::postgres().await);
    let old = [before::Entity::table()];
    generate(&sqlite, NOTHING, &old, &Answers::default()).await;
    let (first, _) = generate(&postgres, NOTHING, &old, &Answers::default()).await;
    let tables = everything();
    let on_sqlite = found(&sqlite, &tables).await;
    let derived = plan(
        &tables,
        &on_sqlite,
        DbBackend::Sqlite,
        DbBackend::Postgres,
        &answers(),
    )
    .unwrap();
    let all = more(first, derived.drafts);
    Migrator::new(&postgres.database, all).up().await.unwrap();
    assert_eq!(drift(&postgres, all, &tables).await, [""; 0]);
    let online = all.postgres.last().unwrap().up;
    assert!(
        online.starts_with("-- no-transaction\n")
            && online.contains("CREATE UNIQUE INDEX CONCURRENTLY"),
        "{online}"
    );
    sqlite.drop().await;
    postgres.drop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_scratch_database_leaves_nothing() {
    for scratch in [
        Scratch::sqlite().await.unwrap(),
        Scratch::postgres(&server_url()).await.unwrap(),
    ] {
        Migrator::new(scratch.database(), NOTHING)
            .up()
            .await
            .unwrap();
        let url = scratch.database().options().url.clone();
        scratch.remove().await;
        match url.strip_prefix("sqlite://") {
            Some(path) => assert!(!std::path::Path::new(path).exists()),
            None => assert!(Plain::connect(&url).await.is_err()),
        }
    }
}
