//! Settings that must not be shown.

use std::cmp::Ordering;

use doyen_core::Secret;

use crate::{Raw, Setting, Wrong};

impl<T: Setting> Setting for Secret<T> {
    const SECRET: bool = true;
    const OPTIONAL: bool = T::OPTIONAL;

    fn kind() -> String {
        format!("{}, secret", T::kind())
    }
    fn read(raw: &Raw) -> Result<Self, Wrong> {
        // The message of a foreign type might contain the value.
        T::read(raw)
            .map(Secret::new)
            .map_err(|_| Wrong::must_be(format!("a valid {}", T::kind())))
    }
    fn absent() -> Option<Self> {
        T::absent().map(Secret::new)
    }
    fn compare(&self, limit: &str) -> Option<Ordering> {
        self.expose().compare(limit)
    }
}
