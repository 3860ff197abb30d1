//! Signed links: a text that lets its holder read one file until a time.
//!
//! `<file id>.<seconds since 1970>.<HMAC-SHA-256 of both>`, each part without characters that a URL
//! would have to encode.

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use doyen_core::Timestamp;

use crate::stored::FileId;

/// The key that signs links.
pub(crate) struct LinkKey(hmac::Key);

impl LinkKey {
    pub(crate) fn new(key: &[u8; 32]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, key))
    }

    /// Returns the text for a file.
    pub(crate) fn sign(&self, id: FileId, until: Timestamp) -> String {
        let signed = format!("{id}.{}", until.micros().div_euclid(1_000_000));
        let tag = hmac::sign(&self.0, signed.as_bytes());
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(tag))
    }

    /// Returns the file of a text that is genuine and has not expired.
    pub(crate) fn verify(&self, text: &str, now: Timestamp) -> Option<FileId> {
        let (signed, tag) = text.rsplit_once('.')?;
        let tag = URL_SAFE_NO_PAD.decode(tag).ok()?;
        hmac::verify(&self.0, signed.as_bytes(), &tag).ok()?;
        let (id, until) = signed.split_once('.')?;
        let until: i64 = until.parse().ok()?;
        let is_valid = now.micros() < until.checked_mul(1_000_000)?;
        is_valid.then(|| id.parse().ok())?
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_is_for_one_file_until_a_time() {
        let key = LinkKey::new(&[1; 32]);
        let at = |seconds: i64| Timestamp::from_micros(seconds * 1_000_000);
        let id = FileId::new();
        let link = key.sign(id, at(100));
        assert_eq!(key.verify(&link, at(99)), Some(id));
        assert_eq!(key.verify(&link, at(100)), None);
        assert_eq!(LinkKey::new(&[2; 32]).verify(&link, at(99)), None);
        assert_eq!(key.verify(&link.replace(".100.", ".900."), at(99)), None);
        let other = FileId::new().to_string();
        assert_eq!(
            key.verify(&link.replace(&id.to_string(), &other), at(99)),
            None
        );
        for text in ["", ".", "..", "a.b.c", &link[..link.len() - 1]] {
            assert_eq!(key.verify(text, at(99)), None, "{text}");
        }
    }
}
