//! `Range` (RFC 9110 section 14.1.2).

use std::ops::Range;

/// The part of a file that a client wants.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    Whole,
    Part(Range<u64>),
    Unsatisfiable,
}

/// Parses the header. A malformed range, another unit and several ranges mean the whole, which a
/// server may always send.
pub(super) fn parse(field: &str, length: u64) -> Wanted {
    let wanted = field.split_once('=').and_then(|(unit, range)| {
        let is_bytes = unit.trim().eq_ignore_ascii_case("bytes");
        let (first, last) = range.trim().split_once('-')?;
        is_bytes.then_some((number(first)?, number(last)?))
    });
    let part = match wanted {
        None | Some((None, None)) => return Wanted::Whole,
        // The last bytes.
        Some((None, Some(0))) => return Wanted::Unsatisfiable,
        Some((None, Some(count))) => length.saturating_sub(count)..length,
        Some((Some(first), None)) => first..length,
        Some((Some(first), Some(last))) if last < first => return Wanted::Whole,
        Some((Some(first), Some(last))) => first..length.min(last.saturating_add(1)),
    };
    if length == 0 && part.start == 0 {
        return Wanted::Whole;
    }
    if part.start >= length {
        return Wanted::Unsatisfiable;
    }
    Wanted::Part(part)
}

/// Parses a number; `Some(None)` if it is missing. A number beyond 64 bits is beyond every file.
fn number(text: &str) -> Option<Option<u64>> {
    let text = text.trim();
    if !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    Some((!text.is_empty()).then(|| text.parse().unwrap_or(u64::MAX)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_those_of_the_rfc() {
        for (field, expected) in [
            ("bytes=0-4", Wanted::Part(0..5)),
            ("bytes=0-0", Wanted::Part(0..1)),
            ("Bytes = 5-", Wanted::Part(5..10)),
            ("bytes=-3", Wanted::Part(7..10)),
            ("bytes=-30", Wanted::Part(0..10)),
            ("bytes=8-99999999999999999999999", Wanted::Part(8..10)),
            ("bytes=9-9", Wanted::Part(9..10)),
            ("bytes=10-", Wanted::Unsatisfiable),
            ("bytes=99999999999999999999999-", Wanted::Unsatisfiable),
            ("bytes=-0", Wanted::Unsatisfiable),
            ("bytes=5-4", Wanted::Whole),
            ("bytes=0-1,3-4", Wanted::Whole),
            ("bytes=-", Wanted::Whole),
            ("bytes=a-b", Wanted::Whole),
            ("bytes=+1-2", Wanted::Whole),
            ("bytes=--1", Wanted::Whole),
            ("items=0-4", Wanted::Whole),
            ("bytes", Wanted::Whole),
            ("", Wanted::Whole),
        ] {
            assert_eq!(parse(field, 10), expected, "{field}");
        }
        assert_eq!(parse("bytes=0-", 0), Wanted::Whole);
        assert_eq!(parse("bytes=-1", 0), Wanted::Whole);
        assert_eq!(parse("bytes=1-", 0), Wanted::Unsatisfiable);
    }
}
