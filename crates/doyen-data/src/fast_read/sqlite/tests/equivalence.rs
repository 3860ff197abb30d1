//! What is bound and read is what sqlx binds and reads.

use chrono::{DateTime, FixedOffset, Local, NaiveDate, NaiveDateTime, NaiveTime, Utc};
use sea_orm::Statement;
use sea_orm::sea_query::{EnumTypeName, OptionEnum};
use uuid::Uuid;

use super::*;

async fn over_sqlx<T: TryGetable>(
    fresh: &Fresh,
    sql: &str,
    values: &[Value],
) -> Result<Option<T>, DbErr> {
    let session = fresh.database.session(Access::Read);
    let statement = Statement::from_sql_and_values(session.backend(), sql, values.iter().cloned());
    let row = One::<T>::find_by_statement(statement).one(&session).await?;
    Ok(row.map(|row| row.0))
}

#[tokio::test]
async fn every_value_is_bound_the_same() {
    let fresh = Fresh::new().await;
    let reader = fresh.reader(1);
    let moment = DateTime::parse_from_rfc3339("2024-02-29T23:59:58.120000003+05:30").unwrap();
    let date = NaiveDate::from_ymd_opt(1582, 10, 15).unwrap();
    let time = NaiveTime::from_hms_micro_opt(1, 2, 3, 40).unwrap();
    let whole = NaiveTime::from_hms_opt(0, 0, 0).unwrap();
    let values: Vec<Value> = vec![
        true.into(),
        false.into(),
        i8::MIN.into(),
        i16::MIN.into(),
        i32::MIN.into(),
        i64::MIN.into(),
        u8::MAX.into(),
        u16::MAX.into(),
        u32::MAX.into(),
        (i64::MAX as u64).into(),
        0.1_f32.into(),
        f64::MIN_POSITIVE.into(),
        f64::INFINITY.into(),
        1.0_f64.into(),
        "".into(),
        "grüße".into(),
        'ß'.into(),
        Vec::<u8>::new().into(),
        vec![0_u8, 255].into(),
        serde_json::json!({"b": [1, null, "x"], "a": 1.5}).into(),
        serde_json::Value::Null.into(),
        date.into(),
        time.into(),
        whole.into(),
        date.and_time(time).into(),
        date.and_time(whole).into(),
        moment.into(),
        moment.with_timezone(&Utc).into(),
        moment.with_timezone(&Local).into(),
        DateTime::<Utc>::UNIX_EPOCH.into(),
        Uuid::from_u128(7).into(),
        Value::Bool(None),
        Value::BigInt(None),
        Value::BigUnsigned(None),
        Value::Double(None),
        Value::String(None),
        Value::Char(None),
        Value::Bytes(None),
        Value::Json(None),
        Value::ChronoDateTimeUtc(None),
        Value::Uuid(None),
        Value::Enum(OptionEnum::None(EnumTypeName::from("mood"))),
    ];
    for value in values {
        // The bytes of a text, too.
        let sql = "SELECT typeof($1) || ' ' || quote($1) || ' ' || coalesce(hex(CAST($1 AS blob)), '') AS v";
        let values = [value];
        let ours: Result<String, _> = reader.one(sql, &values).await;
        let theirs: Option<String> = over_sqlx(&fresh, sql, &values).await.unwrap();
        assert_eq!(Some(ours.unwrap()), theirs, "{values:?}");
    }
    reader.close().await;
    fresh.drop().await;
}

#[tokio::test]
async fn every_form_of_a_parameter_means_the_same() {
    let fresh = Fresh::new().await;
    let reader = fresh.reader(1);
    let values: Vec<Value> = vec!["a".into(), "b".into(), "c".into()];
    for sql in [
        "SELECT $1 || $2 || $3 AS v",
        "SELECT $3 || $1 || $3 || $1 AS v",
        "SELECT ?1 || ?3 || ?1 AS v",
        "SELECT ? || ? AS v",
        "SELECT ?2 || ? || ? AS v",
        "SELECT $2 || ? AS v",
        "SELECT quote($4) || quote($1) AS v",
        "SELECT quote($1) || quote($5) AS v",
        "SELECT '$1' || \"$2\" AS v FROM (SELECT 1 AS \"$2\") -- $3",
    ] {
        let ours: String = reader.one(sql, &values).await.unwrap();
        let theirs: Option<String> = over_sqlx(&fresh, sql, &values).await.unwrap();
        assert_eq!(Some(ours), theirs, "{sql}");
    }
    // What only sqlx can do or say, is left to it.
    for sql in [
        "SELECT :name AS v",
        "SELECT $name AS v",
        "SELECT 1 AS v; SELECT 2 AS v",
        "",
        "-- nothing",
    ] {
        let error = reader.one::<String>(sql, &values).await.unwrap_err();
        assert!(matches!(error, ReadError::Fallback), "{sql}: {error:?}");
    }
    for value in [Value::BigUnsigned(Some(u64::MAX)), f64::NAN.into()] {
        let error = reader.one::<String>("SELECT $1 AS v", &[value]).await;
        assert!(matches!(error, Err(ReadError::Fallback)), "{error:?}");
    }
    reader.close().await;
    fresh.drop().await;
}

/// Every kind of value that a column may hold.
const CELLS: &[&str] = &[
    "NULL",
    "0",
    "1",
    "-1",
    "42",
    "32768",
    "2147483648",
    "9223372036854775807",
    "253402300800",
    "0.0",
    "1.5",
    "-1e300",
    "9e999",
    "2460370.499977",
    "''",
    "'text'",
    "'grüße'",
    "'42'",
    "'true'",
    "'null'",
    "'{\"a\": [1, 2.5, \"x\"]}'",
    "'[1'",
    "'2024-02-29'",
    "'2023-02-29'",
    "'2024-02-29 01:02:03'",
    "'2024-02-29 01:02:03.456789'",
    "'2024-02-29T01:02:03.000000001Z'",
    "'2024-02-29T01:02:03+05:30'",
    "'2024-02-29T01:02:03+00:00'",
    "'2024-02-29T01:02:03.100+00:00'",
    "'2024-02-29T01:02:03.100000+00:00'",
    "'2024-02-29T01:02:03.000000001+00:00'",
    "'0000-01-01T01:02:03+00:00'",
    "'0000-01-01'",
    "'2024-2-9'",
    "'01:02:03.500'",
    "'24:00:00'",
    "'2024-02-29 01:02'",
    "'2024-02-29 01:02Z'",
    "'2024-02-29 01:02-03:00'",
    "'2024-02-29 01:02:03Z'",
    "'2024-02-29 01:02:03.5+01:00'",
    "'2024-02-29T01:02'",
    "'2024-02-29T01:02Z'",
    "'2024-02-29T01:02+01:00'",
    "'2024-02-29T01:02:03'",
    "'01:02'",
    "'01:02Z'",
    "'01:02:03'",
    "'01:02:03.5'",
    "'01:02:03.5Z'",
    "'01:02+01:00'",
    "'01:02:03.5+01:00'",
    "'25:00'",
    "x''",
    "x'ff00'",
    "x'000102030405060708090a0b0c0d0e0f'",
    "'0123456789abcdef'",
    "'67e55044-10b1-426f-9247-bb680e5fe0c8'",
    "CAST(x'ff' AS text)",
    "x'31'",
];

/// Returns the type and the bytes that SQLite stores for an expression, or an error for a value
/// that cannot be stored.
async fn stored(
    reader: &SqliteReader,
    expression: &str,
    values: &[Value],
) -> Result<String, ReadError> {
    let sql = format!("SELECT typeof({expression}) || hex({expression}) AS v");
    reader.one(&sql, values).await
}

/// What is read is what sqlx reads. sqlx reads values in more forms; only the one that is written
/// is read here, because a comparison finds no other.
async fn read_the_same<T>(fresh: &Fresh, reader: &SqliteReader)
where
    T: TryGetable + Cell + PartialEq + std::fmt::Debug + Send + Into<Value> + Clone + 'static,
{
    let kind = std::any::type_name::<T>();
    // A number is rounded, and a JSON text may have spaces.
    let any_form = matches!(kind, "f32" | "serde_json::value::Value");
    let mut read = 0;
    for cell in CELLS {
        let sql = format!("SELECT {cell} AS v");
        let ours = reader.first::<One<T>>(&sql, &[]).await;
        let theirs = over_sqlx::<T>(fresh, &sql, &[]).await;
        let is_stored_form = match &theirs {
            Ok(Some(value)) => {
                let bound = [value.clone().into()];
                let again = stored(reader, "$1", &bound).await;
                let given = stored(reader, cell, &[]).await.unwrap();
                any_form || again.is_ok_and(|again| again == given)
            }
            _ => false,
        };
        match (&ours, &theirs) {
            (Ok(Some(One(ours))), Ok(Some(theirs))) if ours == theirs && is_stored_form => {
                read += 1;
            }
            (Err(ReadError::Failed(DbErr::Type(_))), Ok(_)) if !is_stored_form => {}
            (Err(ReadError::Failed(DbErr::Type(_))), Err(_)) => {}
            // Beyond the range of a single-precision number, which sqlx makes infinite.
            (Err(ReadError::Failed(DbErr::Type(_))), Ok(_)) if *cell == "-1e300" => {}
            _ => panic!("{cell} as {kind}: {ours:?}, and over sqlx {theirs:?}"),
        }
        let optional = reader.first::<One<Option<T>>>(&sql, &[]).await;
        match (&ours, &optional) {
            (Ok(Some(One(ours))), Ok(Some(One(Some(optional))))) if ours == optional => {}
            (Err(_), Ok(Some(One(None)))) if *cell == "NULL" => {}
            (Err(_), Err(ReadError::Failed(DbErr::Type(_)))) => {}
            _ => panic!("{cell} as {kind}: {ours:?}, and as an Option {optional:?}"),
        }
    }
    assert!(read > 0, "{kind}");
}

#[tokio::test]
async fn every_type_reads_the_same_of_every_value() {
    let fresh = Fresh::new().await;
    let reader = fresh.reader(1);
    read_the_same::<bool>(&fresh, &reader).await;
    read_the_same::<i16>(&fresh, &reader).await;
    read_the_same::<i32>(&fresh, &reader).await;
    read_the_same::<i64>(&fresh, &reader).await;
    read_the_same::<f32>(&fresh, &reader).await;
    read_the_same::<f64>(&fresh, &reader).await;
    read_the_same::<String>(&fresh, &reader).await;
    read_the_same::<Vec<u8>>(&fresh, &reader).await;
    read_the_same::<Uuid>(&fresh, &reader).await;
    read_the_same::<DateTime<Utc>>(&fresh, &reader).await;
    read_the_same::<DateTime<FixedOffset>>(&fresh, &reader).await;
    read_the_same::<NaiveDateTime>(&fresh, &reader).await;
    read_the_same::<NaiveDate>(&fresh, &reader).await;
    read_the_same::<NaiveTime>(&fresh, &reader).await;
    read_the_same::<serde_json::Value>(&fresh, &reader).await;
    reader.close().await;
    fresh.drop().await;
}
