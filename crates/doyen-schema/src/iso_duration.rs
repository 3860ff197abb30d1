//! Durations in ISO 8601: `P3DT12H30M5S`.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use doyen_core::{At, Failures};

use crate::input::{Input, Value};
use crate::output::Output;
use crate::{Components, Schema};

/// A duration in ISO 8601, positive or negative, exact to the microsecond: `PT90S`, `-P1DT12H`.
///
/// Weeks, days, hours, minutes and seconds are accepted, of which seconds may have a fraction.
/// Years and months have no fixed length and are refused.
///
/// ```
/// use doyen_schema::IsoDuration;
///
/// let duration: IsoDuration = "P1DT90M".parse().unwrap();
/// assert_eq!(duration.as_secs(), 91_800);
/// assert_eq!(duration.to_string(), "P1DT1H30M");
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IsoDuration {
    micros: i64,
}

/// The text is no duration in ISO 8601, or one that is too long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotADuration;

impl fmt::Display for NotADuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "must be a duration in ISO 8601 without years and months, for example P3DT12H30M5S",
        )
    }
}

impl std::error::Error for NotADuration {}

/// At least one part follows the `P`, and at least one the `T`.
const PATTERN: &str = r"^-?P(?=\d|T)(\d{1,12}W)?(\d{1,12}D)?(T(?=\d)(\d{1,12}H)?(\d{1,12}M)?(\d{1,12}(\.\d{1,6})?S)?)?$";

const SECOND: i64 = 1_000_000;
/// Each part with its length, in the order in which they are written.
const DATE_PARTS: [(char, i64); 2] = [('W', 604_800 * SECOND), ('D', 86_400 * SECOND)];
const TIME_PARTS: [(char, i64); 3] = [('H', 3_600 * SECOND), ('M', 60 * SECOND), ('S', SECOND)];

impl IsoDuration {
    /// Creates a duration from microseconds.
    pub const fn from_micros(micros: i64) -> Self {
        Self { micros }
    }

    /// Returns the microseconds.
    pub const fn as_micros(&self) -> i64 {
        self.micros
    }

    /// Returns the whole seconds, rounded towards zero.
    pub const fn as_secs(&self) -> i64 {
        self.micros / SECOND
    }
}

/// A negative duration is none of `std`.
impl TryFrom<IsoDuration> for Duration {
    type Error = NotADuration;

    fn try_from(duration: IsoDuration) -> Result<Self, NotADuration> {
        let micros = u64::try_from(duration.micros).map_err(|_| NotADuration)?;
        Ok(Duration::from_micros(micros))
    }
}

/// Digits after the microsecond are cut; a duration beyond the range is the longest one.
impl From<Duration> for IsoDuration {
    fn from(duration: Duration) -> Self {
        Self::from_micros(i64::try_from(duration.as_micros()).unwrap_or(i64::MAX))
    }
}

impl FromStr for IsoDuration {
    type Err = NotADuration;

    fn from_str(text: &str) -> Result<Self, NotADuration> {
        let (sign, rest) = match text.strip_prefix('-') {
            Some(rest) => (-1, rest),
            None => (1, text),
        };
        let rest = rest.strip_prefix('P').ok_or(NotADuration)?;
        let (date, time) = match rest.split_once('T') {
            Some((_, "")) => return Err(NotADuration),
            Some((date, time)) => (date, time),
            None if rest.is_empty() => return Err(NotADuration),
            None => (rest, ""),
        };
        let total = parts(date, &DATE_PARTS)?.checked_add(parts(time, &TIME_PARTS)?);
        let micros = total
            .and_then(|total| total.checked_mul(sign))
            .ok_or(NotADuration)?;
        Ok(Self { micros })
    }
}

/// Adds up the parts of the date or of the time.
fn parts(mut text: &str, known: &[(char, i64)]) -> Result<i64, NotADuration> {
    let mut total = 0_i64;
    for (letter, length) in known {
        let Some((number, rest)) = text.split_once(*letter) else {
            continue;
        };
        let micros = if *letter == 'S' {
            seconds(number)?
        } else {
            digits(number)?.checked_mul(*length).ok_or(NotADuration)?
        };
        total = total.checked_add(micros).ok_or(NotADuration)?;
        text = rest;
    }
    if text.is_empty() {
        Ok(total)
    } else {
        Err(NotADuration)
    }
}

fn digits(text: &str) -> Result<i64, NotADuration> {
    let plain = (1..=12).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    if !plain {
        return Err(NotADuration);
    }
    text.parse().map_err(|_| NotADuration)
}

fn seconds(text: &str) -> Result<i64, NotADuration> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    if fraction.len() > 6 {
        return Err(NotADuration);
    }
    let micros = digits(&format!("{fraction:0<6}"))?;
    if fraction.is_empty() {
        return Err(NotADuration);
    }
    digits(whole)?
        .checked_mul(SECOND)
        .and_then(|whole| whole.checked_add(micros))
        .ok_or(NotADuration)
}

impl fmt::Display for IsoDuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.micros < 0 {
            f.write_str("-")?;
        }
        let micros = self.micros.unsigned_abs();
        let (seconds, fraction) = (micros / 1_000_000, micros % 1_000_000);
        let (days, seconds) = (seconds / 86_400, seconds % 86_400);
        let (hours, minutes, seconds) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
        f.write_str("P")?;
        if days > 0 {
            write!(f, "{days}D")?;
        }
        let has_time = hours + minutes + seconds + fraction > 0;
        if has_time || days == 0 {
            f.write_str("T")?;
        }
        if hours > 0 {
            write!(f, "{hours}H")?;
        }
        if minutes > 0 {
            write!(f, "{minutes}M")?;
        }
        if fraction > 0 {
            let digits = format!("{fraction:06}");
            write!(f, "{seconds}.{}S", digits.trim_end_matches('0'))?;
        } else if seconds > 0 || micros == 0 {
            write!(f, "{seconds}S")?;
        }
        Ok(())
    }
}

impl serde::Serialize for IsoDuration {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

fn schema() -> Schema {
    Schema::of("string")
        .with("pattern", PATTERN)
        .with("examples", vec!["P3DT12H30M5S"])
}

impl Input for IsoDuration {
    fn parse(value: Value<'_>, at: &At<'_>, out: &mut Failures) -> Option<Self> {
        let Some(text) = value.as_text() else {
            value.refuse("string", "text", at, out);
            return None;
        };
        text.parse()
            .map_err(|wrong: NotADuration| at.fail(out, "format", wrong.to_string()))
            .ok()
    }

    fn schema(_: &mut Components) -> Schema {
        schema()
    }
}

impl Output for IsoDuration {
    fn schema(_: &mut Components) -> Schema {
        schema()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn micros(text: &str) -> Option<i64> {
        text.parse::<IsoDuration>()
            .ok()
            .map(|read| read.as_micros())
    }

    #[test]
    fn every_part_counts_and_the_order_is_fixed() {
        assert_eq!(micros("PT0.5S"), Some(500_000));
        assert_eq!(micros("P1W2DT3H4M5.000006S"), Some(788_645_000_006));
        assert_eq!(micros("-PT1M"), Some(-60_000_000));
        for odd in [
            "",
            "P",
            "PT",
            "P1",
            "1D",
            "P1Y",
            "P1M",
            "PT1D",
            "P1DT",
            "PT1M1H",
            "P1.5D",
            "PT1.S",
            "PT.5S",
            "PT1.0000000S",
            "PT1S ",
            "P-1D",
            "PT+1S",
            "--P1D",
            "P9999999999999D",
            "P999999999999W",
            "pt1s",
            "PT1,5S",
        ] {
            assert_eq!(micros(odd), None, "{odd}");
        }
    }

    #[test]
    fn what_is_written_is_read_back() {
        for micros in [
            0,
            1,
            -1,
            999_999,
            60_000_000,
            86_400_000_000,
            -90_061_000_001,
            i64::MAX,
        ] {
            let duration = IsoDuration::from_micros(micros);
            assert_eq!(duration.to_string().parse(), Ok(duration), "{duration}");
        }
        assert_eq!(IsoDuration::default().to_string(), "PT0S");
        assert_eq!(
            IsoDuration::from(Duration::from_secs(304_205)).to_string(),
            "P3DT12H30M5S"
        );
    }
}
