//! Columns of SQLite, each in the one form in which Doyen stores it.
//!
//! SQLite has five kinds of values, does not enforce the declared type of a column, and compares
//! times as texts. A value in another form can be read but is not found again: `datetime('now')`
//! is less than every stored time of the same day. Such a value is an error, so that a list does
//! not lose its row silently.
//!
//! | type | form |
//! | --- | --- |
//! | time in UTC | `2026-11-22T08:30:00+00:00`; a fraction has 3, 6 or 9 digits |
//! | time without a zone | `2026-11-22 08:30:00`, with the same fractions |
//! | date, time of day | `2026-11-22`, `08:30:00` |
//! | boolean | 0 or 1 |
//! | UUID | a blob of 16 bytes |

use chrono::{DateTime, FixedOffset, NaiveDate, NaiveDateTime, NaiveTime, Utc};
use sqlx::sqlite::SqliteRow;
use sqlx::{Decode, Row as _, Sqlite, TypeInfo as _, ValueRef as _};
use uuid::Uuid;

use super::stored_value::StoredValue;

const NO_TIME: &str = "it is not stored as `2026-11-22T08:30:00+00:00`, and would not be found again. \
    SQL writes this form with `strftime('%Y-%m-%dT%H:%M:%S+00:00', ..)`";

/// Returns the value of a column that was read over sqlx.
pub(super) fn pooled_value(row: &SqliteRow, index: usize) -> Result<StoredValue<'_>, sqlx::Error> {
    let value = row.try_get_raw(index)?;
    let kind = value.type_info().into_owned();
    let decoded = match kind.name() {
        _ if value.is_null() => Ok(StoredValue::Null),
        "INTEGER" => Decode::<Sqlite>::decode(value).map(StoredValue::Integer),
        "REAL" => Decode::<Sqlite>::decode(value).map(StoredValue::Real),
        "TEXT" => Decode::<Sqlite>::decode(value).map(StoredValue::Text),
        _ => Decode::<Sqlite>::decode(value).map(StoredValue::Blob),
    };
    decoded.map_err(sqlx::Error::Decode)
}

pub(super) fn bool(value: StoredValue<'_>) -> Result<bool, String> {
    match i64(value)? {
        0 => Ok(false),
        1 => Ok(true),
        _ => Err("it is neither 0 nor 1".to_owned()),
    }
}

pub(super) fn i16(value: StoredValue<'_>) -> Result<i16, String> {
    narrow(value)
}

pub(super) fn i32(value: StoredValue<'_>) -> Result<i32, String> {
    narrow(value)
}

pub(super) fn i64(value: StoredValue<'_>) -> Result<i64, String> {
    match value {
        StoredValue::Integer(number) => Ok(number),
        other => Err(not(&other, "an INTEGER")),
    }
}

pub(super) fn f32(value: StoredValue<'_>) -> Result<f32, String> {
    let number = f64(value)?;
    let single = number as f32;
    if single.is_infinite() && number.is_finite() {
        return Err("it is beyond the range of a single-precision number".to_owned());
    }
    Ok(single)
}

pub(super) fn f64(value: StoredValue<'_>) -> Result<f64, String> {
    match value {
        StoredValue::Real(number) => Ok(number),
        other => Err(not(&other, "a REAL")),
    }
}

pub(super) fn string(value: StoredValue<'_>) -> Result<String, String> {
    text(value).map(str::to_owned)
}

pub(super) fn bytes(value: StoredValue<'_>) -> Result<Vec<u8>, String> {
    match value {
        StoredValue::Blob(bytes) => Ok(bytes.to_vec()),
        other => Err(not(&other, "a BLOB")),
    }
}

pub(super) fn uuid(value: StoredValue<'_>) -> Result<Uuid, String> {
    match value {
        StoredValue::Blob(bytes) => Uuid::from_slice(bytes).map_err(|error| error.to_string()),
        other => Err(not(&other, "a BLOB of 16 bytes")),
    }
}

pub(super) fn utc(value: StoredValue<'_>) -> Result<DateTime<Utc>, String> {
    let time = text(value)?
        .strip_suffix("+00:00")
        .and_then(|text| moment(text, b'T'));
    time.map(|time| time.and_utc())
        .ok_or_else(|| NO_TIME.to_owned())
}

pub(super) fn fixed_offset(value: StoredValue<'_>) -> Result<DateTime<FixedOffset>, String> {
    utc(value).map(|time| time.fixed_offset())
}

pub(super) fn date_time(value: StoredValue<'_>) -> Result<NaiveDateTime, String> {
    moment(text(value)?, b' ').ok_or_else(|| "it is not stored as `2026-11-22 08:30:00`".to_owned())
}

pub(super) fn date(value: StoredValue<'_>) -> Result<NaiveDate, String> {
    day(text(value)?.as_bytes()).ok_or_else(|| "it is not stored as `2026-11-22`".to_owned())
}

pub(super) fn time(value: StoredValue<'_>) -> Result<NaiveTime, String> {
    time_of_day(text(value)?.as_bytes()).ok_or_else(|| "it is not stored as `08:30:00`".to_owned())
}

pub(super) fn json(value: StoredValue<'_>) -> Result<serde_json::Value, String> {
    match value {
        StoredValue::Text(text) => serde_json::from_slice(text).map_err(|error| error.to_string()),
        other => Err(not(&other, "a TEXT")),
    }
}

fn narrow<T: TryFrom<i64>>(value: StoredValue<'_>) -> Result<T, String>
where
    T::Error: std::fmt::Display,
{
    T::try_from(i64(value)?).map_err(|error| error.to_string())
}

fn text(value: StoredValue<'_>) -> Result<&str, String> {
    match value {
        StoredValue::Text(text) => std::str::from_utf8(text).map_err(|error| error.to_string()),
        other => Err(not(&other, "a TEXT")),
    }
}

/// Parses a date and a time with this separator.
fn moment(text: &str, separator: u8) -> Option<NaiveDateTime> {
    let (date, time) = text.as_bytes().split_at_checked(10)?;
    let (first, time) = time.split_first()?;
    (*first == separator).then_some(())?;
    Some(day(date)?.and_time(time_of_day(time)?))
}

/// Parses `2026-11-22`, from year 1 to year 9999.
fn day(text: &[u8]) -> Option<NaiveDate> {
    let &[y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2] = text else {
        return None;
    };
    let year = i32::try_from(number(&[y1, y2, y3, y4])?).ok()?;
    let date = NaiveDate::from_ymd_opt(year, number(&[m1, m2])?, number(&[d1, d2])?)?;
    (year > 0).then_some(date)
}

/// Parses `08:30:00` with a fraction of no, 3, 6 or 9 digits, which is as short as possible.
fn time_of_day(text: &[u8]) -> Option<NaiveTime> {
    let (time, fraction) = text.split_first_chunk::<8>()?;
    let &[h1, h2, b':', m1, m2, b':', s1, s2] = time else {
        return None;
    };
    let nanos = match fraction {
        [] => 0,
        [b'.', digits @ ..] if matches!(digits.len(), 3 | 6 | 9) && !digits.ends_with(b"000") => {
            (digits.len()..9).try_fold(number(digits)?, |nanos, _| nanos.checked_mul(10))?
        }
        _ => return None,
    };
    NaiveTime::from_hms_nano_opt(
        number(&[h1, h2])?,
        number(&[m1, m2])?,
        number(&[s1, s2])?,
        nanos,
    )
}

/// Parses a number of digits alone.
fn number(digits: &[u8]) -> Option<u32> {
    digits.iter().try_fold(0_u32, |number, digit| {
        let digit = digit.wrapping_sub(b'0');
        (digit < 10).then_some(number * 10 + u32::from(digit))
    })
}

#[cold]
fn not(value: &StoredValue<'_>, wanted: &str) -> String {
    match value {
        StoredValue::Null => "it is NULL, and the field is not an `Option`".to_owned(),
        StoredValue::Integer(_) => format!("it holds an INTEGER, not {wanted}"),
        StoredValue::Real(_) => format!("it holds a REAL, not {wanted}"),
        StoredValue::Text(_) => format!("it holds a TEXT, not {wanted}"),
        StoredValue::Blob(_) => format!("it holds a BLOB, not {wanted}"),
    }
}
