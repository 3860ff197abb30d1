//! The id of a request.

use std::fmt;

use super::random::{ascii, hex, random};

/// The id of a request: in every response, problem and log line that belongs to it. Can be
/// injected.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct RequestId {
    bytes: [u8; 64],
    len: u8,
}

impl RequestId {
    /// Creates a new id: 32 hexadecimal characters.
    pub fn new() -> Self {
        let mut bytes = [0; 64];
        hex(&random::<16>(), &mut bytes);
        Self { bytes, len: 32 }
    }

    /// Returns the id of a client, if it is 1 to 64 characters of `A-Z a-z 0-9 . _ -`.
    pub fn accept(text: &str) -> Option<Self> {
        let allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-');
        let mut bytes = [0; 64];
        let len = u8::try_from(text.len()).ok().filter(|len| *len > 0)?;
        bytes
            .get_mut(..text.len())?
            .copy_from_slice(text.as_bytes());
        text.bytes().all(allowed).then_some(Self { bytes, len })
    }

    /// Returns the id of a client if it is valid, otherwise a new one.
    pub fn accept_or_new(text: Option<&str>) -> Self {
        text.and_then(Self::accept).unwrap_or_default()
    }

    /// Returns it as text.
    pub fn as_str(&self) -> &str {
        ascii(&self.bytes[..usize::from(self.len)])
    }
}

impl Default for RequestId {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn only_plain_request_ids_are_taken_over() {
        for good in ["a", "A-1_b.c", &"x".repeat(64)] {
            assert_eq!(RequestId::accept_or_new(Some(good)).as_str(), good);
        }
        for bad in [
            "",
            "a b",
            "a\n",
            "é",
            "a/b",
            "{}",
            &"x".repeat(65),
            &"x".repeat(300),
        ] {
            assert_eq!(RequestId::accept(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn new_ids_do_not_repeat() {
        let ids: HashSet<RequestId> = (0..10_000).map(|_| RequestId::new()).collect();
        assert_eq!(ids.len(), 10_000);
    }
}
