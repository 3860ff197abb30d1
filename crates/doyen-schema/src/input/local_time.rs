//! Dates and times without an offset, and times of day.
//!
//! Seconds may be missing, as in the value of `<input type="datetime-local">`. A value with an
//! offset is refused: dropping the offset would change the time.

use chrono::{NaiveDateTime, NaiveTime};
use doyen_core::{At, Failures};

use super::foreign::{date, formatted};
use super::{Input, Value};
use crate::{Components, Schema};

const DATE_TIME: &str = r"^\d{4}-\d{2}-\d{2}T([01]\d|2[0-3]):[0-5]\d(:[0-5]\d(\.\d{1,9})?)?$";
const TIME: &str = r"^([01]\d|2[0-3]):[0-5]\d(:[0-5]\d(\.\d{1,9})?)?$";

#[diagnostic::do_not_recommend]
impl Input for NaiveDateTime {
    fn parse(value: Value<'_>, at: &At<'_>, out: &mut Failures) -> Option<Self> {
        let message =
            "must be a date and a time without an offset, for example 2026-11-22T08:30:00";
        formatted(value, message, date_time, at, out)
    }

    fn schema(_: &mut Components) -> Schema {
        Schema::of("string")
            .with("format", "date-time-local")
            .with("pattern", DATE_TIME)
    }
}

#[diagnostic::do_not_recommend]
impl Input for NaiveTime {
    fn parse(value: Value<'_>, at: &At<'_>, out: &mut Failures) -> Option<Self> {
        formatted(
            value,
            "must be a time of day, for example 08:30:00",
            time,
            at,
            out,
        )
    }

    fn schema(_: &mut Components) -> Schema {
        Schema::of("string")
            .with("format", "time-local")
            .with("pattern", TIME)
    }
}

fn date_time(text: &str) -> Option<NaiveDateTime> {
    let (day, clock) = text.split_once('T')?;
    Some(date(day)?.and_time(time(clock)?))
}

/// Parses `08:30`, `08:30:00` and `08:30:00.123456`, and no other spelling. There is no second 60.
fn time(text: &str) -> Option<NaiveTime> {
    let bytes = text.as_bytes();
    let has_digits = |range: std::ops::Range<usize>| {
        bytes
            .get(range)
            .is_some_and(|part| part.iter().all(u8::is_ascii_digit))
    };
    let pair = |start: usize| has_digits(start..start + 2);
    let separated = bytes.get(2) == Some(&b':') && bytes.get(5).is_none_or(|byte| *byte == b':');
    if !separated || !pair(0) || !pair(3) || text.get(6..8) == Some("60") {
        return None;
    }
    match bytes.len() {
        5 => NaiveTime::parse_from_str(text, "%H:%M").ok(),
        8 if pair(6) => NaiveTime::parse_from_str(text, "%H:%M:%S").ok(),
        10..=18 if pair(6) && bytes[8] == b'.' && has_digits(9..bytes.len()) => {
            NaiveTime::parse_from_str(text, "%H:%M:%S%.f").ok()
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_time_has_one_spelling() {
        for good in [
            "08:30",
            "08:30:00",
            "23:59:59.123456",
            "00:00:00.1",
            "08:30:00.123456789",
        ] {
            assert!(time(good).is_some(), "{good}");
        }
        for odd in [
            "8:30",
            "08:30:",
            "08:30:60",
            "24:00",
            "08:60",
            "08-30",
            "08:30:00.",
            "08:30:00Z",
            "08:30:00+01:00",
            "08:30:0a",
            "+8:30",
            "",
            "08:30:00.1234567890",
        ] {
            assert!(time(odd).is_none(), "{odd}");
        }
        assert!(date_time("2018-12-22T22:17").is_some());
        for odd in [
            "2018-12-22 22:17",
            "2018-02-30T22:17",
            "2018-12-22T22:17Z",
            "2018-12-22",
        ] {
            assert!(date_time(odd).is_none(), "{odd}");
        }
    }
}
