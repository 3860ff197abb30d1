//! Columns of PostgreSQL, with the type conversions of sqlx.
//!
//! PostgreSQL stores times that no response can hold: `infinity`, years before 0001 and after 9999,
//! and the time of day 24:00:00. The drivers panic on some of them and change others, so they are
//! rejected before.

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

/// The first and the last value of a time, in microseconds, and of a date, in days, since
/// 2000-01-01; the last time of day, in microseconds.
const TIMES: (i64, i64) = (-63_082_281_600_000_000, 252_455_615_999_999_999);
const DAYS: (i32, i32) = (-730_119, 2_921_939);
const LAST_TIME_OF_DAY: i64 = 86_399_999_999;

pub(crate) const UNREADABLE_TIME: &str =
    "it is infinite, outside of the years 0001 to 9999, or the time 24:00:00";

/// Returns true if the bytes of a time, a date or a time of day can be read.
pub(crate) fn is_readable_time(bytes: &[u8], is_time_of_day: bool) -> bool {
    match (<[u8; 8]>::try_from(bytes), <[u8; 4]>::try_from(bytes)) {
        (Ok(micros), _) if is_time_of_day => i64::from_be_bytes(micros) <= LAST_TIME_OF_DAY,
        (Ok(micros), _) => (TIMES.0..=TIMES.1).contains(&i64::from_be_bytes(micros)),
        (_, Ok(days)) => (DAYS.0..=DAYS.1).contains(&i32::from_be_bytes(days)),
        _ => true,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limits_are_the_ends_of_the_years_0001_and_9999() {
        let epoch = NaiveDate::from_ymd_opt(2000, 1, 1).unwrap();
        let first = NaiveDate::from_ymd_opt(1, 1, 1).unwrap();
        let last = NaiveDate::from_ymd_opt(9999, 12, 31).unwrap();
        assert_eq!(i64::from(DAYS.0), (first - epoch).num_days());
        assert_eq!(i64::from(DAYS.1), (last - epoch).num_days());
        let day = 86_400_000_000;
        assert_eq!(TIMES.0, i64::from(DAYS.0) * day);
        assert_eq!(TIMES.1, i64::from(DAYS.1) * day + LAST_TIME_OF_DAY);
    }
}
