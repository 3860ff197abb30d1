//! Typed reads: every way of reading returns the same result.

use doyen_core::Access;
use doyen_data::sea_orm::entity::prelude::*;
use doyen_data::sea_orm::{self, FromQueryResult, QueryOrder as _, QuerySelect as _, Value};
use doyen_data::{Database, DatabaseOptions, Row, Session};

use crate::harness::{Fresh, both};

mod kind {
    use super::*;

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel, doyen_data::Entity, Row)]
    #[sea_orm(table_name = "kinds")]
    pub(crate) struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: i64,
        pub flag: Option<bool>,
        pub small: Option<i16>,
        #[sea_orm(column_name = "medium")]
        pub int: Option<i32>,
        pub big: Option<i64>,
        pub single: Option<f32>,
        pub double: Option<f64>,
        pub text: Option<String>,
        pub bytes: Option<Vec<u8>>,
        pub uuid: Option<Uuid>,
        pub utc: Option<DateTimeUtc>,
        pub zoned: Option<DateTimeWithTimeZone>,
        pub local: Option<DateTime>,
        pub day: Option<Date>,
        pub time: Option<Time>,
        pub json: Option<Json>,
    }
}

/// The same columns, none of which may be NULL, in another order.
#[derive(Clone, Debug, PartialEq, FromQueryResult, Row)]
struct Full {
    json: Json,
    time: Time,
    day: Date,
    local: DateTime,
    zoned: DateTimeWithTimeZone,
    utc: DateTimeUtc,
    uuid: Uuid,
    bytes: Vec<u8>,
    text: String,
    double: f64,
    single: f32,
    big: i64,
    #[sea_orm(from_alias = "medium")]
    int: i32,
    small: i16,
    flag: bool,
    #[sea_orm(skip)]
    skipped: u8,
    id: i64,
}

const POSTGRES: &str = "CREATE TABLE kinds (id bigint PRIMARY KEY, flag boolean, small smallint, medium integer, big bigint, single real, \
    double double precision, text text, bytes bytea, uuid uuid, utc timestamptz, zoned timestamptz, local timestamp, day date, time time, json jsonb)";
const SQLITE: &str = "CREATE TABLE kinds (id bigint PRIMARY KEY, flag boolean, small smallint, medium integer, big bigint, single float, \
    double double, text varchar, bytes blob, uuid uuid_text, utc timestamp_with_timezone_text, zoned timestamp_with_timezone_text, \
    local datetime_text, day date_text, time time_text, json json_text)";

fn rows() -> Vec<kind::Model> {
    let some = kind::Model {
        id: 1,
        flag: Some(true),
        small: Some(-7),
        int: Some(70_000),
        big: Some(1 << 40),
        single: Some(1.5),
        double: Some(0.1),
        text: Some("Grüße, 世界 'x'".to_owned()),
        bytes: Some(vec![0, 255, 1]),
        uuid: Some(Uuid::from_u128(0x0198_c0de_0000_7000_8000_0000_0000_0001)),
        utc: Some("2026-11-23T01:23:45.678901Z".parse().unwrap()),
        zoned: Some("2026-11-23T01:23:45.678901+05:30".parse().unwrap()),
        local: Some("2026-11-23T01:23:45.678901".parse().unwrap()),
        day: Some("2024-02-29".parse().unwrap()),
        time: Some("23:59:59.999999".parse().unwrap()),
        json: Some(serde_json::json!({"a": [1, 2.5, null, "x"], "b": {"c": true}})),
    };
    let edge = kind::Model {
        id: i64::MIN,
        flag: Some(false),
        small: Some(i16::MIN),
        int: Some(i32::MIN),
        big: Some(i64::MAX),
        single: Some(f32::MAX),
        double: Some(f64::MIN_POSITIVE),
        text: Some(String::new()),
        bytes: Some(Vec::new()),
        uuid: Some(Uuid::nil()),
        utc: Some("0001-01-01T00:00:00Z".parse().unwrap()),
        zoned: Some("1969-12-31T23:59:59.999999-12:00".parse().unwrap()),
        local: Some("1970-01-01T00:00:00".parse().unwrap()),
        day: Some("0001-01-01".parse().unwrap()),
        time: Some("00:00:00".parse().unwrap()),
        json: Some(serde_json::json!(null)),
    };
    let plain = kind::Model {
        id: 2,
        double: Some(3.0),
        single: Some(-0.0),
        json: Some(serde_json::json!("text")),
        ..some.clone()
    };
    vec![edge, some, plain, empty()]
}

fn empty() -> kind::Model {
    kind::Model {
        id: 3,
        flag: None,
        small: None,
        int: None,
        big: None,
        single: None,
        double: None,
        text: None,
        bytes: None,
        uuid: None,
        utc: None,
        zoned: None,
        local: None,
        day: None,
        time: None,
        json: None,
    }
}

#[derive(Debug, FromQueryResult, Row)]
struct Absent {
    #[allow(dead_code, reason = "it is not there")]
    absent: i64,
}

/// Returns true if the reads of this session bypass the pool. The two drivers reject this statement
/// with different texts.
async fn uses_fast_reader(session: &Session) -> bool {
    let error = session
        .query_one_as::<Absent>("SELECT 1 AS present", [])
        .await
        .unwrap_err();
    assert!(error.to_string().contains("absent"), "{error}");
    error.to_string().contains("the result has no column")
}

/// Returns a session whose reads bypass the pool, after its connection was opened in the
/// background.
pub(crate) async fn fast_session(database: &Database) -> Session {
    let session = database.session(Access::Read);
    for _ in 0..500 {
        if uses_fast_reader(&session).await {
            return database.session(Access::Read);
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    panic!("reads still go over the pool");
}

/// Every way of reading: past the pool, over the pool, and inside a unit of work.
async fn access_paths(fresh: &Fresh) -> [Session; 3] {
    let pooled = Database::connect(&DatabaseOptions {
        read_connections: 0,
        ..fresh.options()
    })
    .await
    .unwrap();
    let pooled = pooled.session(Access::Read);
    let within = fresh.database.session(Access::Write);
    let fast = fast_session(&fresh.database).await;
    assert!(!uses_fast_reader(&pooled).await);
    within.execute_sql("SELECT 1", []).await.unwrap();
    [fast, pooled, within]
}

async fn filled(fresh: &Fresh) {
    let session = fresh.database.session(Access::Write);
    session
        .execute_sql(
            if fresh.is_postgres() {
                POSTGRES
            } else {
                SQLITE
            },
            [],
        )
        .await
        .unwrap();
    for row in rows() {
        let row = sea_orm::IntoActiveModel::into_active_model(row).reset_all();
        kind::Entity::insert(row)
            .exec_without_returning(&session)
            .await
            .unwrap();
    }
    session.commit().await.unwrap();
}

both! {
    async fn every_type_reads_the_same_on_every_way(fresh) {
        filled(fresh).await;
        let select = kind::Entity::find().order_by_asc(kind::Column::Id);
        for session in access_paths(fresh).await {
            let by_seaorm = select.clone().all(&session).await.unwrap();
            let read: Vec<kind::Model> = session.all_as(&select).await.unwrap();
            assert_eq!(read, by_seaorm);
            // PostgreSQL stores no offset; a time is the same in any.
            assert_eq!(read, rows());
            let sql = "SELECT * FROM kinds WHERE id < 3 ORDER BY id";
            let full: Vec<Full> = session.query_as(sql, []).await.unwrap();
            for (full, row) in full.iter().zip(rows()) {
                assert_eq!(full.skipped, 0);
                let again = kind::Model {
                    id: full.id,
                    flag: Some(full.flag),
                    small: Some(full.small),
                    int: Some(full.int),
                    big: Some(full.big),
                    single: Some(full.single),
                    double: Some(full.double),
                    text: Some(full.text.clone()),
                    bytes: Some(full.bytes.clone()),
                    uuid: Some(full.uuid),
                    utc: Some(full.utc),
                    zoned: Some(full.zoned),
                    local: Some(full.local),
                    day: Some(full.day),
                    time: Some(full.time),
                    json: Some(full.json.clone()),
                };
                assert_eq!(again, row);
            }
            assert_eq!(full.len(), 3);
        }
    }
}

both! {
    async fn every_type_is_a_parameter_on_every_way(fresh) {
        filled(fresh).await;
        let row = rows().swap_remove(1);
        let columns: Vec<(&str, Value)> = vec![
            ("id", row.id.into()),
            ("flag", row.flag.into()),
            ("small", row.small.into()),
            ("medium", row.int.into()),
            ("big", row.big.into()),
            ("single", row.single.into()),
            ("double", row.double.into()),
            ("text", row.text.clone().into()),
            ("bytes", row.bytes.clone().into()),
            ("uuid", row.uuid.into()),
            ("utc", row.utc.into()),
            ("zoned", row.zoned.into()),
            ("local", row.local.into()),
            ("day", row.day.into()),
            ("time", row.time.into()),
        ];
        #[derive(Debug, FromQueryResult, Row)]
        struct Found { id: i64, missing: bool }
        let mut all = Vec::new();
        for session in access_paths(fresh).await {
            let mut found = Vec::new();
            for (column, value) in &columns {
                let sql = format!("SELECT id, {column} IS NULL AS missing FROM kinds WHERE {column} = $1 AND id > 0 ORDER BY id");
                let rows: Vec<Found> = session.query_as(&sql, [value.clone()]).await.unwrap();
                assert!(rows.iter().any(|row| row.id == 1 && !row.missing), "{column}: {rows:?}");
                found.push((*column, rows.iter().map(|row| row.id).collect::<Vec<_>>()));
                // NULL is equal to nothing.
                assert!(session.query_as::<Found>(&sql, [value.as_null()]).await.unwrap().is_empty(), "{column}");
            }
            all.push(found);
        }
        assert!(all.iter().all(|found| *found == all[0]), "{all:?}");
    }
}

both! {
    async fn what_cannot_be_read_is_named(fresh) {
        filled(fresh).await;
        #[derive(Debug, FromQueryResult, Row)]
        #[allow(dead_code, reason = "it is not read")]
        struct Number { number: i64 }
        for session in access_paths(fresh).await {
            for sql in ["SELECT 1 AS other", "SELECT text AS number FROM kinds WHERE id = 1", "SELECT big AS number FROM kinds WHERE id = 3"] {
                let all = session.query_as::<Number>(sql, []).await.unwrap_err();
                let one = session.query_one_as::<Number>(sql, []).await.unwrap_err();
                assert!(all.to_string().contains("number") && one.to_string().contains("number"), "{all} {one}");
                assert!(doyen_data::classify(&all).is_none(), "a mistake of ours is no 503");
            }
        }
        // A mistake in a statement ends a unit of work, so each has its own.
        for sql in ["SELECT nothing FROM kinds", "SELECT $1 FROM", "nonsense"] {
            for session in access_paths(fresh).await {
                let error = session.query_as::<Number>(sql, [1.into()]).await.unwrap_err();
                assert!(doyen_data::classify(&error).is_none(), "{error:?}");
            }
        }
        for session in access_paths(fresh).await {
            let result = session.query_as::<Number>("SELECT big AS number FROM kinds WHERE id = $1", []).await;
            // SQLite treats a missing parameter as NULL.
            assert!(result.map_or(true, |rows| !fresh.is_postgres() && rows.is_empty()));
        }
    }
}

both! {
    async fn one_row_by_key_and_by_select(fresh) {
        filled(fresh).await;
        for session in access_paths(fresh).await {
            assert_eq!(session.get::<kind::Entity>(1).await.unwrap(), Some(rows().swap_remove(1)));
            assert_eq!(session.get::<kind::Entity>(i64::MIN).await.unwrap(), Some(rows().swap_remove(0)));
            assert_eq!(session.get::<kind::Entity>(404).await.unwrap(), None);
            let select = kind::Entity::find().order_by_desc(kind::Column::Id);
            assert_eq!(session.one_as(&select).await.unwrap(), Some(empty()));
            assert_eq!(session.one_as(&select.clone().offset(1)).await.unwrap().map(|row: kind::Model| row.id), Some(2));
            assert_eq!(session.one_as::<kind::Model>(&select.filter(kind::Column::Big.eq(5))).await.unwrap(), None);
            let texts: Vec<String> = session.query_stats().fingerprints.into_iter().map(|seen| seen.sql).collect();
            assert!(texts.iter().any(|sql| sql.ends_with("LIMIT 1")), "{texts:?}");
        }
    }
}

both! {
    async fn statements_count_alike(fresh) {
        filled(fresh).await;
        let mut seen = Vec::new();
        for session in access_paths(fresh).await {
            let before = session.totals().0;
            for id in 0..5_i64 {
                session.get::<kind::Entity>(id).await.unwrap();
            }
            session.query_as::<Full>("SELECT * FROM kinds WHERE id IN ($1, $2)", [1.into(), 2.into()]).await.unwrap();
            assert!(session.query_as::<Full>("SELECT nothing", []).await.is_err());
            let statistics = session.query_stats();
            assert_eq!(statistics.statements - before, 7);
            assert!(statistics.time > std::time::Duration::ZERO);
            let texts = statistics.fingerprints.into_iter().map(|seen| (seen.sql, seen.count));
            seen.push(texts.filter(|(sql, _)| !sql.contains("SELECT 1")).collect::<Vec<_>>());
        }
        assert_eq!(seen[0][0].1, 5, "{seen:?}");
        assert!(seen.iter().all(|one| *one == seen[0]), "{seen:?}");
    }
}

both! {
    async fn a_read_that_writes_is_refused(fresh) {
        filled(fresh).await;
        #[derive(Debug, FromQueryResult, Row)]
        #[allow(dead_code, reason = "it is not read")]
        struct Id { id: i64 }
        let mut statements = vec!["DELETE FROM kinds RETURNING id", "UPDATE kinds SET big = 1 RETURNING id"];
        if fresh.is_postgres() {
            statements.extend([
                "WITH gone AS (DELETE FROM kinds RETURNING id) SELECT id FROM gone",
                "SELECT id FROM kinds FOR UPDATE",
                "SELECT nextval('numbers') AS id",
            ]);
            let session = fresh.database.session(Access::Write);
            session.execute_sql("CREATE SEQUENCE numbers", []).await.unwrap();
            session.commit().await.unwrap();
        }
        let [fast, pooled, within] = access_paths(fresh).await;
        within.rollback().await;
        for session in [fast, pooled] {
            for sql in &statements {
                for error in [
                    session.query_as::<Id>(sql, []).await.unwrap_err(),
                    session.query_one_as::<Id>(sql, []).await.unwrap_err(),
                ] {
                    assert!(error.to_string().contains("only reads"), "{sql}: {error}");
                }
            }
            // Statements that do more than read.
            for sql in ["SELECT 1 AS id; DELETE FROM kinds", "SELECT set_config('transaction_read_only', 'off', false) AS id"] {
                let _refused_or_harmless = session.query_as::<Id>(sql, []).await;
            }
            assert!(session.query_as::<Id>("DELETE FROM kinds RETURNING id", []).await.is_err());
        }
        assert_eq!(crate::session::count(&fresh.database, "kinds").await, 4);
    }
}

both! {
    async fn a_unit_of_work_reads_what_it_has_written(fresh) {
        filled(fresh).await;
        let reads = fast_session(&fresh.database).await;
        let session = fresh.database.session(Access::Write);
        session.execute_sql("UPDATE kinds SET big = 77 WHERE id = 1", []).await.unwrap();
        assert_eq!(session.get::<kind::Entity>(1).await.unwrap().and_then(|row| row.big), Some(77));
        assert_eq!(reads.get::<kind::Entity>(1).await.unwrap().and_then(|row| row.big), Some(1 << 40));
        assert_eq!(session.autocommit().get::<kind::Entity>(1).await.unwrap().and_then(|row| row.big), Some(1 << 40));
        session.commit().await.unwrap();
        assert_eq!(reads.get::<kind::Entity>(1).await.unwrap().and_then(|row| row.big), Some(77));
    }
}

both! {
    async fn a_table_that_changes_under_a_prepared_statement(fresh) {
        filled(fresh).await;
        #[derive(Debug, FromQueryResult, Row)]
        struct Star { id: i64, text: Option<String> }
        let reader = fast_session(&fresh.database).await;
        for round in 0..3 {
            for _ in 0..8 {
                let rows = reader.query_as::<Star>("SELECT * FROM kinds ORDER BY id", []).await.unwrap();
                assert!(rows[1].id == 1 && rows[1].text.is_some());
            }
            let session = fresh.database.session(Access::Write);
            session.execute_sql(&format!("ALTER TABLE kinds ADD COLUMN more_{round} text"), []).await.unwrap();
            session.commit().await.unwrap();
        }
        assert!(uses_fast_reader(&reader).await);
    }
}

both! {
    async fn a_hundred_at_once(fresh) {
        filled(fresh).await;
        fast_session(&fresh.database).await;
        #[derive(Debug, FromQueryResult, Row)]
        struct Echo { number: i64, many: Option<String> }
        let sql = if fresh.is_postgres() {
            "SELECT $1 AS number, repeat('x', $2::integer) AS many"
        } else {
            "SELECT $1 AS number, printf('%.*c', $2, 'x') AS many"
        };
        let readers = (0..100_i64).map(|number| {
            let database = fresh.database.clone();
            tokio::spawn(async move {
                let session = database.session(Access::Read);
                for round in 0..20_i64 {
                    // Some results are larger than any buffer.
                    let length = if number % 10 == 0 { 50_000 } else { 1 + round };
                    let row = session.query_one_as::<Echo>(sql, [(number * 1000 + round).into(), i32::try_from(length).unwrap().into()]);
                    let row = row.await.unwrap().unwrap();
                    assert_eq!(row.number, number * 1000 + round);
                    assert_eq!(row.many.map(|many| many.len()), usize::try_from(length).ok());
                }
            })
        });
        for reader in readers.collect::<Vec<_>>() {
            reader.await.unwrap();
        }
        let pool = fresh.database.pool();
        assert!(pool.open <= pool.max, "{pool:?}");
        fresh.database.close().await;
        assert!(fresh.database.session(Access::Read).get::<kind::Entity>(1).await.is_err());
    }
}

#[derive(Clone, Copy, Debug, PartialEq, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text")]
enum Colour {
    #[sea_orm(string_value = "red")]
    Red,
    #[sea_orm(string_value = "blue")]
    Blue,
}

/// A custom type, as in an application.
#[derive(Clone, Debug, PartialEq, DeriveValueType)]
struct Even(i64);

impl TryFrom<i64> for Even {
    type Error = String;

    fn try_from(number: i64) -> Result<Self, String> {
        if number % 2 == 0 {
            Ok(Even(number))
        } else {
            Err(format!("{number} is odd"))
        }
    }
}

#[derive(Debug, PartialEq, FromQueryResult, Row)]
struct Own {
    #[row(active_enum)]
    colour: Colour,
    #[row(active_enum)]
    other: Option<Colour>,
    #[row(try_from = "i64")]
    even: Even,
    #[row(try_from = "i64")]
    perhaps: Option<Even>,
}

both! {
    async fn types_of_an_application(fresh) {
        filled(fresh).await;
        let big = |n: i64| format!("SELECT big FROM kinds WHERE id = {n}");
        let sql = |colour: &str, id: i64| format!(
            "SELECT CAST('{colour}' AS text) AS colour, CAST(NULL AS text) AS other, ({}) AS even, ({}) AS perhaps", big(id), big(3)
        );
        for session in access_paths(fresh).await {
            let own = session.query_one_as::<Own>(&sql("blue", 1), []).await.unwrap();
            assert_eq!(own, Some(Own { colour: Colour::Blue, other: None, even: Even(1 << 40), perhaps: None }));
            assert!(session.query_one_as::<Own>(&sql("green", 1), []).await.is_err());
        }
        let session = fast_session(&fresh.database).await;
        let error = session.query_one_as::<Own>(&sql("red", i64::MIN), []).await.unwrap_err();
        assert!(error.to_string().contains("`even`") && error.to_string().contains("is odd"), "{error}");
    }
}

both! {
    async fn entities_with_relations(fresh) {
        use crate::entities::{customer, ticket};
        fresh.migrated().await;
        let session = fresh.database.session(Access::Write);
        session.execute_sql("INSERT INTO customers (email) VALUES ('ann')", []).await.unwrap();
        session.execute_sql("INSERT INTO tickets (customer_id, subject, rank) VALUES (1, 'one', 1), (1, 'two', 2)", []).await.unwrap();
        session.commit().await.unwrap();
        for session in access_paths(fresh).await {
            let ann = session.get::<customer::Entity>(1).await.unwrap().unwrap();
            let her_ticket = sea_orm::ModelTrait::find_related(&ann, ticket::Entity).order_by_desc(ticket::Column::Rank);
            let read: Vec<ticket::Model> = session.all_as(&her_ticket).await.unwrap();
            assert_eq!(read, her_ticket.all(&session).await.unwrap());
            assert_eq!((read[0].subject.as_str(), read.len()), ("two", 2));
        }
    }
}

both! {
    async fn an_error_names_the_statement_once_and_no_line_of_the_database(fresh) {
        fresh.migrated().await;
        let session = fresh.database.session(Access::Read);
        let sql = "SELECT id,\n   nonsense\nFROM tickets";
        let statement = sea_orm::Statement::from_string(session.backend(), sql);
        for error in [
            session.query_as::<Full>(sql, []).await.unwrap_err(),
            session.query_all_raw(statement).await.unwrap_err(),
        ] {
            let causes = doyen_core::causes(&error);
            assert_eq!(causes.len(), 1, "{causes:?}");
            assert!(causes[0].contains("nonsense") && causes[0].ends_with("(in `SELECT id, nonsense FROM tickets`)"), "{causes:?}");
            assert!(!causes[0].contains("at line"), "{causes:?}");
        }
    }
}
