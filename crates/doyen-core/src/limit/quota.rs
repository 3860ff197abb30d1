//! Quotas: so many calls in a day or a month of the calendar.

use std::fmt;

use chrono::{DateTime, Datelike as _, Months, NaiveDate, Utc};

use super::rules::{NAME, is_name};
use crate::Timestamp;

/// A time of the calendar, in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Period {
    /// From midnight to midnight.
    Day,
    /// From the first of a month to the first of the next.
    Month,
}

impl Period {
    /// The word, as it stands in settings.
    pub const fn word(self) -> &'static str {
        match self {
            Period::Day => "day",
            Period::Month => "month",
        }
    }

    /// When the period that holds this time began, and when the next one begins.
    pub fn around(self, time: Timestamp) -> (Timestamp, Timestamp) {
        let date = DateTime::<Utc>::from(time).date_naive();
        let first = match self {
            Period::Day => date,
            Period::Month => date.with_day(1).unwrap_or(date),
        };
        let next = match self {
            Period::Day => first.succ_opt(),
            Period::Month => first.checked_add_months(Months::new(1)),
        };
        (midnight(first), midnight(next.unwrap_or(first)))
    }

    /// About how long one is, in seconds: for `RateLimit-Policy`.
    pub const fn seconds(self) -> u32 {
        match self {
            Period::Day => 86_400,
            Period::Month => 30 * 86_400,
        }
    }
}

fn midnight(date: NaiveDate) -> Timestamp {
    date.and_time(chrono::NaiveTime::MIN).and_utc().into()
}

/// A quota of the settings: `api: 100000/day everywhere`, `exports: 100/month`.
///
/// With `everywhere` each route counts it that is not `unlimited`; else those that say `limit = quota("exports")`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedQuota {
    /// Its name.
    pub name: String,
    /// How many calls.
    pub calls: u64,
    /// In which time.
    pub period: Period,
    /// Whether every route counts it.
    pub everywhere: bool,
}

impl NamedQuota {
    /// Reads `api: 100000/day everywhere`.
    ///
    /// # Errors
    ///
    /// What it must be.
    pub fn parse(text: &str) -> Result<Self, String> {
        const SHAPE: &str = "a quota such as `api: 100000/day everywhere` or `exports: 100/month`";
        let (name, rest) = text.split_once(':').ok_or(SHAPE)?;
        let (calls, rest) = rest.split_once('/').ok_or(SHAPE)?;
        let (period, everywhere) = match rest.trim().split_once(' ') {
            Some((period, word)) if word.trim() == "everywhere" => (period, true),
            Some(_) => return Err(SHAPE.to_owned()),
            None => (rest.trim(), false),
        };
        let period = [Period::Day, Period::Month]
            .into_iter()
            .find(|known| known.word() == period)
            .ok_or(SHAPE)?;
        let calls: u64 = calls.trim().parse().map_err(|_| SHAPE)?;
        let name = name.trim().to_owned();
        if !is_name(&name) {
            return Err(NAME.to_owned());
        }
        if !(1..=1_000_000_000_000).contains(&calls) {
            return Err("a quota from 1 to 1000000000000 calls".to_owned());
        }
        Ok(Self {
            name,
            calls,
            period,
            everywhere,
        })
    }
}

impl fmt::Display for NamedQuota {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}/{}", self.name, self.calls, self.period.word())?;
        if self.everywhere {
            f.write_str(" everywhere")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_period_begins_and_ends_at_midnight_in_utc() {
        for (period, time, first, next) in [
            (
                Period::Day,
                "2026-11-22T23:59:59.999999Z",
                "2026-11-22",
                "2026-11-23",
            ),
            (
                Period::Day,
                "2026-11-23T00:00:00Z",
                "2026-11-23",
                "2026-11-24",
            ),
            (
                Period::Day,
                "2026-11-23T00:30:00+01:00",
                "2026-11-22",
                "2026-11-23",
            ),
            (
                Period::Month,
                "2026-11-30T23:59:59Z",
                "2026-11-01",
                "2026-12-01",
            ),
            (
                Period::Month,
                "2026-12-31T23:59:59Z",
                "2026-12-01",
                "2027-01-01",
            ),
            (
                Period::Month,
                "2028-02-29T12:00:00Z",
                "2028-02-01",
                "2028-03-01",
            ),
        ] {
            let (begins, ends) = period.around(time.parse().unwrap());
            let midnight = |date: &str| format!("{date}T00:00:00Z").parse::<Timestamp>().unwrap();
            assert_eq!((begins, ends), (midnight(first), midnight(next)), "{time}");
        }
    }

    #[test]
    fn text_and_back() {
        for text in ["api: 100000/day everywhere", "exports: 100/month"] {
            assert_eq!(NamedQuota::parse(text).unwrap().to_string(), text);
        }
        for text in [
            "",
            "api",
            "api: 5",
            "api: 5/week",
            "api: 0/day",
            ": 5/day",
            "a b: 5/day",
            "api: x/day",
            "api: 5/day each",
        ] {
            assert!(NamedQuota::parse(text).is_err(), "{text}");
        }
    }
}
