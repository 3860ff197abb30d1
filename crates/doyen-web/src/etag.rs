//! Entity tags (RFC 9110 section 8.8.3), and the part of a tag that identifies the caller.
//!
//! Two callers can get different content under the same tag of a route, such as the version of a
//! profile. A private cache that both use would then take a 304 as a confirmation of the other
//! caller's content. The edge therefore appends `.` and 16 characters to the tags of authenticated
//! callers: ten for the subject, six for scopes and roles.

use doyen_core::{Caller, Unexpected, stable_hash};
use http::HeaderValue;

/// Characters for the subject: 60 bits.
const SUBJECT_CHARS: usize = 10;
/// Characters for scopes and roles: 36 bits.
const RIGHTS_CHARS: usize = 6;
/// The whole part, with the dot.
const PART_CHARS: usize = 1 + SUBJECT_CHARS + RIGHTS_CHARS;

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// The suffix of the tags of one caller.
pub(crate) struct CallerPart([u8; PART_CHARS]);

impl CallerPart {
    pub(crate) fn of(caller: &Caller) -> Self {
        // A sum does not depend on the order, which differs between tokens and keys.
        let scopes = caller.scopes.iter().map(|scope| stable_hash([&**scope]));
        let roles = caller
            .roles
            .iter()
            .map(|role| stable_hash(["role", &**role]));
        let rights = scopes.chain(roles).fold(0, u64::wrapping_add);
        let mut part = [b'.'; PART_CHARS];
        let (subject, rest) = part[1..].split_at_mut(SUBJECT_CHARS);
        write(subject, stable_hash([&*caller.subject]));
        write(rest, rights);
        Self(part)
    }

    pub(crate) fn as_str(&self) -> &str {
        // It is ASCII.
        std::str::from_utf8(&self.0).unwrap_or_default()
    }

    /// Inserts it before the closing quote. Returns `None` if the value is not a tag.
    pub(crate) fn append(&self, tag: &HeaderValue) -> Option<HeaderValue> {
        let bytes = tag.as_bytes();
        Tag::parse(std::str::from_utf8(bytes).ok()?)?;
        let mut whole = Vec::with_capacity(bytes.len() + PART_CHARS);
        whole.extend_from_slice(&bytes[..bytes.len() - 1]);
        whole.extend_from_slice(&self.0);
        whole.push(b'"');
        HeaderValue::from_maybe_shared(bytes::Bytes::from(whole)).ok()
    }
}

/// Returns the route's own tag if the tag has the part of a caller, no matter which.
pub(crate) fn without_caller(opaque: &str) -> Option<&str> {
    let (own, part) = opaque.split_at_checked(opaque.len().checked_sub(PART_CHARS)?)?;
    let (dot, rest) = part.as_bytes().split_first()?;
    let is_part = *dot == b'.' && rest.iter().all(|byte| ALPHABET.contains(byte));
    is_part.then_some(own)
}

/// The content codings that can be in a tag.
const CODINGS: [&str; 3] = ["gzip", "br", "zstd"];

/// Splits a coding off the end of a tag: `7-gzip`.
pub(crate) fn split_coding(opaque: &str) -> Option<(&str, &'static str)> {
    let (own, coding) = opaque.rsplit_once('-')?;
    let known = CODINGS.into_iter().find(|known| *known == coding)?;
    Some((own, known))
}

/// Returns the tag for the response in this coding, or `None` for a weak tag or no tag at all.
pub(crate) fn with_coding(tag: &HeaderValue, coding: &str) -> Option<HeaderValue> {
    let own = Tag::parse(tag.to_str().ok()?).filter(|own| !own.weak)?;
    HeaderValue::try_from(format!("\"{}-{coding}\"", own.opaque)).ok()
}

/// Writes six bits of the hash as each character.
fn write(into: &mut [u8], hash: u64) {
    for (at, character) in into.iter_mut().enumerate() {
        *character = ALPHABET[(hash >> (6 * at)) as usize & 63];
    }
}

/// Returns the header for the version of a resource.
///
/// RFC 9110 allows visible characters except the quote. Bytes beyond ASCII are read differently by
/// different clients. An encoded tag would not equal the version that `If-Match` gives a handler.
pub(crate) fn header(version: &str) -> Result<HeaderValue, Unexpected> {
    let fits = |byte: u8| byte.is_ascii_graphic() && byte != b'"';
    if !version.bytes().all(fits) {
        return Err(Unexpected::new(format!(
            "{version:?} cannot be an ETag: use a version with visible ASCII characters except `\"`, such as a number or a hash"
        )));
    }
    Ok(HeaderValue::try_from(format!("\"{version}\""))?)
}

/// Returns the weak tag with this hash.
pub(crate) fn weak(hash: u64) -> Option<HeaderValue> {
    HeaderValue::try_from(format!("W/\"{hash:016x}\"")).ok()
}

/// Returns a hash of a body that all nodes agree on. It reads eight bytes at a time, because a body
/// can be long.
pub(crate) fn content_hash(bytes: &[u8]) -> u64 {
    let (words, rest) = bytes.as_chunks::<8>();
    let mut tail = [0; 8];
    tail[..rest.len()].copy_from_slice(rest);
    let words = words
        .iter()
        .chain([&tail])
        .map(|word| u64::from_le_bytes(*word));
    // A multiplication by an odd constant and a rotation lose no information.
    let mixed = words.fold(bytes.len() as u64, |hash, word| {
        (hash ^ word)
            .wrapping_mul(0x9e37_79b9_7f4a_7c15)
            .rotate_left(29)
    });
    let mixed = (mixed ^ (mixed >> 32)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    mixed ^ (mixed >> 33)
}

/// A tag without its quotes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Tag<'a> {
    pub(crate) weak: bool,
    pub(crate) opaque: &'a str,
}

impl<'a> Tag<'a> {
    /// Parses the value of an `ETag` field.
    pub(crate) fn parse(field: &'a str) -> Option<Self> {
        let (tag, rest) = Self::split_first(field)?;
        rest.is_empty().then_some(tag)
    }

    /// Parses a list, as in `If-Match` and `If-None-Match`. A tag can contain a comma. An item that
    /// is not a tag is skipped.
    pub(crate) fn list(field: &'a str) -> impl Iterator<Item = Self> {
        let mut rest = field;
        std::iter::from_fn(move || {
            loop {
                rest = rest.trim_start_matches([' ', '\t', ',']);
                if rest.is_empty() {
                    return None;
                }
                if let Some((tag, after)) = Self::split_first(rest) {
                    let after = after.trim_start_matches([' ', '\t']);
                    if after.is_empty() || after.starts_with(',') {
                        rest = after;
                        return Some(tag);
                    }
                }
                rest = rest.split_once(',').map_or("", |(_, after)| after);
            }
        })
    }

    /// Splits off the tag at the start of a text.
    fn split_first(text: &'a str) -> Option<(Self, &'a str)> {
        let strong = text.strip_prefix("W/");
        let (opaque, rest) = strong.unwrap_or(text).strip_prefix('"')?.split_once('"')?;
        let weak = strong.is_some();
        Some((Self { weak, opaque }, rest))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_parsed_tag_by_tag() {
        let all = |field| Tag::list(field).map(|tag| (tag.weak, tag.opaque));
        let all = |field| all(field).collect::<Vec<_>>();
        assert_eq!(all(r#""a""#), [(false, "a")]);
        assert_eq!(
            all(r#""a,b" , W/"c",,"" "#),
            [(false, "a,b"), (true, "c"), (false, "")]
        );
        assert_eq!(all(r#"a, "b", W/W/"c", w/"d", "e"#), [(false, "b")]);
        // An item with anything after the closing quote is not a tag.
        assert_eq!(all(r#""a"x, "b""c", "d""#), [(false, "d")]);
        assert_eq!(all("*"), []);
    }

    #[test]
    fn a_single_tag_is_parsed() {
        let tag = |weak, opaque| Some(Tag { weak, opaque });
        assert_eq!(Tag::parse("\"a\""), tag(false, "a"));
        assert_eq!(Tag::parse("W/\"\""), tag(true, ""));
        for none in ["", "a", "\"a", "a\"", "\"a\" ", "\"a\",\"b\"", "W/a"] {
            assert_eq!(Tag::parse(none), None, "{none}");
        }
    }

    #[test]
    fn the_part_of_a_caller_is_appended_and_removed() {
        let mut ann = Caller::new("ann");
        let part = CallerPart::of(&ann);
        for tag in ["\"7\"", "W/\"7-a\"", "\"\""] {
            let whole = part.append(&HeaderValue::from_static(tag)).unwrap();
            let whole = Tag::parse(whole.to_str().unwrap()).unwrap();
            let own = Tag::parse(tag).unwrap();
            assert_eq!(whole.weak, own.weak);
            assert_eq!(without_caller(whole.opaque), Some(own.opaque));
            let bob = CallerPart::of(&Caller::new("bob"));
            assert_ne!(bob.as_str(), part.as_str());
            // The same subject with other roles.
            ann.roles.push("clerk".into());
            let clerk = CallerPart::of(&ann);
            assert_ne!(clerk.as_str(), part.as_str());
        }
        assert_eq!(part.append(&HeaderValue::from_static("7")), None);
        for other in [
            "7",
            "üüüüüüüüüü",
            "7.0123456789abcde",
            "7.0123456789abcde=",
            "7-0123456789abcdef",
        ] {
            assert_eq!(without_caller(other), None, "{other}");
        }
    }

    #[test]
    fn callers_with_other_rights_get_other_tags() {
        let part = |scopes: &[&str], roles: &[&str]| {
            let mut caller = Caller::new("ann");
            caller.scopes = scopes.iter().map(|scope| (*scope).into()).collect();
            caller.roles = roles.iter().map(|role| (*role).into()).collect();
            CallerPart::of(&caller).as_str().to_owned()
        };
        let one = part(&["a:read", "b:write"], &["x"]);
        assert_eq!(one, part(&["b:write", "a:read"], &["x"]));
        for other in [
            part(&["a:write", "b:read"], &["x"]),
            part(&["a:read", "b:write", "x"], &[]),
            part(&["a:read"], &["x"]),
            part(&[], &[]),
        ] {
            assert_ne!(one, other);
        }
    }
}
