//! Columns of PostgreSQL, with the type conversions of sqlx.

use chrono::{DateTime, FixedOffset, NaiveDate, NaiveDateTime, NaiveTime, Utc};
use tokio_postgres::Row;
use tokio_postgres::types::{FromSql, Type};
use uuid::Uuid;

/// The bytes of a value of any type.
struct Raw;

impl<'a> FromSql<'a> for Raw {
    fn from_sql(_: &Type, _: &'a [u8]) -> Result<Self, Box<dyn std::error::Error + Sync + Send>> {
        Ok(Raw)
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}

pub(super) fn is_null(row: &Row, index: usize) -> bool {
    matches!(row.try_get::<_, Option<Raw>>(index), Ok(None))
}

fn get<'a, T: FromSql<'a>>(row: &'a Row, index: usize) -> Result<T, String> {
    match row.try_get::<_, Option<T>>(index) {
        Ok(Some(value)) => Ok(value),
        Ok(None) => Err("it is NULL, and the field is not an `Option`".to_owned()),
        Err(error) => Err(std::error::Error::source(&error)
            .map_or_else(|| error.to_string(), ToString::to_string)),
    }
}

macro_rules! plain {
    ($($name:ident -> $type:ty),* $(,)?) => {
        $(
            pub(super) fn $name(row: &Row, index: usize) -> Result<$type, String> {
                get(row, index)
            }
        )*
    };
}

plain! {
    bool -> bool,
    i16 -> i16,
    i32 -> i32,
    i64 -> i64,
    f32 -> f32,
    f64 -> f64,
    string -> String,
    bytes -> Vec<u8>,
    uuid -> Uuid,
    utc -> DateTime<Utc>,
    fixed_offset -> DateTime<FixedOffset>,
    date_time -> NaiveDateTime,
    date -> NaiveDate,
    time -> NaiveTime,
    json -> serde_json::Value,
}
