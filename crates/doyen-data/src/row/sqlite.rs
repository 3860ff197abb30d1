//! Columns of SQLite, with the type conversions of sqlx.
//!
//! SQLite has five kinds of values and does not enforce the declared type of a column. As in sqlx,
//! an integer is not read as a float, nor a number as text. Times are texts in any format that
//! SQLite documents, seconds since 1970, or Julian days.

use chrono::{
    DateTime, FixedOffset, NaiveDate, NaiveDateTime, NaiveTime, Offset as _, TimeZone as _, Utc,
};
use rusqlite::types::ValueRef;
use uuid::Uuid;

const FORMATS_OF_MOMENTS: &[&str] = &[
    "%F %T%.f",
    "%F %R",
    "%F %RZ",
    "%F %R%:z",
    "%F %T%.fZ",
    "%F %T%.f%:z",
    "%FT%R",
    "%FT%RZ",
    "%FT%R%:z",
    "%FT%T%.f",
    "%FT%T%.fZ",
    "%FT%T%.f%:z",
];

const FORMATS_OF_TIMES: &[&str] = &["%T.f", "%T%.f", "%R", "%RZ", "%T%.fZ", "%R%:z", "%T%.f%:z"];

pub(super) fn bool(value: ValueRef<'_>) -> Result<bool, String> {
    i64(value).map(|number| number != 0)
}

pub(super) fn i16(value: ValueRef<'_>) -> Result<i16, String> {
    narrow(value)
}

pub(super) fn i32(value: ValueRef<'_>) -> Result<i32, String> {
    narrow(value)
}

pub(super) fn i64(value: ValueRef<'_>) -> Result<i64, String> {
    match value {
        ValueRef::Integer(number) => Ok(number),
        other => Err(not(&other, "an INTEGER")),
    }
}

pub(super) fn f32(value: ValueRef<'_>) -> Result<f32, String> {
    f64(value).map(|number| number as f32)
}

pub(super) fn f64(value: ValueRef<'_>) -> Result<f64, String> {
    match value {
        ValueRef::Real(number) => Ok(number),
        other => Err(not(&other, "a REAL")),
    }
}

pub(super) fn string(value: ValueRef<'_>) -> Result<String, String> {
    text(value).map(str::to_owned)
}

pub(super) fn bytes(value: ValueRef<'_>) -> Result<Vec<u8>, String> {
    raw(value).map(<[u8]>::to_vec)
}

pub(super) fn uuid(value: ValueRef<'_>) -> Result<Uuid, String> {
    Uuid::from_slice(raw(value)?).map_err(|error| error.to_string())
}

pub(super) fn utc(value: ValueRef<'_>) -> Result<DateTime<Utc>, String> {
    fixed_offset(value).map(|moment| moment.with_timezone(&Utc))
}

pub(super) fn fixed_offset(value: ValueRef<'_>) -> Result<DateTime<FixedOffset>, String> {
    let moment = match value {
        ValueRef::Text(_) => moment(text(value)?),
        ValueRef::Integer(seconds) => Utc.fix().timestamp_opt(seconds, 0).single(),
        ValueRef::Real(days) => julian(days),
        other => return Err(not(&other, "a date with a time")),
    };
    moment.ok_or_else(|| "it is not a date with a time".to_owned())
}

pub(super) fn date_time(value: ValueRef<'_>) -> Result<NaiveDateTime, String> {
    fixed_offset(value).map(|moment| moment.naive_local())
}

pub(super) fn date(value: ValueRef<'_>) -> Result<NaiveDate, String> {
    NaiveDate::parse_from_str(text(value)?, "%F").map_err(|error| error.to_string())
}

pub(super) fn time(value: ValueRef<'_>) -> Result<NaiveTime, String> {
    let text = text(value)?;
    FORMATS_OF_TIMES
        .iter()
        .find_map(|format| NaiveTime::parse_from_str(text, format).ok())
        .ok_or_else(|| "it is not a time".to_owned())
}

pub(super) fn json(value: ValueRef<'_>) -> Result<serde_json::Value, String> {
    match value {
        ValueRef::Text(text) => serde_json::from_slice(text).map_err(|error| error.to_string()),
        other => Err(not(&other, "a TEXT")),
    }
}

fn narrow<T: TryFrom<i64>>(value: ValueRef<'_>) -> Result<T, String>
where
    T::Error: std::fmt::Display,
{
    T::try_from(i64(value)?).map_err(|error| error.to_string())
}

fn text(value: ValueRef<'_>) -> Result<&str, String> {
    match value {
        ValueRef::Text(text) => std::str::from_utf8(text).map_err(|error| error.to_string()),
        other => Err(not(&other, "a TEXT")),
    }
}

fn raw(value: ValueRef<'_>) -> Result<&[u8], String> {
    match value {
        ValueRef::Blob(bytes) | ValueRef::Text(bytes) => Ok(bytes),
        other => Err(not(&other, "a BLOB")),
    }
}

fn moment(text: &str) -> Option<DateTime<FixedOffset>> {
    if let Ok(moment) = DateTime::parse_from_rfc3339(text) {
        return Some(moment);
    }
    FORMATS_OF_MOMENTS.iter().find_map(|format| {
        DateTime::parse_from_str(text, format).ok().or_else(|| {
            let moment = NaiveDateTime::parse_from_str(text, format).ok()?;
            Some(Utc.fix().from_utc_datetime(&moment))
        })
    })
}

/// Parses a Julian day: days since noon of 24 November 4714 BC.
fn julian(days: f64) -> Option<DateTime<FixedOffset>> {
    let seconds = (days - 2_440_587.5) * 86_400.0;
    if !seconds.is_finite() {
        return None;
    }
    let nanos = (seconds.fract() * 1e9).abs() as u32;
    Utc.fix()
        .timestamp_opt(seconds.trunc() as i64, nanos)
        .single()
}

#[cold]
fn not(value: &ValueRef<'_>, wanted: &str) -> String {
    match value {
        ValueRef::Null => "it is NULL, and the field is not an `Option`".to_owned(),
        ValueRef::Integer(_) => format!("it holds an INTEGER, not {wanted}"),
        ValueRef::Real(_) => format!("it holds a REAL, not {wanted}"),
        ValueRef::Text(_) => format!("it holds a TEXT, not {wanted}"),
        ValueRef::Blob(_) => format!("it holds a BLOB, not {wanted}"),
    }
}
