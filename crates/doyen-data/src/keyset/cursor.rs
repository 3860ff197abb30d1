//! A signed position in a list: base64url of version, direction, keys and 16 bytes of HMAC-SHA256.
//!
//! The documented length of a cursor is bounded, and the length of a key is not. Of a long text,
//! the cursor holds the beginning and a hash; see [`truncated`](super::truncated).

use aws_lc_rs::digest::{self, SHA256};
use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use sea_orm::Value;
use subtle::ConstantTimeEq as _;

/// Incremented when the format changes. Older cursors are rejected.
const VERSION: u8 = 1;
const MAC_BYTES: usize = 16;
/// Maximum length of a cursor, as documented for clients. Longer ones are not decoded.
const MAX_CURSOR_BYTES: usize = 1024;
/// Bytes of version, flags and MAC.
const FIXED_BYTES: usize = 2 + MAC_BYTES;
/// Bytes of a tag and a length.
const KEY_HEADER_BYTES: usize = 3;
/// Maximum length of a key that is written whole.
const MAX_KEY_BYTES: usize = 256;
/// Maximum length of the beginning of a key that is not.
const MAX_PREFIX_BYTES: usize = 64;
/// Added to the tag of a key of which only hash and beginning are written.
const TRUNCATED: u8 = 0x80;

/// The key that signs cursors. All nodes of a service share one.
#[derive(Clone)]
pub struct CursorKey([u8; 32]);

impl CursorKey {
    /// Creates a key from these bytes.
    pub const fn new(key: [u8; 32]) -> Self {
        Self(key)
    }

    /// Derives a key from a secret of any length, such as one from the settings.
    pub fn derive(secret: &[u8]) -> Self {
        let mut hash = digest::Context::new(&SHA256);
        hash.update(b"doyen cursor key");
        hash.update(secret);
        Self(bytes(&hash.finish()))
    }

    /// Creates a random key: cursors become invalid when the process ends.
    pub fn random() -> Self {
        let mut key = [0; 32];
        if getrandom::fill(&mut key).is_err() {
            // Without randomness the key is not secret, but it still differs between processes.
            let (one, two) = (uuid::Uuid::now_v7(), uuid::Uuid::now_v7());
            key[..16].copy_from_slice(one.as_bytes());
            key[16..].copy_from_slice(two.as_bytes());
        }
        Self(key)
    }
}

impl std::fmt::Debug for CursorKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("CursorKey(..)")
    }
}

/// The list that a cursor belongs to: table, order and filter.
pub(super) struct CursorScope([u8; 32]);

impl CursorScope {
    pub(super) fn new<'a>(
        table: &str,
        order: impl Iterator<Item = (&'a str, bool)>,
        filter: &[u8],
    ) -> Self {
        let mut hash = digest::Context::new(&SHA256);
        let mut part = |bytes: &[u8]| {
            // The length keeps two parts apart: "ab" and "c" differ from "a" and "bc".
            hash.update(&(bytes.len() as u64).to_be_bytes());
            hash.update(bytes);
        };
        part(table.as_bytes());
        for (column, descending) in order {
            part(column.as_bytes());
            part(if descending { b"desc" } else { b"asc" });
        }
        part(filter);
        Self(bytes(&hash.finish()))
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Direction {
    Forward,
    Backward,
}

#[derive(Debug, PartialEq)]
pub(super) struct Cursor {
    pub(super) direction: Direction,
    /// True if the page includes the row with these keys.
    pub(super) inclusive: bool,
    pub(super) keys: Vec<Value>,
    /// The keys of which the cursor holds only the beginning: index, and hash of the whole.
    pub(super) truncated: Vec<(usize, KeyHash)>,
}

pub(super) type KeyHash = [u8; 16];

impl Cursor {
    pub(super) fn encode(&self, key: &CursorKey, scope: &CursorScope) -> String {
        let mut bytes = vec![
            VERSION,
            u8::from(self.direction == Direction::Backward) | u8::from(self.inclusive) << 1,
        ];
        let limit = max_key_bytes(self.keys.len());
        for value in &self.keys {
            let (tag, content) = encode_value(value).unwrap_or_default();
            let (tag, content) = if content.len() > limit {
                let (hash, prefix) = (hash(value), prefix(value, limit - size_of::<KeyHash>()));
                (tag | TRUNCATED, [&hash[..], &prefix].concat())
            } else {
                (tag, content)
            };
            bytes.push(tag);
            bytes.extend_from_slice(
                &u16::try_from(content.len())
                    .unwrap_or_default()
                    .to_be_bytes(),
            );
            bytes.extend_from_slice(&content);
        }
        let mac = sign(key, scope, &bytes);
        bytes.extend_from_slice(&mac);
        URL_SAFE_NO_PAD.encode(bytes)
    }

    pub(super) fn decode(
        text: &str,
        key: &CursorKey,
        scope: &CursorScope,
        columns: usize,
    ) -> Option<Self> {
        if text.len() > MAX_CURSOR_BYTES {
            return None;
        }
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        let (body, mac) = bytes.split_at_checked(bytes.len().checked_sub(MAC_BYTES)?)?;
        if !bool::from(sign(key, scope, body).ct_eq(mac)) {
            return None;
        }
        let (&[version, flags], mut rest) = body.split_first_chunk::<2>()?;
        if version != VERSION || flags > 3 {
            return None;
        }
        let mut keys = Vec::with_capacity(columns);
        let mut truncated = Vec::new();
        while let Some((&[tag, high, low], after)) = rest.split_first_chunk::<KEY_HEADER_BYTES>() {
            let (mut content, after) =
                after.split_at_checked(usize::from(u16::from_be_bytes([high, low])))?;
            if tag & TRUNCATED != 0 {
                let (hash, prefix) = content.split_first_chunk()?;
                truncated.push((keys.len(), *hash));
                content = prefix;
            }
            keys.push(decode_value(tag & !TRUNCATED, content)?);
            rest = after;
        }
        let direction = if flags & 1 == 1 {
            Direction::Backward
        } else {
            Direction::Forward
        };
        (rest.is_empty() && keys.len() == columns).then_some(Self {
            direction,
            inclusive: flags & 2 == 2,
            keys,
            truncated,
        })
    }
}

fn sign(key: &CursorKey, scope: &CursorScope, body: &[u8]) -> [u8; MAC_BYTES] {
    let key = hmac::Key::new(hmac::HMAC_SHA256, &key.0);
    let mut hmac = hmac::Context::with_key(&key);
    hmac.update(b"doyen-cursor");
    hmac.update(&scope.0);
    hmac.update(body);
    bytes(&hmac.sign())
}

/// Returns the first `N` bytes of a digest, which is never shorter.
fn bytes<const N: usize>(digest: &impl AsRef<[u8]>) -> [u8; N] {
    let mut bytes = [0; N];
    bytes.copy_from_slice(&digest.as_ref()[..N]);
    bytes
}

pub(super) fn is_encodable(value: &Value) -> bool {
    encode_value(value).is_some()
}

/// Returns the maximum length of a key in a cursor with so many keys.
fn max_key_bytes(keys: usize) -> usize {
    let total = MAX_CURSOR_BYTES / 4 * 3 - FIXED_BYTES;
    let each = (total / keys.max(1)).saturating_sub(KEY_HEADER_BYTES);
    each.clamp(size_of::<KeyHash>(), MAX_KEY_BYTES)
}

/// Returns the hash that identifies a key of which a cursor holds only the beginning.
pub(super) fn hash(value: &Value) -> KeyHash {
    let content = encode_value(value).map(|(_, content)| content);
    bytes(&digest::digest(&SHA256, &content.unwrap_or_default()))
}

/// Returns the first bytes of a text or of bytes, at most so many. A character is not cut.
fn prefix(value: &Value, max: usize) -> Vec<u8> {
    let max = max.min(MAX_PREFIX_BYTES);
    match value {
        Value::String(Some(text)) => text.as_bytes()[..text.floor_char_boundary(max)].to_vec(),
        Value::Bytes(Some(bytes)) => bytes[..max.min(bytes.len())].to_vec(),
        _ => Vec::new(),
    }
}

/// Returns a type tag and the value, or `None` for NULL and types without a simple order.
fn encode_value(value: &Value) -> Option<(u8, Vec<u8>)> {
    let number = |tag, n: i64| Some((tag, n.to_be_bytes().to_vec()));
    let text = |tag, text: String| Some((tag, text.into_bytes()));
    // All nine digits, because SQLite keeps them: a rounded time would skip or repeat rows.
    let time = |tag, time: DateTime<Utc>| {
        Some((
            tag,
            [
                &time.timestamp().to_be_bytes()[..],
                &time.timestamp_subsec_nanos().to_be_bytes(),
            ]
            .concat(),
        ))
    };
    match value {
        Value::Bool(Some(v)) => Some((1, vec![u8::from(*v)])),
        Value::TinyInt(Some(v)) => number(2, i64::from(*v)),
        Value::SmallInt(Some(v)) => number(3, i64::from(*v)),
        Value::Int(Some(v)) => number(4, i64::from(*v)),
        Value::BigInt(Some(v)) => number(5, *v),
        Value::TinyUnsigned(Some(v)) => number(6, i64::from(*v)),
        Value::SmallUnsigned(Some(v)) => number(7, i64::from(*v)),
        Value::Unsigned(Some(v)) => number(8, i64::from(*v)),
        Value::String(Some(v)) => text(9, v.clone()),
        Value::Char(Some(v)) => text(10, v.to_string()),
        Value::Bytes(Some(v)) => Some((11, v.clone())),
        Value::Uuid(Some(v)) => Some((12, v.as_bytes().to_vec())),
        Value::Double(Some(v)) => Some((13, v.to_be_bytes().to_vec())),
        Value::ChronoDate(Some(v)) => text(14, v.to_string()),
        Value::ChronoTime(Some(v)) => text(15, v.to_string()),
        Value::ChronoDateTime(Some(v)) => time(16, v.and_utc()),
        Value::ChronoDateTimeUtc(Some(v)) => time(17, *v),
        Value::ChronoDateTimeWithTimeZone(Some(v)) => time(18, v.to_utc()),
        _ => None,
    }
}

fn decode_value(tag: u8, content: &[u8]) -> Option<Value> {
    let number = || Some(i64::from_be_bytes(content.try_into().ok()?));
    let text = || Some(std::str::from_utf8(content).ok()?.to_owned());
    let time = || {
        let (seconds, nanos) = content.split_first_chunk::<8>()?;
        DateTime::from_timestamp(
            i64::from_be_bytes(*seconds),
            u32::from_be_bytes(nanos.try_into().ok()?),
        )
    };
    Some(match tag {
        1 => Value::Bool(Some(content == [1])),
        2 => Value::TinyInt(Some(number()?.try_into().ok()?)),
        3 => Value::SmallInt(Some(number()?.try_into().ok()?)),
        4 => Value::Int(Some(number()?.try_into().ok()?)),
        5 => Value::BigInt(Some(number()?)),
        6 => Value::TinyUnsigned(Some(number()?.try_into().ok()?)),
        7 => Value::SmallUnsigned(Some(number()?.try_into().ok()?)),
        8 => Value::Unsigned(Some(number()?.try_into().ok()?)),
        9 => Value::String(Some(text()?)),
        10 => Value::Char(Some(text()?.parse().ok()?)),
        11 => Value::Bytes(Some(content.to_vec())),
        12 => Value::Uuid(Some(uuid::Uuid::from_slice(content).ok()?)),
        13 => Value::Double(Some(f64::from_be_bytes(content.try_into().ok()?))),
        14 => Value::ChronoDate(Some(text()?.parse::<NaiveDate>().ok()?)),
        15 => Value::ChronoTime(Some(text()?.parse::<NaiveTime>().ok()?)),
        16 => Value::ChronoDateTime(Some(time()?.naive_utc())),
        17 => Value::ChronoDateTimeUtc(Some(time()?)),
        18 => Value::ChronoDateTimeWithTimeZone(Some(time()?.fixed_offset())),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Cursor {
        let id = uuid::Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0001);
        Cursor {
            direction: Direction::Forward,
            inclusive: false,
            keys: vec![
                Value::ChronoDateTimeUtc(DateTime::from_timestamp_micros(-1)),
                id.into(),
            ],
            truncated: Vec::new(),
        }
    }

    fn scope(filter: &str) -> CursorScope {
        CursorScope::new(
            "tickets",
            [("created_at", true), ("id", true)].into_iter(),
            filter.as_bytes(),
        )
    }

    /// Clients keep cursors across releases; the expected value is computed independently.
    #[test]
    fn the_bytes_of_a_cursor_are_stable() {
        let cursor = Cursor {
            keys: vec![Value::BigInt(Some(7))],
            ..sample()
        };
        let written = cursor.encode(&CursorKey::derive(b"secret"), &scope("all"));
        assert_eq!(written, "AQAFAAgAAAAAAAAAB6FQMMiHpab_iv5Lzjxy4uQ");
    }

    #[test]
    fn written_and_read_again() {
        let key = CursorKey::random();
        for direction in [Direction::Forward, Direction::Backward] {
            for inclusive in [false, true] {
                let cursor = Cursor {
                    direction,
                    inclusive,
                    ..sample()
                };
                let text = cursor.encode(&key, &scope("a"));
                assert_eq!(Cursor::decode(&text, &key, &scope("a"), 2).unwrap(), cursor);
            }
        }
        for value in [
            Value::from(true),
            7_i32.into(),
            (-7_i64).into(),
            "é".into(),
            'x'.into(),
            1.5_f64.into(),
            vec![0_u8, 255].into(),
        ] {
            let cursor = Cursor {
                keys: vec![value],
                ..sample()
            };
            let text = cursor.encode(&key, &scope("a"));
            assert_eq!(Cursor::decode(&text, &key, &scope("a"), 1).unwrap(), cursor);
        }
    }

    #[test]
    fn times_keep_all_their_digits() {
        let key = CursorKey::random();
        for at in [
            DateTime::from_timestamp(-1, 999_999_999),
            DateTime::from_timestamp(1_795_000_000, 1),
            Some(DateTime::<Utc>::MIN_UTC),
        ] {
            let at = at.unwrap();
            for value in [
                Value::from(at),
                at.naive_utc().into(),
                at.fixed_offset().into(),
                at.date_naive().into(),
                at.time().into(),
            ] {
                let cursor = Cursor {
                    keys: vec![value],
                    ..sample()
                };
                let text = cursor.encode(&key, &scope("a"));
                assert_eq!(Cursor::decode(&text, &key, &scope("a"), 1).unwrap(), cursor);
            }
        }
    }

    #[test]
    fn the_text_of_a_cursor_is_stable() {
        let filter = serde_json::to_string(&(Some("open"), None::<&str>, 7)).unwrap();
        assert_eq!(filter, r#"["open",null,7]"#);
        let text = sample().encode(&CursorKey::new([7; 32]), &scope(&filter));
        assert_eq!(
            text,
            "AQARAAz__________zuaxhgMABABkAAAAABwAIAAAAAAAAABXr2u0YNmCvxVAptZUWX80g"
        );
    }

    #[test]
    fn each_changed_byte_is_refused() {
        let key = CursorKey::random();
        let text = sample().encode(&key, &scope("a"));
        let bytes = URL_SAFE_NO_PAD.decode(&text).unwrap();
        for at in 0..bytes.len() {
            for bit in 0..8 {
                let mut changed = bytes.clone();
                changed[at] ^= 1 << bit;
                assert!(
                    Cursor::decode(&URL_SAFE_NO_PAD.encode(&changed), &key, &scope("a"), 2)
                        .is_none(),
                    "byte {at}, bit {bit}"
                );
            }
        }
        for end in 0..text.len() {
            assert!(Cursor::decode(&text[..end], &key, &scope("a"), 2).is_none());
        }
        for other in [
            "",
            "=",
            "a",
            "%%%",
            &format!("{text}A"),
            &format!("{text}="),
            &"A".repeat(100_000),
        ] {
            assert!(Cursor::decode(other, &key, &scope("a"), 2).is_none());
        }
    }

    #[test]
    fn a_cursor_of_another_list_key_or_version_is_refused() {
        let key = CursorKey::new([1; 32]);
        let text = sample().encode(&key, &scope("a"));
        assert!(Cursor::decode(&text, &key, &scope("a"), 2).is_some());
        assert!(Cursor::decode(&text, &key, &scope("b"), 2).is_none());
        assert!(Cursor::decode(&text, &key, &scope("a"), 1).is_none());
        assert!(Cursor::decode(&text, &CursorKey::new([2; 32]), &scope("a"), 2).is_none());
        let ascending = CursorScope::new(
            "tickets",
            [("created_at", false), ("id", true)].into_iter(),
            b"a",
        );
        assert!(Cursor::decode(&text, &key, &ascending, 2).is_none());
        // Correctly signed, but with another version.
        let mut old = URL_SAFE_NO_PAD.decode(&text).unwrap();
        old.truncate(old.len() - MAC_BYTES);
        old[0] = 0;
        let mac = sign(&key, &scope("a"), &old);
        old.extend_from_slice(&mac);
        assert!(Cursor::decode(&URL_SAFE_NO_PAD.encode(old), &key, &scope("a"), 2).is_none());
    }

    #[test]
    fn null_has_no_place() {
        assert!(!is_encodable(&Value::String(None)));
        assert!(is_encodable(&Value::from("x")));
    }

    #[test]
    fn a_cursor_is_never_longer_than_documented() {
        let key = CursorKey::random();
        for columns in 1..=20 {
            for length in [0, 10, 247, 256, 257, 1_000, 100_000] {
                for value in [
                    Value::from("ü".repeat(length / 2)),
                    Value::from(vec![7_u8; length]),
                ] {
                    let cursor = Cursor {
                        keys: vec![value.clone(); columns],
                        ..sample()
                    };
                    let text = cursor.encode(&key, &scope("a"));
                    assert!(text.len() <= MAX_CURSOR_BYTES, "{columns}, {length}");
                    let read = Cursor::decode(&text, &key, &scope("a"), columns).unwrap();
                    if read.truncated.is_empty() {
                        assert_eq!(read, cursor);
                    } else {
                        assert_eq!(read.truncated.len(), columns);
                        assert_eq!(read.truncated[0], (0, hash(&value)));
                    }
                }
            }
        }
    }
}
