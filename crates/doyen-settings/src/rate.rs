//! Rates: `600/1m`, `600/1m burst 50`.

use doyen_core::Rate;

use crate::{Raw, Setting, Wrong};

impl Setting for Rate {
    fn kind() -> String {
        "rate".to_owned()
    }
    fn read(raw: &Raw) -> Result<Self, Wrong> {
        Rate::parse(raw.text().unwrap_or_default()).map_err(Wrong::must_be)
    }
}
