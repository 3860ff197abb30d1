//! Time: a point in UTC with microseconds, and the clock.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, SecondsFormat, TimeZone, Utc};

/// A minute, for policies: `per_user(20, MINUTE)`.
pub const MINUTE: Duration = Duration::from_secs(60);
/// An hour.
pub const HOUR: Duration = Duration::from_secs(60 * 60);
/// A day of 24 hours.
pub const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Returns this number of seconds.
pub const fn secs(n: u64) -> Duration {
    Duration::from_secs(n)
}

/// A point in time: UTC, whole microseconds (as in PostgreSQL), written as RFC 3339.
///
/// ```
/// use doyen_core::Timestamp;
///
/// let at: Timestamp = "2026-11-22T09:30:00.25+01:00".parse().unwrap();
/// assert_eq!(at.to_string(), "2026-11-22T08:30:00.250000Z");
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The earliest time: 0001-01-01T00:00:00Z.
    pub const MIN: Self = Self(-62_135_596_800_000_000);
    /// The latest time: 9999-12-31T23:59:59.999999Z.
    pub const MAX: Self = Self(253_402_300_799_999_999);

    /// Creates a time from microseconds since 1970-01-01 UTC. A time before [`MIN`](Self::MIN) or
    /// after [`MAX`](Self::MAX) becomes that limit.
    pub fn from_micros(micros: i64) -> Self {
        Self(micros.clamp(Self::MIN.0, Self::MAX.0))
    }

    /// Like [`from_micros`](Self::from_micros), but returns `None` for a time outside of the
    /// limits.
    pub fn try_from_micros(micros: i64) -> Option<Self> {
        (Self::MIN.0..=Self::MAX.0)
            .contains(&micros)
            .then_some(Self(micros))
    }

    /// Returns the microseconds since 1970-01-01 UTC.
    pub const fn micros(self) -> i64 {
        self.0
    }

    /// Returns the whole seconds since 1970-01-01 UTC, rounded down.
    pub const fn unix(self) -> i64 {
        self.0.div_euclid(1_000_000)
    }

    /// Returns the time since an earlier point; zero if `earlier` is later.
    pub fn since(self, earlier: Timestamp) -> Duration {
        Duration::from_micros(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }

    fn chrono(self) -> DateTime<Utc> {
        Utc.timestamp_micros(self.0).single().unwrap_or_default()
    }
}

impl std::ops::Add<Duration> for Timestamp {
    type Output = Timestamp;
    fn add(self, span: Duration) -> Timestamp {
        Timestamp::from_micros(
            self.0
                .saturating_add(i64::try_from(span.as_micros()).unwrap_or(i64::MAX)),
        )
    }
}

impl std::ops::Sub<Duration> for Timestamp {
    type Output = Timestamp;
    fn sub(self, span: Duration) -> Timestamp {
        Timestamp::from_micros(
            self.0
                .saturating_sub(i64::try_from(span.as_micros()).unwrap_or(i64::MAX)),
        )
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.chrono().to_rfc3339_opts(SecondsFormat::Micros, true))
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The text is not an RFC 3339 time in the years 0001 to 9999.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotATime;

impl fmt::Display for NotATime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("must be a time as in RFC 3339, for example 2026-11-22T08:30:00Z")
    }
}

impl std::error::Error for NotATime {}

impl FromStr for Timestamp {
    type Err = NotATime;
    fn from_str(text: &str) -> Result<Self, NotATime> {
        let time = DateTime::parse_from_rfc3339(text).map_err(|_| NotATime)?;
        Self::try_from_micros(time.timestamp_micros()).ok_or(NotATime)
    }
}

/// Rounds down to microseconds. A time outside of the years 0001 to 9999 becomes the nearest limit;
/// the data layer does not read such a time.
impl From<DateTime<Utc>> for Timestamp {
    fn from(time: DateTime<Utc>) -> Self {
        Self::from_micros(time.timestamp_micros())
    }
}

impl From<Timestamp> for DateTime<Utc> {
    fn from(time: Timestamp) -> Self {
        time.chrono()
    }
}

impl serde::Serialize for Timestamp {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for Timestamp {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str> as serde::Deserialize>::deserialize(d)?;
        text.parse().map_err(<D::Error as serde::de::Error>::custom)
    }
}

/// The source of the time. Services use the injected clock, so that tests can move it.
pub trait Clock: Send + Sync + 'static {
    /// Returns the current time.
    fn now(&self) -> Timestamp;
}

/// The system clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        Utc::now().into()
    }
}

impl<C: Clock> crate::Port<C> for dyn Clock {
    fn adapt(clock: C) -> Arc<dyn Clock> {
        Arc::new(clock)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_back() {
        for text in [
            "1969-12-31T23:59:59.999999Z",
            "2026-11-22T08:30:00.250000Z",
            "0001-01-01T00:00:00.000000Z",
        ] {
            assert_eq!(text.parse::<Timestamp>().unwrap().to_string(), text);
        }
        assert!("2026-11-22".parse::<Timestamp>().is_err());
    }

    #[test]
    fn a_time_beyond_the_limits_is_refused() {
        for (text, limit) in [
            ("0001-01-01T00:00:00.000000Z", Timestamp::MIN),
            ("9999-12-31T23:59:59.999999Z", Timestamp::MAX),
        ] {
            assert_eq!(text.parse(), Ok(limit));
            assert_eq!(Timestamp::try_from_micros(limit.micros()), Some(limit));
        }
        for text in [
            "0000-12-31T23:59:59.999999Z",
            "0001-01-01T00:00:00+00:01",
            "9999-12-31T23:59:59-00:01",
            "9999-12-31T23:59:60Z",
        ] {
            assert_eq!(text.parse::<Timestamp>(), Err(NotATime), "{text}");
        }
        assert_eq!(
            Timestamp::try_from_micros(Timestamp::MIN.micros() - 1),
            None
        );
        assert_eq!(
            Timestamp::try_from_micros(Timestamp::MAX.micros() + 1),
            None
        );
    }
}
