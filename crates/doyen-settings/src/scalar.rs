//! Settings of one plain value: booleans, numbers, text, paths, addresses.

use std::cmp::Ordering;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use crate::{Raw, Setting, Wrong};

impl Setting for bool {
    fn kind() -> String {
        "`true` or `false`".to_owned()
    }
    fn read(raw: &Raw) -> Result<Self, Wrong> {
        match raw {
            Raw::Bool(truth) => Ok(*truth),
            Raw::Word(word) => word
                .parse()
                .map_err(|_| Wrong::must_be("`true` or `false`")),
            Raw::Text(_) => Err(Wrong::must_be("`true` or `false`, without quotes")),
            _ => Err(Wrong::must_be("`true` or `false`")),
        }
    }
}

macro_rules! whole {
    ($($number:ty)*) => {$(
        impl Setting for $number {
            fn kind() -> String {
                "whole number".to_owned()
            }
            fn read(raw: &Raw) -> Result<Self, Wrong> {
                let quotes = if matches!(raw, Raw::Text(_)) { ", without quotes" } else { "" };
                let number = match raw {
                    Raw::Integer(number) => <$number>::try_from(*number).ok(),
                    Raw::Word(word) => word.parse().ok(),
                    _ => None,
                };
                let bounds = (<$number>::MIN, <$number>::MAX);
                number.ok_or_else(|| Wrong::must_be_between("a whole number", bounds, quotes))
            }
            fn compare(&self, limit: &str) -> Option<Ordering> {
                limit.parse().ok().map(|limit| self.cmp(&limit))
            }
        }
    )*};
}

whole!(u8 u16 u32 u64 usize i8 i16 i32 i64 isize);

impl Setting for f64 {
    fn kind() -> String {
        "number".to_owned()
    }
    fn read(raw: &Raw) -> Result<Self, Wrong> {
        let number = match raw {
            Raw::Float(number) => Some(*number),
            #[allow(
                clippy::cast_precision_loss,
                reason = "a setting of type f64 accepts the precision of f64"
            )]
            Raw::Integer(number) => Some(*number as f64),
            Raw::Word(word) => word.parse().ok(),
            _ => None,
        };
        number
            .filter(|number: &f64| number.is_finite())
            .ok_or_else(|| Wrong::must_be("a number such as `0.5`"))
    }
    fn compare(&self, limit: &str) -> Option<Ordering> {
        self.partial_cmp(&limit.parse().ok()?)
    }
}

impl Setting for String {
    fn kind() -> String {
        "text".to_owned()
    }
    fn read(raw: &Raw) -> Result<Self, Wrong> {
        raw.text()
            .map(str::to_owned)
            .ok_or_else(|| Wrong::must_be("a text, in quotes"))
    }
}

impl Setting for PathBuf {
    fn kind() -> String {
        "path".to_owned()
    }
    fn read(raw: &Raw) -> Result<Self, Wrong> {
        let path = raw.text().filter(|path| !path.is_empty());
        path.map(PathBuf::from)
            .ok_or_else(|| Wrong::must_be("a path such as `data/files`"))
    }
}

impl Setting for SocketAddr {
    fn kind() -> String {
        "address and port".to_owned()
    }
    fn read(raw: &Raw) -> Result<Self, Wrong> {
        let address = raw.text().and_then(|text| text.parse().ok());
        address.ok_or_else(|| {
            Wrong::must_be("an address with a port such as `127.0.0.1:8000` or `[::1]:8000`")
        })
    }
}

impl Setting for IpAddr {
    fn kind() -> String {
        "address".to_owned()
    }
    fn read(raw: &Raw) -> Result<Self, Wrong> {
        let address = raw.text().and_then(|text| text.parse().ok());
        address.ok_or_else(|| Wrong::must_be("an address such as `127.0.0.1` or `::1`"))
    }
}
