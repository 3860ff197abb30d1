//! Roles with higher limits.

use doyen_settings::{Raw, Setting, Wrong};

/// Factor for callers with this role: `partner: x5`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tier {
    /// The role.
    pub role: String,
    /// How many times.
    pub factor: u32,
}

impl Tier {
    /// Reads `partner: x5`.
    ///
    /// # Errors
    ///
    /// What it must be.
    pub fn parse(text: &str) -> Result<Self, String> {
        const SHAPE: &str =
            "a role and how many times as much it has, from 2 to 1000, such as `partner: x5`";
        let (role, factor) = text.split_once(':').ok_or(SHAPE)?;
        let factor = factor.trim().strip_prefix('x').ok_or(SHAPE)?;
        let factor = factor.parse().map_err(|_| SHAPE)?;
        let role = role.trim().to_owned();
        if role.is_empty() || !(2..=1000).contains(&factor) {
            return Err(SHAPE.to_owned());
        }
        Ok(Self { role, factor })
    }
}

impl Setting for Tier {
    fn kind() -> String {
        "tier".to_owned()
    }
    fn read(raw: &Raw) -> Result<Self, Wrong> {
        Tier::parse(raw.text().unwrap_or_default()).map_err(Wrong::must_be)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn invalid_factors_are_refused() {
        for text in [
            "",
            "partner",
            "partner: 5",
            "partner: x1",
            "partner: x1001",
            ": x5",
            "partner: x-5",
        ] {
            assert!(Tier::parse(text).is_err(), "{text}");
        }
    }
}
