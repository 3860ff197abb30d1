//! Columns of PostgreSQL, with the type conversions of sqlx.
//!
//! Times are checked before the driver converts them ([`is_readable_time`]).

use chrono::{DateTime, FixedOffset, NaiveDate, NaiveDateTime, NaiveTime, Utc};
use tokio_postgres::Row;
use tokio_postgres::types::{FromSql, Type};
use uuid::Uuid;

use super::readable_time::{UNREADABLE_TIME, is_readable_time};

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

/// A value that is checked before the driver converts it.
struct Checked<T>(T);

impl<'a, T: FromSql<'a>> FromSql<'a> for Checked<T> {
    fn from_sql(
        of: &Type,
        bytes: &'a [u8],
    ) -> Result<Self, Box<dyn std::error::Error + Sync + Send>> {
        if is_readable_time(bytes, *of == Type::TIME) {
            T::from_sql(of, bytes).map(Checked)
        } else {
            Err(UNREADABLE_TIME.into())
        }
    }

    fn accepts(of: &Type) -> bool {
        T::accepts(of)
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
    json -> serde_json::Value,
}

macro_rules! checked {
    ($($name:ident -> $type:ty),* $(,)?) => {
        $(
            pub(super) fn $name(row: &Row, index: usize) -> Result<$type, String> {
                get::<Checked<$type>>(row, index).map(|checked| checked.0)
            }
        )*
    };
}

checked! {
    utc -> DateTime<Utc>,
    fixed_offset -> DateTime<FixedOffset>,
    date_time -> NaiveDateTime,
    date -> NaiveDate,
    time -> NaiveTime,
}
