//! The values of a statement as a text, for observers.

use std::fmt;

use sea_orm::Value;

/// Writes `$1 = 'open', $2 = 20`.
pub(super) struct Parameters<'a>(pub(super) &'a [Value]);

impl fmt::Display for Parameters<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, value) in self.0.iter().enumerate() {
            let comma = if index == 0 { "" } else { ", " };
            write!(f, "{comma}${} = {value}", index + 1)?;
        }
        Ok(())
    }
}
