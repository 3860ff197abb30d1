//! Other forms of booleans and numbers, for routes that accept them: see
//! [`Strictness::loose_scalars`](doyen_core::Strictness::loose_scalars).

use super::Value;

/// Parses a boolean as text in any case, or as 0 and 1.
pub(super) fn boolean(value: &Value<'_>) -> Option<bool> {
    match value {
        Value::Int(0) => Some(false),
        Value::Int(1) => Some(true),
        _ => match value.as_text()?.trim().to_ascii_lowercase().as_str() {
            "true" | "t" | "1" | "on" | "yes" | "y" => Some(true),
            "false" | "f" | "0" | "off" | "no" | "n" => Some(false),
            _ => None,
        },
    }
}

/// Parses a whole number in text: with a plus sign, leading zeros, spaces around it, or a fraction
/// of zeros.
pub(super) fn integer(value: &Value<'_>) -> Option<i128> {
    let text = value.as_text()?.trim();
    let whole = match text.split_once('.') {
        Some((whole, fraction)) if fraction.bytes().all(|byte| byte == b'0') => whole,
        Some(_) => return None,
        None => text,
    };
    whole.parse().ok()
}

/// Parses a finite number in text.
pub(super) fn float(value: &Value<'_>) -> Option<f64> {
    let text = value.as_text()?.trim();
    let is_number = text
        .bytes()
        .all(|byte| byte.is_ascii_digit() || matches!(byte, b'-' | b'.' | b'e' | b'E' | b'+'));
    text.parse().ok().filter(|_| is_number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_spellings_are_read_and_nonsense_is_not() {
        let text = |text: &'static str| Value::Str(text.into());
        assert_eq!(boolean(&text(" True ")), Some(true));
        assert_eq!(boolean(&text("N")), Some(false));
        assert_eq!(boolean(&Value::Int(2)), None);
        assert_eq!(integer(&text("+05")), Some(5));
        assert_eq!(integer(&text("5.00")), Some(5));
        for odd in ["", "5.5", "0x5", "five", "1e3", "- 5"] {
            assert_eq!(integer(&text(odd)), None, "{odd}");
        }
        assert_eq!(float(&text(" 1.5 ")), Some(1.5));
        for odd in ["", "nan", "inf", "1.5.0"] {
            assert_eq!(float(&text(odd)), None, "{odd}");
        }
    }
}
