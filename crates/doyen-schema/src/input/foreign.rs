//! Ids, times, dates and arbitrary JSON.

use chrono::{DateTime, NaiveDate, Timelike as _, Utc};
use doyen_core::{At, Failures, Timestamp};
use serde_json::Value as Json;
use uuid::Uuid;

use super::scalar::range;
use super::{Input, MAX_FAILURES, Value};
use crate::{Components, Schema};

/// Parses text with a function; a refusal is recorded as `format` with this message.
pub(super) fn formatted<T>(
    value: Value<'_>,
    message: &'static str,
    read: impl FnOnce(&str) -> Option<T>,
    at: &At<'_>,
    out: &mut Failures,
) -> Option<T> {
    let Some(text) = value.as_text() else {
        value.refuse("string", "text", at, out);
        return None;
    };
    let found = read(text);
    if found.is_none() {
        at.fail(out, "format", message);
    }
    found
}

#[diagnostic::do_not_recommend]
impl Input for Uuid {
    fn parse(value: Value<'_>, at: &At<'_>, out: &mut Failures) -> Option<Self> {
        // 36 characters: the form with hyphens. The crate would also accept braces, `urn:uuid:` and
        // no hyphens.
        formatted(
            value,
            "must be a UUID",
            |text| Uuid::try_parse(text).ok().filter(|_| text.len() == 36),
            at,
            out,
        )
    }

    fn schema(_: &mut Components) -> Schema {
        Schema::of("string").with("format", "uuid")
    }
}

#[diagnostic::do_not_recommend]
impl Input for Timestamp {
    fn parse(value: Value<'_>, at: &At<'_>, out: &mut Failures) -> Option<Self> {
        let message = "must be a time as in RFC 3339, for example 2026-11-22T08:30:00Z";
        let time = formatted(value, message, time, at, out)?;
        let found = Timestamp::try_from_micros(time.timestamp_micros());
        if found.is_none() {
            let (min, max) = (Timestamp::MIN.to_string(), Timestamp::MAX.to_string());
            range(min.into(), max.into(), at, out);
        }
        found
    }

    fn schema(_: &mut Components) -> Schema {
        Schema::of("string").with("format", "date-time")
    }
}

#[diagnostic::do_not_recommend]
impl Input for NaiveDate {
    fn parse(value: Value<'_>, at: &At<'_>, out: &mut Failures) -> Option<Self> {
        formatted(
            value,
            "must be a date, for example 2026-11-22",
            date,
            at,
            out,
        )
    }

    fn schema(_: &mut Components) -> Schema {
        Schema::of("string").with("format", "date")
    }
}

/// RFC 3339 exactly: chrono also accepts a space for the `T` and U+2212 for the minus. Second 60 is
/// valid only where a leap second can be.
fn time(text: &str) -> Option<DateTime<Utc>> {
    let time = DateTime::parse_from_rfc3339(text).ok()?.to_utc();
    let leap = time.nanosecond() >= 1_000_000_000;
    let loose = !text.is_ascii() || text.contains(' ');
    if loose || (leap && (time.hour(), time.minute()) != (23, 59)) {
        return None;
    }
    Some(time)
}

/// Parses `2026-11-22`, and no other spelling. There is no year 0.
pub(super) fn date(text: &str) -> Option<NaiveDate> {
    let exact = text.len() == 10
        && text.bytes().enumerate().all(|(i, byte)| {
            if i == 4 || i == 7 {
                byte == b'-'
            } else {
                byte.is_ascii_digit()
            }
        });
    if !exact || text.starts_with("0000") {
        return None;
    }
    NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()
}

/// Any value whose texts and names do not contain the NUL character, which `jsonb` of PostgreSQL
/// cannot store.
#[diagnostic::do_not_recommend]
impl Input for Json {
    const REQUIRED: bool = true;

    fn parse(value: Value<'_>, at: &At<'_>, out: &mut Failures) -> Option<Self> {
        let before = out.len();
        refuse_nul(&value, at, out);
        (out.len() == before).then(|| value.into_json())
    }

    fn schema(_: &mut Components) -> Schema {
        Schema::any()
    }
}

/// Records each text and each name with a NUL character.
fn refuse_nul(value: &Value<'_>, at: &At<'_>, out: &mut Failures) {
    if out.len() >= MAX_FAILURES {
        return;
    }
    match value {
        Value::Str(text) | Value::Text(text) if text.contains('\0') => {
            at.fail(out, "characters", "must not contain the NUL character");
        }
        Value::List(items) => {
            for (index, item) in items.iter().enumerate() {
                refuse_nul(item, &at.item(index), out);
            }
        }
        Value::Map(entries) => {
            for (name, value) in entries {
                let here = at.field(name);
                if name.contains('\0') {
                    let message = "the name must not contain the NUL character";
                    here.fail(out, "characters", message);
                }
                refuse_nul(value, &here, out);
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use doyen_core::Place;

    use super::*;

    fn takes<T: Input>(text: &str) -> bool {
        T::parse(
            Value::Str(text.into()),
            &At::root(Place::Body),
            &mut Failures::new(),
        )
        .is_some()
    }

    #[test]
    fn each_format_has_one_spelling() {
        assert!(takes::<Uuid>("0190b5a0-0000-7000-8000-000000000000"));
        assert!(!takes::<Uuid>("0190b5a0000070008000000000000000"));
        assert!(!takes::<Uuid>("{0190b5a0-0000-7000-8000-000000000000}"));
        assert!(takes::<NaiveDate>("2024-02-29"));
        for odd in [
            "2023-02-29",
            "2024-2-29",
            "+024-02-29",
            "2024-02-29 ",
            "02024-02-2",
            "0000-01-01",
        ] {
            assert!(!takes::<NaiveDate>(odd), "{odd}");
        }
        assert!(takes::<Timestamp>("2026-11-22T08:30:00.123456+02:00"));
        for odd in [
            "2026-11-22 08:30:00Z",
            "2026-11-22T08:30:00",
            "2026-11-22T25:30:00Z",
            "2026-11-22",
            "2026-11-22T08:30:60Z",
        ] {
            assert!(!takes::<Timestamp>(odd), "{odd}");
        }
    }
}
