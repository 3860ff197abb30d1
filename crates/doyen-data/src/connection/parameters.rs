//! The parameters of a statement, in the form in which they are stored.

use chrono::{Datelike, Utc};
use sea_orm::{DbBackend, Statement, Value};
use sea_query_sqlx::SqlxValues;

/// Returns the parameters of a statement. A time with an offset is converted to UTC, because SQLite
/// compares times as texts.
///
/// # Errors
///
/// Returns an error for a value that the database would change, or that could not be read again.
pub(super) fn parameters(statement: &Statement) -> Result<SqlxValues, sqlx::Error> {
    let mut values = statement.values.clone().map_or_else(Vec::new, |all| all.0);
    for value in &mut values {
        if let Some(why) = why_not_storable(value, statement.db_backend) {
            return Err(sqlx::Error::Encode(why.into()));
        }
        match value {
            Value::ChronoDateTimeWithTimeZone(Some(time)) => *time = time.to_utc().fixed_offset(),
            Value::ChronoDateTimeLocal(Some(time)) => {
                *value = Value::ChronoDateTimeUtc(Some(time.with_timezone(&Utc)));
            }
            _ => {}
        }
    }
    Ok(SqlxValues(sea_orm::Values(values)))
}

/// Returns why a value cannot be stored as it is.
pub(crate) fn why_not_storable(value: &Value, backend: DbBackend) -> Option<&'static str> {
    match value {
        Value::BigUnsigned(Some(number)) if i64::try_from(*number).is_err() => {
            Some("a number beyond the range of a 64-bit signed integer cannot be stored")
        }
        Value::Float(Some(number)) if number.is_nan() => nan(backend),
        Value::Double(Some(number)) if number.is_nan() => nan(backend),
        Value::ChronoDate(Some(date)) => year(date),
        Value::ChronoDateTime(Some(time)) => year(time),
        Value::ChronoDateTimeUtc(Some(time)) => year(time),
        Value::ChronoDateTimeLocal(Some(time)) => year(&time.to_utc()),
        Value::ChronoDateTimeWithTimeZone(Some(time)) => year(&time.to_utc()),
        _ => None,
    }
}

fn nan(backend: DbBackend) -> Option<&'static str> {
    (backend == DbBackend::Sqlite).then_some("SQLite would store NaN as NULL")
}

fn year(time: &impl Datelike) -> Option<&'static str> {
    (!(1..=9999).contains(&time.year()))
        .then_some("a time outside of the years 0001 to 9999 cannot be stored")
}
