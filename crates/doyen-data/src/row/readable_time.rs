//! The times of PostgreSQL that can be read.
//!
//! PostgreSQL stores times that no response can hold: `infinity`, years before 0001 and after 9999,
//! and the time of day 24:00:00. The drivers panic on some of them and change others, so they are
//! rejected before.

/// The first and the last value of a time, in microseconds, and of a date, in days, since
/// 2000-01-01; the last time of day, in microseconds.
const TIMES: (i64, i64) = (-63_082_281_600_000_000, 252_455_615_999_999_999);
const DAYS: (i32, i32) = (-730_119, 2_921_939);
const LAST_TIME_OF_DAY: i64 = 86_399_999_999;

pub(crate) const UNREADABLE_TIME: &str =
    "it is infinite, outside of the years 0001 to 9999, or the time 24:00:00";

/// Returns true if the bytes of a time, a date or a time of day can be read.
pub(crate) fn is_readable_time(bytes: &[u8], is_time_of_day: bool) -> bool {
    match (<[u8; 8]>::try_from(bytes), <[u8; 4]>::try_from(bytes)) {
        (Ok(micros), _) if is_time_of_day => i64::from_be_bytes(micros) <= LAST_TIME_OF_DAY,
        (Ok(micros), _) => (TIMES.0..=TIMES.1).contains(&i64::from_be_bytes(micros)),
        (_, Ok(days)) => (DAYS.0..=DAYS.1).contains(&i32::from_be_bytes(days)),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use chrono::NaiveDate;

    use super::*;

    #[test]
    fn the_limits_are_the_ends_of_the_years_0001_and_9999() {
        let epoch = NaiveDate::from_ymd_opt(2000, 1, 1).unwrap();
        let first = NaiveDate::from_ymd_opt(1, 1, 1).unwrap();
        let last = NaiveDate::from_ymd_opt(9999, 12, 31).unwrap();
        assert_eq!(i64::from(DAYS.0), (first - epoch).num_days());
        assert_eq!(i64::from(DAYS.1), (last - epoch).num_days());
        let day = 86_400_000_000;
        assert_eq!(TIMES.0, i64::from(DAYS.0) * day);
        assert_eq!(TIMES.1, i64::from(DAYS.1) * day + LAST_TIME_OF_DAY);
    }
}
