//! Calendar days and months.

use chrono::{DateTime, Datelike as _, Months, NaiveDate, Utc};

use crate::Timestamp;

/// A calendar period, in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Period {
    /// From midnight to midnight.
    Day,
    /// From the first of a month to the first of the next.
    Month,
}

impl Period {
    /// Returns its name in settings.
    pub const fn word(self) -> &'static str {
        match self {
            Period::Day => "day",
            Period::Month => "month",
        }
    }

    /// Returns the start of the period that contains this time, and the start of the next one.
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

    /// Returns its approximate length in seconds, for `RateLimit-Policy`.
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
}
