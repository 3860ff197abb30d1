//! Booleans, numbers and text.

use std::sync::Arc;

use doyen_core::{At, Failures};
use serde_json::{Map, json};

use super::{Input, Value, loose};
use crate::{Components, Schema};

/// The pattern of text without the NUL character, which PostgreSQL cannot store.
pub const NO_NUL: &str = r"^[^\u0000]*$";

#[diagnostic::do_not_recommend]
impl Input for bool {
    fn parse(value: Value<'_>, at: &At<'_>, out: &mut Failures) -> Option<Self> {
        match &value {
            Value::Bool(value) => return Some(*value),
            Value::Text(text) => match text.as_ref() {
                "true" | "1" | "on" | "yes" => return Some(true),
                "false" | "0" | "off" | "no" => return Some(false),
                _ => {}
            },
            _ => {}
        }
        if out.strictness().has_loose_scalars()
            && let Some(loose) = loose::boolean(&value)
        {
            return Some(loose);
        }
        value.refuse("boolean", "true or false", at, out);
        None
    }

    fn schema(_: &mut Components) -> Schema {
        Schema::of("boolean")
    }
}

macro_rules! integers {
    ($($type:ty: $format:literal),* $(,)?) => {$(
        #[diagnostic::do_not_recommend]
        impl Input for $type {
            fn parse(value: Value<'_>, at: &At<'_>, out: &mut Failures) -> Option<Self> {
                integer(&value, <$type>::MIN.into(), <$type>::MAX.into(), at, out).and_then(|value| value.try_into().ok())
            }

            fn schema(_: &mut Components) -> Schema {
                Schema::of("integer").with("format", $format).with("minimum", <$type>::MIN).with("maximum", <$type>::MAX)
            }
        }
    )*};
}

integers! {
    i8: "int32", i16: "int32", i32: "int32", i64: "int64",
    u8: "int32", u16: "int32", u32: "int64", u64: "uint64",
}

macro_rules! sized {
    ($($type:ty as $wide:ty),*) => {$(
        /// The range of the 64-bit type, on every machine.
        #[diagnostic::do_not_recommend]
        impl Input for $type {
            fn parse(value: Value<'_>, at: &At<'_>, out: &mut Failures) -> Option<Self> {
                let wide = <$wide>::parse(value, at, out)?;
                let narrow = <$type>::try_from(wide).ok();
                if narrow.is_none() {
                    range(json!(<$type>::MIN), json!(<$type>::MAX), at, out);
                }
                narrow
            }

            fn schema(all: &mut Components) -> Schema {
                <$wide>::schema(all)
            }
        }
    )*};
}

sized!(usize as u64, isize as i64);

/// Parses a whole number between two limits. JSON Schema counts `1.0` as one. From 2^53
/// on, a number with a fraction or an exponent may have lost digits when it was read; it is
/// refused.
fn integer(
    value: &Value<'_>,
    min: i128,
    max: i128,
    at: &At<'_>,
    out: &mut Failures,
) -> Option<i128> {
    let found = match value {
        Value::Int(value) => Some(*value),
        Value::Float(value) if value.abs() >= FIRST_INEXACT => {
            if *value <= min as f64 || *value >= max as f64 {
                range(json!(min), json!(max), at, out);
            } else {
                let message =
                    "must be written without fraction or exponent: it is too large to be exact";
                at.fail(out, "type", message);
            }
            return None;
        }
        Value::Float(value) if value.fract() == 0.0 => Some(*value as i128),
        Value::Text(text) => whole(text),
        _ => None,
    };
    let is_loose = found.is_none() && out.strictness().has_loose_scalars();
    let found = if is_loose {
        loose::integer(value)
    } else {
        found
    };
    let Some(found) = found else {
        value.refuse("integer", "a whole number", at, out);
        return None;
    };
    if found < min || found > max {
        range(json!(min), json!(max), at, out);
        return None;
    }
    Some(found)
}

/// 2^53: the first double that a neighbour may have been rounded to.
const FIRST_INEXACT: f64 = 9_007_199_254_740_992.0;

/// Parses a whole number in the syntax of JSON: no plus sign, no leading zeros.
fn whole(text: &str) -> Option<i128> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    if !plain || (digits.len() > 1 && digits.starts_with('0')) {
        return None;
    }
    let limit = if text.starts_with('-') {
        i128::MIN
    } else {
        i128::MAX
    };
    Some(text.parse().unwrap_or(limit))
}

/// A double, like numbers in most JSON implementations. There is no `f32`: a limit such as 0.1
/// would be another number after rounding.
#[diagnostic::do_not_recommend]
impl Input for f64 {
    fn parse(value: Value<'_>, at: &At<'_>, out: &mut Failures) -> Option<Self> {
        float(&value, at, out)
    }

    fn schema(_: &mut Components) -> Schema {
        Schema::of("number").with("format", "double")
    }
}

fn float(value: &Value<'_>, at: &At<'_>, out: &mut Failures) -> Option<f64> {
    let found = match value {
        Value::Int(value) => Some(*value as f64),
        Value::Float(value) => Some(*value),
        Value::Text(text)
            if text
                .bytes()
                .all(|byte| matches!(byte, b'0'..=b'9' | b'-' | b'.' | b'e' | b'E' | b'+')) =>
        {
            text.parse().ok()
        }
        _ => None,
    };
    let is_loose = found.is_none() && out.strictness().has_loose_scalars();
    let found = if is_loose { loose::float(value) } else { found };
    let Some(found) = found else {
        value.refuse("number", "a number", at, out);
        return None;
    };
    if found.is_infinite() {
        range(json!(f64::MIN), json!(f64::MAX), at, out);
        return None;
    }
    Some(found)
}

pub(super) fn range(
    min: serde_json::Value,
    max: serde_json::Value,
    at: &At<'_>,
    out: &mut Failures,
) {
    let message = format!("must be between {min} and {max}");
    let params = Map::from_iter([("min".to_owned(), min), ("max".to_owned(), max)]);
    at.fail_with(out, "range", message, params);
}

#[diagnostic::do_not_recommend]
impl Input for String {
    fn parse(value: Value<'_>, at: &At<'_>, out: &mut Failures) -> Option<Self> {
        match value {
            Value::Str(text) | Value::Text(text) => {
                if text.contains('\0') {
                    at.fail(out, "characters", "must not contain the NUL character");
                    return None;
                }
                Some(text.into_owned())
            }
            other => {
                other.refuse("string", "text", at, out);
                None
            }
        }
    }

    fn schema(_: &mut Components) -> Schema {
        Schema::of("string").with("pattern", NO_NUL)
    }
}

macro_rules! texts {
    ($($type:ty),*) => {$(
        #[diagnostic::do_not_recommend]
        impl Input for $type {
            fn parse(value: Value<'_>, at: &At<'_>, out: &mut Failures) -> Option<Self> {
                String::parse(value, at, out).map(Into::into)
            }

            fn schema(all: &mut Components) -> Schema {
                String::schema(all)
            }
        }
    )*};
}

texts!(Arc<str>, Box<str>);

#[diagnostic::do_not_recommend]
impl Input for char {
    fn parse(value: Value<'_>, at: &At<'_>, out: &mut Failures) -> Option<Self> {
        let text = String::parse(value, at, out)?;
        let mut letters = text.chars();
        match (letters.next(), letters.next()) {
            (Some(letter), None) => Some(letter),
            _ => {
                let params =
                    Map::from_iter([("min".to_owned(), json!(1)), ("max".to_owned(), json!(1))]);
                at.fail_with(out, "length", "must be one character", params);
                None
            }
        }
    }

    fn schema(all: &mut Components) -> Schema {
        String::schema(all)
            .with("minLength", 1)
            .with("maxLength", 1)
    }
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use doyen_core::Place;

    use super::*;

    fn read<T: Input>(value: Value<'_>) -> Result<T, &'static str> {
        let mut out = Failures::new();
        let read = T::parse(value, &At::root(Place::Body), &mut out);
        read.ok_or_else(|| {
            out.iter()
                .next()
                .map_or("nothing recorded", |failure| failure.code)
        })
    }

    fn text(text: &str) -> Value<'_> {
        Value::Text(Cow::Borrowed(text))
    }

    #[test]
    fn booleans_have_eight_spellings_in_text_and_two_in_json() {
        assert_eq!(read::<bool>(text("on")), Ok(true));
        assert_eq!(read::<bool>(text("no")), Ok(false));
        assert_eq!(read::<bool>(text("TRUE")), Err("type"));
        assert_eq!(read::<bool>(Value::Str("true".into())), Err("type"));
        assert_eq!(read::<bool>(Value::Int(1)), Err("type"));
    }

    #[test]
    fn whole_numbers_are_exact_at_their_ends() {
        assert_eq!(read::<i64>(Value::Int(i64::MIN.into())), Ok(i64::MIN));
        assert_eq!(read::<u64>(Value::Int(u64::MAX.into())), Ok(u64::MAX));
        assert_eq!(
            read::<i64>(Value::Int(9_007_199_254_740_993)),
            Ok(9_007_199_254_740_993)
        );
        assert_eq!(read::<i64>(Value::Int(u64::MAX.into())), Err("range"));
        assert_eq!(read::<u8>(Value::Int(-1)), Err("range"));
        assert_eq!(
            read::<u64>(Value::Float(18_446_744_073_709_551_616.0)),
            Err("range")
        );
        assert_eq!(read::<u64>(Value::Float(1e300)), Err("range"));
        // What JSON readers make of -9223372036854775809 and of 9007199254740993.0.
        assert_eq!(
            read::<i64>(Value::Float(-9_223_372_036_854_775_808.0)),
            Err("range")
        );
        assert_eq!(
            read::<i64>(Value::Float(9_007_199_254_740_992.0)),
            Err("type")
        );
        assert_eq!(
            read::<i64>(Value::Float(9_007_199_254_740_991.0)),
            Ok(9_007_199_254_740_991)
        );
        assert_eq!(read::<u8>(Value::Float(7.0)), Ok(7));
        assert_eq!(read::<u8>(Value::Float(-0.0)), Ok(0));
        assert_eq!(read::<u8>(Value::Float(7.5)), Err("type"));
        assert_eq!(read::<u8>(Value::Str("7".into())), Err("type"));
    }

    #[test]
    fn text_numbers_have_one_spelling() {
        assert_eq!(read::<i32>(text("-12")), Ok(-12));
        for odd in ["", "-", "+1", "01", "1.0", " 1", "1e2", "0x1", "١"] {
            assert_eq!(read::<i32>(text(odd)), Err("type"), "{odd:?}");
        }
        assert_eq!(
            read::<i32>(text("99999999999999999999999999999999999999999999")),
            Err("range")
        );
        assert_eq!(
            read::<i32>(text("-99999999999999999999999999999999999999999999")),
            Err("range")
        );
    }

    #[test]
    fn floats_are_finite() {
        assert_eq!(read::<f64>(text("1.5e3")), Ok(1500.0));
        assert_eq!(read::<f64>(text("1e400")), Err("range"));
        for odd in ["inf", "NaN", "", "."] {
            assert_eq!(read::<f64>(text(odd)), Err("type"), "{odd:?}");
        }
    }

    #[test]
    fn text_has_no_nul() {
        assert_eq!(read::<String>(Value::Str("a\0b".into())), Err("characters"));
        assert_eq!(
            read::<String>(Value::Str("a\nb".into())),
            Ok("a\nb".to_owned())
        );
        assert_eq!(read::<char>(Value::Str("ü".into())), Ok('ü'));
        assert_eq!(read::<char>(Value::Str("".into())), Err("length"));
        assert_eq!(read::<String>(Value::Null), Err("null"));
    }

    #[test]
    fn a_repeated_parameter_is_not_a_scalar() {
        assert_eq!(
            read::<i32>(Value::List(vec![text("1"), text("2")])),
            Err("repeated")
        );
        assert_eq!(read::<i32>(Value::List(vec![Value::Int(1)])), Err("type"));
    }
}
