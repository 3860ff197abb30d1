//! Quotas of the settings: calls per calendar day or month.

use std::fmt;

use doyen_core::limit::Period;
use doyen_settings::{Raw, Setting, Wrong};

use super::name::{NAME, is_name};

/// A quota of the settings: `api: 100000/day everywhere`, `exports: 100/month`.
///
/// With `everywhere` each route counts it that is not `unlimited`; else those that say
/// `limit = quota("exports")`.
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

impl Setting for NamedQuota {
    fn kind() -> String {
        "quota".to_owned()
    }
    fn read(raw: &Raw) -> Result<Self, Wrong> {
        NamedQuota::parse(raw.text().unwrap_or_default()).map_err(Wrong::must_be)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
