//! A rate: calls per time, and a burst.

use std::fmt;
use std::time::Duration;

use crate::{DAY, parse_duration};

/// Calls per time. In settings: `600/1m`, or `600/1m burst 50`.
///
/// Calls become available evenly over the time, not all at its end. `burst` is the number of calls
/// that may come at once, by default all. So in any span of that time at most `calls + burst` pass,
/// and in the long run `calls` in each.
///
/// ```
/// use doyen_core::{MINUTE, Rate};
///
/// let rate = Rate::parse("600/1m burst 50").unwrap();
/// assert_eq!(rate, Rate::new(600, MINUTE).with_burst(50));
/// assert_eq!(rate.to_string(), "600/1m burst 50");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    calls: u32,
    window: Duration,
    burst: u32,
}

impl Rate {
    /// Creates a rate of this number of calls per time, with a burst of all of them.
    pub const fn new(calls: u32, window: Duration) -> Self {
        Self {
            calls,
            window,
            burst: calls,
        }
    }

    /// Sets the burst.
    #[must_use]
    pub const fn with_burst(self, burst: u32) -> Self {
        Self { burst, ..self }
    }

    /// Multiplies calls and burst by a factor; the result is at most a million per second.
    #[must_use]
    pub fn times(self, factor: u32) -> Self {
        let most = u32::try_from(self.window.as_micros()).unwrap_or(u32::MAX);
        Self {
            calls: self.calls.saturating_mul(factor).min(most),
            burst: self.burst.saturating_mul(factor).min(most),
            ..self
        }
    }

    /// Returns the number of calls.
    pub const fn calls(&self) -> u32 {
        self.calls
    }

    /// Returns the time.
    pub const fn window(&self) -> Duration {
        self.window
    }

    /// Returns the burst.
    pub const fn burst(&self) -> u32 {
        self.burst
    }

    /// Returns the microseconds until one call is available again, rounded up, so that the rate is
    /// never exceeded.
    pub fn interval(&self) -> i64 {
        let micros = self
            .window
            .as_micros()
            .div_ceil(u128::from(self.calls.max(1)));
        i64::try_from(micros).unwrap_or(i64::MAX)
    }

    /// Returns the microseconds until the whole burst is available again.
    pub fn tolerance(&self) -> i64 {
        self.interval().saturating_mul(i64::from(self.burst))
    }

    /// Parses `600/1m` or `600/1m burst 50`.
    ///
    /// # Errors
    ///
    /// Returns the expected format.
    pub fn parse(text: &str) -> Result<Self, String> {
        const SHAPE: &str = "a rate such as `600/1m` or `600/1m burst 50`";
        let (rate, burst) = match text.split_once(" burst ") {
            Some((rate, burst)) => (rate, Some(burst)),
            None => (text, None),
        };
        let (calls, window) = rate.trim().split_once('/').ok_or(SHAPE)?;
        let number = |text: &str| text.trim().parse::<u32>().map_err(|_| SHAPE);
        let window = parse_duration(window.trim()).ok_or(SHAPE)?;
        let mut rate = Self::new(number(calls)?, window);
        if let Some(burst) = burst {
            rate.burst = number(burst)?;
        }
        rate.check(1).map(|()| rate)
    }

    /// Checks that a call of this cost can pass, and that the numbers are in range.
    ///
    /// # Errors
    ///
    /// Returns the requirement, as the end of "it must be ...".
    pub fn check(&self, cost: u32) -> Result<(), String> {
        let span = Duration::from_secs(1)..=31 * DAY;
        if self.calls == 0 || self.burst == 0 {
            return Err("a rate that lets at least one call through".to_owned());
        }
        if !span.contains(&self.window) || self.window.subsec_nanos() != 0 {
            return Err("a rate over whole seconds, from 1s to 31d".to_owned());
        }
        if u128::from(self.calls) > self.window.as_micros() {
            return Err("a rate of at most a million calls in a second".to_owned());
        }
        if u128::from(self.burst) * self.window.as_micros() / u128::from(self.calls)
            > (366 * DAY).as_micros()
        {
            return Err("a rate whose burst comes back within a year".to_owned());
        }
        if cost == 0 {
            return Err("a cost of at least 1".to_owned());
        }
        if cost > self.burst {
            return Err(format!(
                "a cost of at most {}: that many calls may come at once, so a call of the cost {cost} would never pass",
                self.burst
            ));
        }
        Ok(())
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/", self.calls)?;
        let units = [(86_400, "d"), (3_600, "h"), (60, "m"), (1, "s")];
        let mut left = self.window.as_secs();
        for (seconds, unit) in units {
            if left >= seconds {
                write!(f, "{}{unit}", left / seconds)?;
                left %= seconds;
            }
        }
        if self.burst != self.calls {
            write!(f, " burst {}", self.burst)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{HOUR, MINUTE, secs};

    #[test]
    fn text_and_back() {
        for text in [
            "600/1m",
            "1/1s",
            "5/1h30m",
            "20/1m burst 5",
            "1000000/1s",
            "100/31d",
        ] {
            assert_eq!(Rate::parse(text).unwrap().to_string(), text);
        }
        assert_eq!(Rate::parse(" 7 / 1h ").unwrap(), Rate::new(7, HOUR));
    }

    #[test]
    fn rates_out_of_range_are_refused() {
        for text in [
            "",
            "600",
            "600/",
            "/1m",
            "600/m",
            "600/1w",
            "-1/1m",
            "0/1m",
            "5/1m burst 0",
            "5/1m burst",
            "5/0s",
            "5/500ms",
            "5/1s500ms",
            "1000001/1s",
            "5/32d",
            "1/31d burst 100",
            "5/1m burst 1 burst 2",
        ] {
            assert!(Rate::parse(text).is_err(), "{text}");
        }
        let rate = Rate::new(20, MINUTE).with_burst(5);
        assert!(rate.check(5).is_ok());
        assert!(rate.check(6).unwrap_err().contains("at most 5"));
        assert!(rate.check(0).is_err());
    }

    #[test]
    fn rounding_lets_never_more_through() {
        assert_eq!(Rate::new(600, MINUTE).interval(), 100_000);
        let seven = Rate::new(7, MINUTE);
        assert!(seven.interval() * 7 >= 60_000_000);
        assert_eq!(Rate::new(1_000_000, secs(1)).interval(), 1);
        assert!(Rate::new(1_000_000, secs(1)).times(5).check(1).is_ok());
    }
}
