//! Settings of rate limits and quotas.

use doyen_core::Rate;
use doyen_core::limit::{NamedPolicy, NamedQuota, Tier};

use crate::{Raw, Setting, Wrong};

impl Setting for Rate {
    fn kind() -> String {
        "rate".to_owned()
    }
    fn read(raw: &Raw) -> Result<Self, Wrong> {
        Rate::parse(raw.text().unwrap_or_default()).map_err(Wrong::must_be)
    }
}

impl Setting for NamedPolicy {
    fn kind() -> String {
        "policy".to_owned()
    }
    fn read(raw: &Raw) -> Result<Self, Wrong> {
        NamedPolicy::parse(raw.text().unwrap_or_default()).map_err(Wrong::must_be)
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

impl Setting for Tier {
    fn kind() -> String {
        "tier".to_owned()
    }
    fn read(raw: &Raw) -> Result<Self, Wrong> {
        Tier::parse(raw.text().unwrap_or_default()).map_err(Wrong::must_be)
    }
}
