//! Text that stands outside the body: `name=value` pairs, decoded exactly once.

use std::borrow::Cow;

use doyen_core::input::Value;
use doyen_core::problem::Plain;
use doyen_core::{Kind, ProblemInfo, Refusal};

pub(crate) static MALFORMED_TEXT: ProblemInfo = ProblemInfo {
    code: "malformed_text",
    kind: Kind::Malformed,
    title: "Malformed Text",
    description: "The path, the query string, a header field or a form is not well-formed: broken percent-encoding or not UTF-8.",
};

/// The pairs of a query string or form: `+` is a space, percent-encoding is undone once.
pub(crate) fn pairs(text: &str) -> Result<Vec<(Cow<'_, str>, Cow<'_, str>)>, Refusal> {
    text.split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            Ok((decode(name, true)?, decode(value, true)?))
        })
        .collect()
}

/// Undoes percent-encoding once.
pub(crate) fn decode(text: &str, plus_is_space: bool) -> Result<Cow<'_, str>, Refusal> {
    let plain: Cow<'_, str> = if plus_is_space && text.contains('+') {
        Cow::Owned(text.replace('+', " "))
    } else {
        Cow::Borrowed(text)
    };
    if !plain.contains('%') {
        return Ok(plain);
    }
    let bytes = plain.as_bytes();
    let whole = bytes
        .iter()
        .enumerate()
        .filter(|(_, byte)| **byte == b'%')
        .all(|(at, _)| {
            bytes.get(at + 1).is_some_and(u8::is_ascii_hexdigit)
                && bytes.get(at + 2).is_some_and(u8::is_ascii_hexdigit)
        });
    if !whole {
        return Err(Plain::new(&MALFORMED_TEXT)
            .detail("a `%` is not followed by two hexadecimal digits")
            .into());
    }
    let decoded = percent_encoding::percent_decode(bytes).decode_utf8();
    match decoded {
        Ok(text) => Ok(Cow::Owned(text.into_owned())),
        Err(_) => Err(Plain::new(&MALFORMED_TEXT)
            .detail("not UTF-8 once decoded")
            .into()),
    }
}

/// Pairs as a map; a name that comes more than once is a list.
pub(crate) fn map<'a>(pairs: impl Iterator<Item = (Cow<'a, str>, Cow<'a, str>)>) -> Value<'a> {
    let mut fields: Vec<(Cow<'a, str>, Value<'a>)> = Vec::new();
    for (name, text) in pairs {
        let text = Value::Text(text);
        match fields.iter_mut().find(|(known, _)| *known == name) {
            None => fields.push((name, text)),
            Some((_, Value::List(items))) => items.push(text),
            Some((_, first)) => {
                let before = std::mem::replace(first, Value::Null);
                *first = Value::List(vec![before, text]);
            }
        }
    }
    Value::Map(fields)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decoding_happens_once() {
        assert_eq!(decode("%252e", true).unwrap(), "%2e");
        assert_eq!(decode("a+b%2B", true).unwrap(), "a b+");
        assert_eq!(decode("a+b", false).unwrap(), "a+b");
        assert!(decode("%zz", true).is_err());
        assert!(decode("%f", true).is_err());
        assert!(decode("%ff", true).is_err());
    }
}
