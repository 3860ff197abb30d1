//! URI references (RFC 3986) from text of the application or of a request.

use std::borrow::Cow;

use http::HeaderValue;

/// Returns the text as a URI reference, for a header such as `Location`.
///
/// Characters that are not allowed are percent-encoded: a line break cannot begin another header,
/// and clients agree on the target. Escapes stay as they are.
///
/// ```
/// assert_eq!(doyen_web::uri_reference("/files/a b?x=ü"), "/files/a%20b?x=%C3%BC");
/// ```
pub fn uri_reference(text: &str) -> HeaderValue {
    let encoded = encode(text).into_owned();
    // Only printable ASCII is left.
    HeaderValue::try_from(encoded).unwrap_or_else(|_| HeaderValue::from_static(""))
}

/// Percent-encodes what cannot stand in a URI reference, and a `%` that starts no escape.
pub(crate) fn encode(text: &str) -> Cow<'_, str> {
    let authority = authority(text);
    let fits = |at: usize, byte: u8| match byte {
        b'%' => text
            .as_bytes()
            .get(at + 1..at + 3)
            .is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit)),
        // Only around an IPv6 address.
        b'[' | b']' => authority.contains(&at),
        _ => byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@/?#".contains(&byte),
    };
    if text.bytes().enumerate().all(|(at, byte)| fits(at, byte)) {
        return text.into();
    }
    let mut out = String::with_capacity(text.len() + 8);
    for (at, byte) in text.bytes().enumerate() {
        if fits(at, byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out.into()
}

/// Returns where host and port stand: after `//`, which a scheme may precede.
fn authority(text: &str) -> std::ops::Range<usize> {
    let start = match text.split_once("//") {
        Some((before, _)) if before.is_empty() || before.ends_with(':') => before.len() + 2,
        _ => return 0..0,
    };
    let length = text[start..].find(['/', '?', '#']);
    start..length.map_or(text.len(), |length| start + length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_text_becomes_a_uri_reference() {
        for (text, reference) in [
            ("/v1/tickets/%C3%BC", "/v1/tickets/%C3%BC"),
            ("/a:b@c;d=e?f=g&h#i", "/a:b@c;d=e?f=g&h#i"),
            ("https://[::1]:8000/[x]", "https://[::1]:8000/%5Bx%5D"),
            ("//[::1]?[x]", "//[::1]?%5Bx%5D"),
            ("/a//[x]", "/a//%5Bx%5D"),
            ("/%zz", "/%25zz"),
            ("/50%", "/50%25"),
            ("/{id}|\"<>\\^`", "/%7Bid%7D%7C%22%3C%3E%5C%5E%60"),
            ("/\u{fc} \u{1f600}", "/%C3%BC%20%F0%9F%98%80"),
            (
                "/a\r\nset-cookie: x\0\u{7f}",
                "/a%0D%0Aset-cookie:%20x%00%7F",
            ),
            ("", ""),
        ] {
            assert_eq!(encode(text), reference);
            assert_eq!(uri_reference(text), reference);
        }
    }
}
