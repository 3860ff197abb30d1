//! Sizes in bytes: `512 KiB`, `1 MiB`.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

use crate::{Raw, Setting, Wrong};

/// A number of bytes, written with a unit: `B`, `KiB`, `MiB`, `GiB`, `TiB` (powers of 1024) or
/// `kB`, `MB`, `GB`, `TB` (powers of 1000). A number alone means bytes.
///
/// ```
/// use doyen_settings::ByteSize;
///
/// let limit: ByteSize = "1 MiB".parse().unwrap();
/// assert_eq!(limit.bytes(), 1_048_576);
/// assert_eq!(limit.to_string(), "1 MiB");
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ByteSize(u64);

impl ByteSize {
    /// Creates a size in bytes.
    pub const fn from_bytes(bytes: u64) -> Self {
        Self(bytes)
    }

    /// Creates a size in KiB (1024 bytes).
    pub const fn kib(n: u64) -> Self {
        Self(n.saturating_mul(1 << 10))
    }

    /// Creates a size in MiB (1024 KiB).
    pub const fn mib(n: u64) -> Self {
        Self(n.saturating_mul(1 << 20))
    }

    /// Returns the number of bytes.
    pub const fn bytes(self) -> u64 {
        self.0
    }
}

const BINARY: [(&str, u64); 5] = [
    ("TiB", 1 << 40),
    ("GiB", 1 << 30),
    ("MiB", 1 << 20),
    ("KiB", 1 << 10),
    ("B", 1),
];
const DECIMAL: [(&str, u64); 5] = [
    ("TB", 1_000_000_000_000),
    ("GB", 1_000_000_000),
    ("MB", 1_000_000),
    ("kB", 1_000),
    ("KB", 1_000),
];

impl fmt::Display for ByteSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fits = BINARY
            .iter()
            .find(|(_, bytes)| self.0 >= *bytes && self.0.is_multiple_of(*bytes));
        let (unit, bytes) = fits.unwrap_or(&("B", 1));
        write!(f, "{} {unit}", self.0 / bytes)
    }
}

/// The text is not a size such as `1 MiB`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotASize;

impl fmt::Display for NotASize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a size such as `512 KiB` or `1 MiB`")
    }
}

impl std::error::Error for NotASize {}

impl FromStr for ByteSize {
    type Err = NotASize;

    fn from_str(text: &str) -> Result<Self, NotASize> {
        let (digits, unit) = text.split_at(
            text.find(|c: char| !c.is_ascii_digit())
                .unwrap_or(text.len()),
        );
        let unit = unit.strip_prefix(' ').unwrap_or(unit);
        let bytes = match unit {
            "" => 1,
            unit => {
                BINARY
                    .iter()
                    .chain(&DECIMAL)
                    .find(|(name, _)| *name == unit)
                    .ok_or(NotASize)?
                    .1
            }
        };
        let number: u64 = digits.parse().map_err(|_| NotASize)?;
        number.checked_mul(bytes).map(Self).ok_or(NotASize)
    }
}

impl Setting for ByteSize {
    fn kind() -> String {
        "size".to_owned()
    }
    fn read(raw: &Raw) -> Result<Self, Wrong> {
        let size = match raw {
            Raw::Integer(bytes) => u64::try_from(*bytes).ok().map(Self),
            raw => raw.text().and_then(|text| text.parse().ok()),
        };
        size.ok_or_else(|| Wrong::must_be("a size such as `512 KiB` or `1 MiB`"))
    }
    fn compare(&self, limit: &str) -> Option<Ordering> {
        limit.parse().ok().map(|limit| self.cmp(&limit))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_and_written() {
        for (text, bytes, again) in [
            ("1 MiB", 1 << 20, "1 MiB"),
            ("512KiB", 1 << 19, "512 KiB"),
            ("1500 kB", 1_500_000, "1500000 B"),
            ("0", 0, "0 B"),
        ] {
            let size: ByteSize = text.parse().unwrap();
            assert_eq!((size.bytes(), size.to_string()), (bytes, again.to_owned()));
            assert_eq!(again.parse(), Ok(size));
        }
    }

    #[test]
    fn ambiguous_text_is_refused() {
        for text in [
            "",
            "MiB",
            "1 mib",
            "1.5 MiB",
            "-1",
            "1  MiB",
            "1 MiB ",
            "99999999999 TiB",
        ] {
            assert_eq!(text.parse::<ByteSize>(), Err(NotASize), "{text}");
        }
    }
}
