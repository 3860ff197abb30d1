//! Text in a log line: escaped, cut to a length, and times without a library's detour.
//!
//! Written by hand because it runs for every request: a formatter with trait objects costs ten times as much.

use std::fmt::Write as _;
use std::time::Duration;

use doyen_core::Timestamp;

/// Appends a JSON string, cut after `limit` bytes.
pub(crate) fn json(out: &mut String, text: &str, limit: usize) {
    out.push('"');
    escaped(out, text, limit, |out, c| match c {
        '"' => out.push_str("\\\""),
        '\\' => out.push_str("\\\\"),
        '\n' => out.push_str("\\n"),
        '\r' => out.push_str("\\r"),
        '\t' => out.push_str("\\t"),
        // Everything `is_hidden` names lies below U+10000: four digits do.
        c => _ = write!(out, "\\u{:04x}", u32::from(c)),
    });
    out.push('"');
}

/// Appends text for a person, cut after `limit` bytes.
pub(crate) fn plain(out: &mut String, text: &str, limit: usize) {
    escaped(out, text, limit, |out, c| match c {
        '"' | '\\' => out.push(c),
        '\n' => out.push_str("\\n"),
        '\r' => out.push_str("\\r"),
        '\t' => out.push_str("\\t"),
        c => _ = write!(out, "\\u{{{:x}}}", u32::from(c)),
    });
}

/// Appends a value for a person: in quotes unless it is a plain word, so that a value can not pass for the next field.
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
    // Nearly all text is plain ASCII, and looking at bytes is much faster.
    if kept
        .bytes()
        .all(|b| matches!(b, b' '..=b'~') && b != b'"' && b != b'\\')
    {
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

/// Characters that end a line, steer a terminal, or hide or turn text.
const fn is_hidden(c: char) -> bool {
    matches!(c,
        '\0'..='\u{1f}' | '\u{7f}'..='\u{9f}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

/// Appends `2026-11-22T08:30:00.250000Z`.
pub(crate) fn time(out: &mut String, at: Timestamp) {
    let (days, micros) = (at.micros().div_euclid(DAY), at.micros().rem_euclid(DAY));
    let (year, month, day) = civil(days);
    digits(out, year, 1000);
    out.push('-');
    digits(out, month, 10);
    out.push('-');
    digits(out, day, 10);
    out.push('T');
    clock(out, micros);
    digits(out, micros % 1_000_000, 100_000);
    out.push('Z');
}

/// Appends `08:30:00.250`.
pub(crate) fn time_of_day(out: &mut String, at: Timestamp) {
    let micros = at.micros().rem_euclid(DAY);
    clock(out, micros);
    digits(out, micros % 1_000_000 / 1000, 100);
}

/// Appends milliseconds with three decimals: `12.345`.
pub(crate) fn millis(out: &mut String, span: Duration) {
    let micros = span.as_micros();
    _ = write!(out, "{}.{:03}", micros / 1000, micros % 1000);
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

/// The digits of a number from this place on, leading zeros included.
fn digits(out: &mut String, number: i64, mut place: i64) {
    while place > 0 {
        out.push(char::from(
            b'0' + u8::try_from(number / place % 10).unwrap_or(0),
        ));
        place /= 10;
    }
}

/// Year, month and day of a count of days since 1970-01-01, in the Gregorian calendar. The year begins in March here, so that the leap day
/// is its last (H. Hinnant, "chrono-compatible low-level date algorithms").
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
        // Every fifth day or so of the whole range, against the library's own text.
        for day in (-719_162..=2_932_896_i64).step_by(499) {
            let at = Timestamp::from_micros(day * DAY + (day * 7_919_317).rem_euclid(DAY));
            assert_eq!(written(|out| time(out, at)), at.to_string());
        }
        let at: Timestamp = "2024-02-29T23:59:59.000009Z".parse().unwrap();
        assert_eq!(written(|out| time(out, at)), "2024-02-29T23:59:59.000009Z");
        assert_eq!(written(|out| time_of_day(out, at)), "23:59:59.000");
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
    fn a_value_can_not_pass_for_another_field() {
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
