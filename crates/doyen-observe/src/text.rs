//! Text in a log line: escaped and truncated; and times.
//!
//! Written by hand because it runs for every request: a formatter with trait objects costs ten
//! times as much.

use std::cell::Cell;
use std::fmt::Write as _;
use std::net::IpAddr;
use std::time::Duration;

use doyen_core::Timestamp;

/// Appends a JSON string, truncated after `limit` bytes.
pub(crate) fn json(out: &mut String, text: &str, limit: usize) {
    out.push('"');
    escaped(out, text, limit, |out, c| match c {
        '"' => out.push_str("\\\""),
        '\\' => out.push_str("\\\\"),
        '\n' => out.push_str("\\n"),
        '\r' => out.push_str("\\r"),
        '\t' => out.push_str("\\t"),
        // Everything that `is_hidden` names is below U+10000, so four digits suffice.
        c => _ = write!(out, "\\u{:04x}", u32::from(c)),
    });
    out.push('"');
}

/// Appends readable text, truncated after `limit` bytes.
pub(crate) fn plain(out: &mut String, text: &str, limit: usize) {
    escaped(out, text, limit, |out, c| match c {
        '"' | '\\' => out.push(c),
        '\n' => out.push_str("\\n"),
        '\r' => out.push_str("\\r"),
        '\t' => out.push_str("\\t"),
        c => _ = write!(out, "\\u{{{:x}}}", u32::from(c)),
    });
}

/// Appends a readable value. It is quoted unless it is a plain word, so that a value cannot look
/// like the next field.
pub(crate) fn value(out: &mut String, text: &str, limit: usize) {
    let word = |b: u8| b.is_ascii_alphanumeric() || b"._-/:{}+@".contains(&b);
    if !text.is_empty() && text.bytes().all(word) {
        plain(out, text, limit);
    } else {
        json(out, text, limit);
    }
}

fn escaped(out: &mut String, text: &str, limit: usize, mut escape: impl FnMut(&mut String, char)) {
    let end = if text.len() > limit {
        text.floor_char_boundary(limit)
    } else {
        text.len()
    };
    let kept = &text[..end];
    // Nearly all text is plain ASCII. A check of every byte without an early exit lets the compiler
    // use vector instructions.
    let plain = kept.bytes().fold(true, |plain, b| {
        plain & (b' '..=b'~').contains(&b) & (b != b'"') & (b != b'\\')
    });
    if plain {
        out.push_str(kept);
    } else {
        escape_each(out, kept, &mut escape);
    }
    if end < text.len() {
        out.push('…');
    }
}

fn escape_each(out: &mut String, kept: &str, escape: &mut impl FnMut(&mut String, char)) {
    let mut from = 0;
    for (at, c) in kept.char_indices() {
        if c == '"' || c == '\\' || is_hidden(c) {
            out.push_str(&kept[from..at]);
            escape(out, c);
            from = at + c.len_utf8();
        }
    }
    out.push_str(&kept[from..]);
}

/// Characters that end a line, control a terminal, or hide or reorder text.
const fn is_hidden(c: char) -> bool {
    matches!(c,
        '\0'..='\u{1f}' | '\u{7f}'..='\u{9f}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

/// Appends `2026-11-22T08:30:00.250000Z`.
pub(crate) fn time(out: &mut String, at: Timestamp) {
    thread_local! {
        // Cache of the last second and its text: a busy service writes thousands of lines per
        // second.
        static LAST: Cell<(i64, [u8; 20])> = const { Cell::new((i64::MIN, [0; 20])) };
    }
    let (second, micros) = (
        at.micros().div_euclid(1_000_000),
        at.micros().rem_euclid(1_000_000),
    );
    let (known, text) = LAST.get();
    match std::str::from_utf8(&text) {
        Ok(text) if known == second => out.push_str(text),
        _ => {
            let from = out.len();
            second_of(out, at);
            if let Ok(text) = out.as_bytes()[from..].try_into() {
                LAST.set((second, text));
            }
        }
    }
    digits(out, micros, 100_000);
    out.push('Z');
}

/// `2026-11-22T08:30:00.`
fn second_of(out: &mut String, at: Timestamp) {
    let (days, micros) = (at.micros().div_euclid(DAY), at.micros().rem_euclid(DAY));
    let (year, month, day) = civil(days);
    digits(out, year, 1000);
    out.push('-');
    digits(out, month, 10);
    out.push('-');
    digits(out, day, 10);
    out.push('T');
    clock(out, micros);
}

/// Appends `08:30:00.250`.
pub(crate) fn time_of_day(out: &mut String, at: Timestamp) {
    let micros = at.micros().rem_euclid(DAY);
    clock(out, micros);
    digits(out, micros % 1_000_000 / 1000, 100);
}

/// Appends milliseconds with three decimals: `12.345`.
pub(crate) fn millis(out: &mut String, span: Duration) {
    let micros = u64::try_from(span.as_micros()).unwrap_or(u64::MAX);
    number(out, micros / 1000);
    out.push('.');
    let rest = micros % 1000;
    out.push_str(&PAIRS[usize::try_from(rest / 10).unwrap_or(0) * 2..][..2]);
    digits(out, i64::try_from(rest % 10).unwrap_or(0), 1);
}

/// Appends a number.
pub(crate) fn number(out: &mut String, mut number: u64) {
    if let Some(at) = usize::try_from(number).ok().filter(|at| *at < 100) {
        let skip = usize::from(at < 10);
        return out.push_str(&PAIRS[at * 2 + skip..at * 2 + 2]);
    }
    let mut text = [b'0'; 20];
    let mut at = text.len();
    loop {
        at -= 1;
        text[at] = b'0' + u8::try_from(number % 10).unwrap_or(0);
        number /= 10;
        if number == 0 {
            break;
        }
    }
    out.push_str(std::str::from_utf8(&text[at..]).unwrap_or_default());
}

/// Appends an address.
pub(crate) fn address(out: &mut String, address: IpAddr) {
    match address {
        IpAddr::V4(address) => {
            for (n, octet) in address.octets().into_iter().enumerate() {
                if n > 0 {
                    out.push('.');
                }
                number(out, octet.into());
            }
        }
        IpAddr::V6(address) => _ = write!(out, "{address}"),
    }
}

/// Microseconds in a day.
const DAY: i64 = 86_400_000_000;

/// `08:30:00.`
fn clock(out: &mut String, micros: i64) {
    let seconds = micros / 1_000_000;
    digits(out, seconds / 3600, 10);
    out.push(':');
    digits(out, seconds / 60 % 60, 10);
    out.push(':');
    digits(out, seconds % 60, 10);
    out.push('.');
}

/// Appends the digits of a number from this decimal place on, with leading zeros.
fn digits(out: &mut String, number: i64, mut place: i64) {
    while place >= 10 {
        let pair = usize::try_from(number / (place / 10) % 100).unwrap_or(0);
        out.push_str(&PAIRS[pair * 2..][..2]);
        place /= 100;
    }
    while place > 0 {
        out.push(char::from(
            b'0' + u8::try_from(number / place % 10).unwrap_or(0),
        ));
        place /= 10;
    }
}

/// Two digits for each number below a hundred.
static PAIRS: &str = "00010203040506070809101112131415161718192021222324252627282930313233343536373839404142434445464748495051525354555657585960616263646566676869\
                      707172737475767778798081828384858687888990919293949596979899";

/// Year, month and day of a count of days since 1970-01-01, in the Gregorian calendar. The year
/// begins in March here, so that the leap day is its last (H. Hinnant, "chrono-compatible low-level
/// date algorithms").
const fn civil(days: i64) -> (i64, i64, i64) {
    let z = days + 719_468;
    let era = z.div_euclid(146_097);
    let day_of_era = z.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 {
        shifted + 3
    } else {
        shifted - 9
    };
    let year = year_of_era + era * 400 + if month <= 2 { 1 } else { 0 };
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(write: impl FnOnce(&mut String)) -> String {
        let mut out = String::new();
        write(&mut out);
        out
    }

    #[test]
    fn times_are_written_as_the_calendar_has_them() {
        // About every fifth day of the whole range, compared with the library.
        for day in (-719_162..=2_932_896_i64).step_by(499) {
            let at = Timestamp::from_micros(day * DAY + (day * 7_919_317).rem_euclid(DAY));
            assert_eq!(written(|out| time(out, at)), at.to_string());
        }
        let at: Timestamp = "2024-02-29T23:59:59.000009Z".parse().unwrap();
        assert_eq!(written(|out| time(out, at)), "2024-02-29T23:59:59.000009Z");
        assert_eq!(written(|out| time_of_day(out, at)), "23:59:59.000");
    }

    #[test]
    fn numbers_and_addresses_are_written_as_the_library_writes_them() {
        for n in (0..20_000).chain([u64::MAX, u64::MAX / 10]) {
            assert_eq!(written(|out| number(out, n)), n.to_string());
            let span = Duration::from_micros(n);
            let expected = format!("{}.{:03}", n / 1000, n % 1000);
            assert_eq!(written(|out| millis(out, span)), expected);
        }
        for text in ["127.0.0.1", "255.10.0.99", "::1", "2001:db8::7"] {
            assert_eq!(written(|out| address(out, text.parse().unwrap())), text);
        }
    }

    #[test]
    fn json_text_reads_back_and_hides_nothing() {
        let nasty = "a\"b\\c\n\r\t\0\u{1b}[31m\u{7f}\u{9b}\u{2028}\u{202e}\u{feff}é😀";
        let line = written(|out| json(out, nasty, 1024));
        assert_eq!(serde_json::from_str::<String>(&line).unwrap(), nasty);
        assert!(!line.chars().any(is_hidden), "{line}");
    }

    #[test]
    fn plain_text_stays_on_its_line() {
        let line = written(|out| plain(out, "ok\r\n\u{1b}[2J 200 GET /\u{85}\u{2029}", 1024));
        assert_eq!(line, "ok\\r\\n\\u{1b}[2J 200 GET /\\u{85}\\u{2029}");
    }

    #[test]
    fn a_value_cannot_pass_for_another_field() {
        assert_eq!(written(|out| value(out, "usr_1", 64)), "usr_1");
        assert_eq!(
            written(|out| value(out, "x user=admin", 64)),
            "\"x user=admin\""
        );
        assert_eq!(written(|out| value(out, "x=1", 64)), "\"x=1\"");
        assert_eq!(written(|out| value(out, "", 64)), "\"\"");
    }

    #[test]
    fn long_text_is_cut_between_characters() {
        assert_eq!(written(|out| plain(out, "ééé", 3)), "é…");
        assert_eq!(written(|out| plain(out, "abc", 3)), "abc");
    }
}
