//! Exact decimals: text such as `12.50`, so that no client reads them as a double.

use doyen_core::{At, Decimal, Failures};

use super::foreign::formatted;
use super::{Input, Value};
use crate::output::Output;
use crate::{Components, Schema};

/// Digits and at most one point between them: no plus sign, exponent or leading zeros.
const PATTERN: &str = r"^-?(0|[1-9][0-9]*)(\.[0-9]+)?$";

/// Sign, 29 digits and the point.
const MAX_LENGTH: usize = 31;

/// A JSON number is refused: most parsers have lost digits of it before it arrives.
#[diagnostic::do_not_recommend]
impl Input for Decimal {
    fn parse(value: Value<'_>, at: &At<'_>, out: &mut Failures) -> Option<Self> {
        let message = "must be a decimal of at most 28 digits, for example 12.50";
        formatted(value, message, read, at, out)
    }

    fn schema(_: &mut Components) -> Schema {
        Schema::of("string")
            .with("format", "decimal")
            .with("pattern", PATTERN)
            .with("maxLength", MAX_LENGTH)
    }
}

#[diagnostic::do_not_recommend]
impl Output for Decimal {
    fn schema(all: &mut Components) -> Schema {
        <Decimal as Input>::schema(all)
    }
}

fn read(text: &str) -> Option<Decimal> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let has_zeros = whole.len() > 1 && whole.starts_with('0');
    if !is_number(whole) || !is_number(fraction) || has_zeros || text.len() > MAX_LENGTH {
        return None;
    }
    let mut number = Decimal::from_str_exact(text).ok()?;
    if number.is_zero() {
        number.set_sign_positive(true);
    }
    Some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_decimal_has_one_spelling_and_keeps_every_digit() {
        for text in [
            "0",
            "12.50",
            "-0.000000000000000000000000001",
            "7.9228162514264337593543950335",
            "79228162514264337593543950335",
        ] {
            assert_eq!(
                read(text).map(|number| number.to_string()).as_deref(),
                Some(text)
            );
        }
        assert_eq!(
            read("-0.00").map(|number| number.to_string()).as_deref(),
            Some("0.00")
        );
        for text in [
            "",
            "-",
            ".5",
            "5.",
            "+5",
            "05",
            "00",
            "1e3",
            "1_000",
            "0x10",
            " 1",
            "1 ",
            "1,5",
            "NaN",
            "79228162514264337593543950336",
            "0.12345678901234567890123456789",
            "1.2.3",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn it_is_text_in_json() {
        let number = read("12.50").unwrap();
        assert_eq!(serde_json::to_value(number).unwrap(), "12.50");
    }
}
