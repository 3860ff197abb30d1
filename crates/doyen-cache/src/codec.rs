//! The form of a value in Redis.
//!
//! A byte for the version of the form, a byte for the kind, the length of the key, the key, and the
//! value. The key is compared when the value is read, so that not even two keys with the same hash
//! share a value.

use bytes::Bytes;
use doyen_core::cache::CacheKey;

/// The version of the form. A value of another version is a miss.
const VERSION: u8 = 1;
const VALUE: u8 = b'v';
const ABSENCE: u8 = b'a';

pub(crate) fn encode(key: &CacheKey, value: Option<&[u8]>) -> Vec<u8> {
    let name = key.as_str().as_bytes();
    let bytes = value.unwrap_or_default();
    let mut out = Vec::with_capacity(6 + name.len() + bytes.len());
    out.push(VERSION);
    out.push(if value.is_some() { VALUE } else { ABSENCE });
    out.extend(u32::try_from(name.len()).unwrap_or(u32::MAX).to_be_bytes());
    out.extend(name);
    out.extend(bytes);
    out
}

/// Returns the value, or `None` if the bytes are not a value of this key.
pub(crate) fn decode(key: &CacheKey, bytes: &Bytes) -> Option<Option<Bytes>> {
    let (&[version, kind, a, b, c, d], rest) = bytes.split_first_chunk::<6>()?;
    let length = usize::try_from(u32::from_be_bytes([a, b, c, d])).ok()?;
    let (name, _) = rest.split_at_checked(length)?;
    if version != VERSION || name != key.as_str().as_bytes() {
        return None;
    }
    match kind {
        VALUE => Some(Some(bytes.slice(6 + length..))),
        ABSENCE => Some(None),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use doyen_core::cache::{Cache, CachePolicy, CacheStore};
    use doyen_core::{SystemClock, secs};

    use super::*;

    #[test]
    fn only_the_value_of_the_key_is_decoded() {
        let (one, other) = (key("1"), key("2"));
        for value in [Some(&b"abc"[..]), Some(b""), None] {
            let bytes = Bytes::from(encode(&one, value));
            let found = decode(&one, &bytes);
            assert_eq!(found, Some(value.map(Bytes::copy_from_slice)));
            assert_eq!(decode(&other, &bytes), None);
            let mut newer = bytes.to_vec();
            newer[0] += 1;
            assert_eq!(decode(&one, &newer.into()), None);
            for cut in 0..6 + one.as_str().len() {
                assert_eq!(decode(&one, &bytes.slice(..cut)), None, "{cut}");
            }
        }
    }

    fn key(id: &str) -> CacheKey {
        let engine = crate::Engine::new(
            crate::CacheSettings::default(),
            std::sync::Arc::new(SystemClock),
        );
        let store: std::sync::Arc<dyn CacheStore> = std::sync::Arc::new(engine);
        let entry = Cache::new(store)
            .shared()
            .entry(&CachePolicy::new("a", secs(1)), id);
        entry.key().clone()
    }
}
