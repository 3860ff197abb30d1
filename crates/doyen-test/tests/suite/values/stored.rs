//! Values that other programs wrote: a value is read only in the form in which it is compared.

use doyen::data::sea_orm::{EntityTrait as _, Value};
use doyen::domain::Access;
use serde_json::json;

use super::{Samples, sample};

/// Stores a sample, and then sets one column with SQL.
async fn stored(samples: &Samples, column: &str, sql: &str) {
    samples.execute("DELETE FROM samples", []).await;
    keep(samples, 1, "2026-11-22T08:30:00Z").await;
    samples
        .execute(&format!("UPDATE samples SET {column} = {sql}"), [])
        .await;
}

async fn keep(samples: &Samples, id: i64, at: &str) {
    samples
        .post("/samples")
        .json(&json!({"id": id, "free": {}, "scalars": {
            "tiny": 1, "small": 1, "medium": 1, "big": 1, "byte": 1, "word": 1, "count": 1, "huge": 1, "ratio": 1.5,
            "at": at, "day": "2026-11-22", "flag": true, "label": "a",
        }}))
        .send()
        .await
        .expect(201);
}

/// Column, a value in SQL that is read, values that are not.
const FORMS: &[(&str, &[&str], &[&str])] = &[
    (
        "at",
        &[
            "'2026-11-22T08:30:00+00:00'",
            "'2026-11-22T08:30:00.250+00:00'",
            "'2026-11-22T08:30:00.250001+00:00'",
            "strftime('%Y-%m-%dT%H:%M:%S+00:00', 'now')",
        ],
        &[
            "datetime('now')",
            "CURRENT_TIMESTAMP",
            "strftime('%Y-%m-%dT%H:%M:%SZ', 'now')",
            "unixepoch()",
            "julianday()",
            "'2026-11-22T10:30:00+02:00'",
            "'2026-11-22T08:30:00.5+00:00'",
            "'2026-11-22T08:30:00.000+00:00'",
            "'2026-11-22T08:30:00.250000+00:00'",
            "'2026-11-22t08:30:00+00:00'",
            "'2026-11-22T08:30+00:00'",
            "'2026-13-22T08:30:00+00:00'",
            "'0000-11-22T08:30:00+00:00'",
            "'+12026-11-22T08:30:00+00:00'",
            "'infinity'",
        ],
    ),
    (
        "day",
        &["date('2026-11-22')"],
        &["datetime('now')", "'2026-1-2'", "'0000-01-01'", "20261122"],
    ),
    ("flag", &["true", "0"], &["2", "-1", "'true'", "1.5"]),
    ("big", &["7"], &["'seven'", "7.5"]),
    ("medium", &["7"], &["2147483648", "'seven'"]),
    ("ratio", &["7", "7.5"], &["'seven'"]),
];

#[doyen_test::test(sqlite)]
async fn a_value_in_another_form_is_an_error_on_each_path(samples: Samples) {
    for (column, read, refused) in FORMS {
        for sql in *read {
            stored(&samples, column, sql).await;
            samples.get("/samples/1").send().await.expect(200);
            samples.get("/by-time").send().await.expect(200);
            let session = samples.database().session(Access::Write);
            session.get::<sample::Entity>(1).await.unwrap();
        }
        for sql in *refused {
            stored(&samples, column, sql).await;
            samples.get("/samples/1").send().await.expect(500);
            samples.get("/by-time").send().await.expect(500);
            let session = samples.database().session(Access::Write);
            let error = session.get::<sample::Entity>(1).await.unwrap_err();
            assert!(
                error.to_string().contains(&format!("`{column}`")),
                "{sql}: {error}"
            );
        }
    }
}

/// Half of the rows have a time that `datetime('now')` wrote: a list that compares texts would lose
/// them after the first page.
#[doyen_test::test(sqlite)]
async fn a_list_does_not_lose_rows_silently(samples: Samples) {
    for id in 1..=6 {
        keep(&samples, id, &format!("2026-11-22T0{id}:30:00Z")).await;
    }
    samples
        .execute("UPDATE samples SET at = datetime(at) WHERE id % 2 = 0", [])
        .await;
    samples.get("/by-time?limit=1").send().await.expect(200);
    samples.get("/by-time?limit=6").send().await.expect(500);
    samples
        .execute(
            "UPDATE samples SET at = strftime('%Y-%m-%dT%H:%M:%S+00:00', at)",
            [],
        )
        .await;
    let mut seen = Vec::new();
    let mut target = "/by-time?limit=2".to_owned();
    loop {
        let page = samples.get(&target).send().await.expect(200);
        let items = page.at("/items");
        seen.extend(
            items
                .as_array()
                .unwrap()
                .iter()
                .map(|item| item["id"].clone()),
        );
        match page.at("/_links").pointer("/next/href") {
            Some(next) => target = next.as_str().unwrap().to_owned(),
            None => break,
        }
    }
    assert_eq!(seen, [6, 5, 4, 3, 2, 1]);
}

/// One time has one text, whatever its offset was, so that it is found again.
#[doyen_test::test]
async fn a_time_with_an_offset_is_stored_in_utc(samples: Samples) {
    keep(&samples, 1, "2026-11-22T08:30:00Z").await;
    let at: doyen::data::sea_orm::prelude::DateTimeWithTimeZone =
        "2026-11-22T23:30:00.250+05:30".parse().unwrap();
    samples
        .execute("UPDATE samples SET at = $1", [at.into()])
        .await;
    for session in [
        samples.database().session(Access::Read),
        samples.database().session(Access::Write),
    ] {
        let row = session.get::<sample::Entity>(1).await.unwrap().unwrap();
        assert_eq!(row.at, at);
        let sql = "SELECT * FROM samples WHERE at = $1";
        for same in [Value::from(at), at.to_utc().into()] {
            let found: Vec<sample::Model> = session.query_as(sql, [same]).await.unwrap();
            assert_eq!(found.len(), 1);
        }
    }
}

/// What a database would change or could not return is refused when it is written.
#[doyen_test::test]
async fn a_value_that_would_be_stored_as_another_is_refused(samples: Samples) {
    use doyen::data::sea_orm::prelude::{Date, DateTimeUtc};
    keep(&samples, 1, "2026-11-22T08:30:00Z").await;
    let day = |year| Date::from_ymd_opt(year, 1, 1).unwrap();
    let time = |year| -> DateTimeUtc { day(year).and_hms_opt(0, 0, 0).unwrap().and_utc() };
    let mut values: Vec<(&str, Value)> = vec![
        ("big", u64::MAX.into()),
        ("at", time(10_000).into()),
        ("at", time(0).into()),
        ("day", day(10_000).into()),
        ("day", day(0).into()),
    ];
    if samples.backend() == doyen_test::Backend::Sqlite {
        // SQLite stores NaN as NULL.
        values.push(("ratio", f64::NAN.into()));
    }
    for (column, value) in values {
        let session = samples.database().session(Access::Write);
        let sql = format!("UPDATE samples SET {column} = $1");
        let error = session
            .execute_sql(&sql, [value.clone()])
            .await
            .unwrap_err();
        assert!(
            doyen::data::classify(&error).is_none(),
            "{value:?}: {error}"
        );
        session.rollback().await;
    }
    let session = samples.database().session(Access::Read);
    let row = sample::Entity::find_by_id(1).one(&session).await.unwrap();
    assert_eq!(row.unwrap().ratio, 1.5);
}

/// PostgreSQL stores times that no `Timestamp` can hold.
#[doyen_test::test(postgres)]
async fn a_time_that_has_no_timestamp_is_a_clear_error(samples: Samples) {
    for (column, values) in [
        (
            "at",
            [
                "infinity",
                "-infinity",
                "0001-12-31 23:59:59 BC",
                "10000-01-01",
                "294276-12-31",
            ],
        ),
        (
            "day",
            [
                "infinity",
                "-infinity",
                "0001-12-31 BC",
                "10000-01-01",
                "5874897-12-31",
            ],
        ),
    ] {
        for value in values {
            stored(&samples, column, &format!("'{value}'")).await;
            samples.get("/samples/1").send().await.expect(500);
            samples.get("/by-time").send().await.expect(500);
            for access in [Access::Read, Access::Write] {
                let session = samples.database().session(access);
                let typed = session.get::<sample::Entity>(1).await.unwrap_err();
                let found = sample::Entity::find_by_id(1)
                    .one(&session)
                    .await
                    .unwrap_err();
                let one = sample::Entity::find().all(&session).await;
                for error in [typed, found] {
                    let text = error.to_string();
                    assert!(
                        text.contains(&format!("`{column}`")) && text.contains("0001 to 9999"),
                        "{value}: {text}"
                    );
                }
                assert!(one.is_err());
            }
        }
    }
}
