//! `Range` (RFC 9110 section 14.1.2).

use std::ops::Range;

/// Maximum number of ranges in one request. More of them mean the whole: they cost more than they
/// save (RFC 9110 section 14.2).
const MAX_RANGES: usize = 10;

/// The parts of a file that a client wants.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    Whole,
    /// At least one, in the order of the request, none of which overlap.
    Parts(Vec<Range<u64>>),
    Unsatisfiable,
}

/// Parses the header. A malformed range, another unit, and ranges that overlap or are too many mean
/// the whole, which a server may always send.
pub(super) fn parse(field: &str, length: u64) -> Wanted {
    let Some((unit, ranges)) = field.split_once('=') else {
        return Wanted::Whole;
    };
    if !unit.trim().eq_ignore_ascii_case("bytes") || ranges.split(',').count() > MAX_RANGES {
        return Wanted::Whole;
    }
    let mut parts: Vec<Range<u64>> = Vec::new();
    for range in ranges.split(',') {
        match part(range, length) {
            None => return Wanted::Whole,
            Some(part) if part.start >= length => {}
            Some(part) => parts.push(part),
        }
    }
    let overlap = |(at, one): (usize, &Range<u64>)| {
        let others = parts[at + 1..].iter();
        others
            .clone()
            .any(|other| one.start < other.end && other.start < one.end)
    };
    match parts.is_empty() {
        true => Wanted::Unsatisfiable,
        false if parts.iter().enumerate().any(overlap) => Wanted::Whole,
        false => Wanted::Parts(parts),
    }
}

/// Parses one range. `None` for one that is malformed or that means the whole of an empty file.
fn part(range: &str, length: u64) -> Option<Range<u64>> {
    let (first, last) = range.trim().split_once('-')?;
    let part = match (number(first)?, number(last)?) {
        (None, None) => return None,
        // The last bytes.
        (None, Some(0)) => return Some(length..length),
        (None, Some(count)) => length.saturating_sub(count)..length,
        (Some(first), None) => first..length,
        (Some(first), Some(last)) if last < first => return None,
        (Some(first), Some(last)) => first..length.min(last.saturating_add(1)),
    };
    (length > 0 || part.start > 0).then_some(part)
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
        let one = |part: Range<u64>| Wanted::Parts(vec![part]);
        for (field, expected) in [
            ("bytes=0-4", one(0..5)),
            ("bytes=0-0", one(0..1)),
            ("Bytes = 5-", one(5..10)),
            ("bytes=-3", one(7..10)),
            ("bytes=-30", one(0..10)),
            ("bytes=8-99999999999999999999999", one(8..10)),
            ("bytes=9-9", one(9..10)),
            ("bytes=10-", Wanted::Unsatisfiable),
            ("bytes=99999999999999999999999-", Wanted::Unsatisfiable),
            ("bytes=-0", Wanted::Unsatisfiable),
            ("bytes=5-4", Wanted::Whole),
            ("bytes=0-1,3-4", Wanted::Parts(vec![0..2, 3..5])),
            ("bytes=8-, 0-0", Wanted::Parts(vec![8..10, 0..1])),
            ("bytes=0-1,20-30", one(0..2)),
            ("bytes=20-30,40-", Wanted::Unsatisfiable),
            ("bytes=0-4,4-5", Wanted::Whole),
            ("bytes=0-1,x-4", Wanted::Whole),
            ("bytes=0-0,,2-2", Wanted::Whole),
            (
                "bytes=0-0,1-1,2-2,3-3,4-4,5-5,6-6,7-7,8-8,9-9,9-9",
                Wanted::Whole,
            ),
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
