//! Durations: `500ms`, `10s`, `5m`, `2h`, `30d`, `1h30m`.

use std::cmp::Ordering;
use std::time::Duration;

use doyen_core::parse_duration;

use crate::{Raw, Setting, Wrong};

impl Setting for Duration {
    fn kind() -> String {
        "duration".to_owned()
    }
    fn read(raw: &Raw) -> Result<Self, Wrong> {
        raw.text()
            .and_then(parse_duration)
            .ok_or_else(|| Wrong::must_be("a duration such as `500ms`, `10s`, `5m`, `2h` or `30d`"))
    }
    fn compare(&self, limit: &str) -> Option<Ordering> {
        parse_duration(limit).map(|limit| self.cmp(&limit))
    }
}
