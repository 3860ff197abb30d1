//! Binds values to a SQLite statement in the format in which sqlx stores them.

use chrono::{DateTime, SecondsFormat};
use rusqlite::Statement;
use rusqlite::types::{ToSqlOutput, Value as Owned, ValueRef};
use sea_orm::sea_query::OptionEnum;
use sea_orm::{DbBackend, Value};

use super::connection::RunError;
use crate::connection::why_not_storable;

/// Binds the parameters: every `$2` or `?2` is the second value, each plain `?` is the next one.
///
/// A parameter without a value is NULL.
pub(super) fn bind(statement: &mut Statement<'_>, values: &[Value]) -> Result<(), RunError> {
    let mut next = 0;
    for parameter in 1..=statement.parameter_count() {
        let number = match statement.parameter_name(parameter) {
            Some(name) => numbered(name).ok_or(RunError::Fallback)?,
            None => {
                next += 1;
                next
            }
        };
        let Some(value) = values.get(number - 1) else {
            break;
        };
        let value = parameter_of(value).ok_or(RunError::Fallback)?;
        statement.raw_bind_parameter(parameter, value)?;
    }
    Ok(())
}

/// Returns the number in `$1` or `?1`, from 1 on.
fn numbered(name: &str) -> Option<usize> {
    let number = name.strip_prefix(['$', '?'])?.parse().ok()?;
    (number > 0).then_some(number)
}

/// Converts a value, or returns `None` for values that sqlx does not support either, or that cannot
/// be stored. The pool reports those.
fn parameter_of(value: &Value) -> Option<ToSqlOutput<'_>> {
    if why_not_storable(value, DbBackend::Sqlite).is_some() {
        return None;
    }
    Some(match value {
        Value::Bool(value) => integer(*value),
        Value::TinyInt(value) => integer(*value),
        Value::SmallInt(value) => integer(*value),
        Value::Int(value) => integer(*value),
        Value::BigInt(value) => integer(*value),
        Value::TinyUnsigned(value) => integer(*value),
        Value::SmallUnsigned(value) => integer(*value),
        Value::Unsigned(value) => integer(*value),
        Value::BigUnsigned(value) => integer(value.map(i64::try_from).transpose().ok()?),
        Value::Float(value) => borrowed(value.map(|value| ValueRef::Real(value.into()))),
        Value::Double(value) => borrowed(value.map(ValueRef::Real)),
        Value::String(value) => borrowed(value.as_deref().map(ValueRef::from)),
        Value::Enum(OptionEnum::Some(value)) => borrowed(Some(ValueRef::from(&*value.value))),
        Value::Enum(OptionEnum::None(_)) => borrowed(None),
        Value::Char(value) => text(value.map(String::from)),
        Value::Bytes(value) => borrowed(value.as_deref().map(ValueRef::Blob)),
        Value::Json(value) => text(value.as_ref().map(serde_json::to_string).transpose().ok()?),
        Value::ChronoDate(value) => text(value.map(|value| value.format("%F").to_string())),
        Value::ChronoTime(value) => text(value.map(|value| value.format("%T%.f").to_string())),
        Value::ChronoDateTime(value) => {
            text(value.map(|value| value.format("%F %T%.f").to_string()))
        }
        Value::ChronoDateTimeUtc(value) => text(value.as_ref().map(moment)),
        Value::ChronoDateTimeLocal(value) => text(value.as_ref().map(moment)),
        Value::ChronoDateTimeWithTimeZone(value) => text(value.as_ref().map(moment)),
        Value::Uuid(value) => {
            borrowed(value.as_ref().map(|value| ValueRef::Blob(value.as_bytes())))
        }
        #[allow(unreachable_patterns)]
        _ => return None,
    })
}

fn integer<T: Into<i64>>(value: Option<T>) -> ToSqlOutput<'static> {
    borrowed(value.map(|value| ValueRef::Integer(value.into())))
}

fn borrowed(value: Option<ValueRef<'_>>) -> ToSqlOutput<'_> {
    ToSqlOutput::Borrowed(value.unwrap_or(ValueRef::Null))
}

fn text(value: Option<String>) -> ToSqlOutput<'static> {
    ToSqlOutput::Owned(value.map_or(Owned::Null, Owned::Text))
}

fn moment<Z: chrono::TimeZone>(value: &DateTime<Z>) -> String {
    value.to_utc().to_rfc3339_opts(SecondsFormat::AutoSi, false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_numbers_from_one_on_are_names() {
        for (name, expected) in [
            ("$1", Some(1)),
            ("?2", Some(2)),
            ("$12", Some(12)),
            ("$0", None),
            ("$name", None),
            (":1", None),
            ("@1", None),
        ] {
            assert_eq!(numbered(name), expected, "{name}");
        }
    }

    #[test]
    fn a_number_too_large_for_sqlite_is_not_bound() {
        assert!(parameter_of(&Value::BigUnsigned(Some(u64::MAX))).is_none());
        assert!(parameter_of(&Value::BigUnsigned(Some(7))).is_some());
    }
}
