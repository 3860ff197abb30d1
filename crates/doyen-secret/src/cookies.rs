//! Cookies that clients cannot change, or cannot read.

use std::fmt;

use aws_lc_rs::aead::{AES_256_GCM, Aad, Nonce, RandomizedNonceKey};
use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::KeyDeriver;

/// Signs and encrypts the values of cookies. All nodes with one root secret have the same keys.
///
/// A value is bound to the name of its cookie. It does not expire by itself, and an older value is
/// as valid as the newest one: put a time into it where that matters, and nothing that must be
/// revoked.
///
/// ```
/// use doyen_secret::{CookieKeys, Seed};
///
/// let keys = CookieKeys::new(&Seed::generate()?.deriver("cookies"));
/// let text = keys.sign("cart", "3 apples");
/// assert_eq!(keys.verify("cart", &text).as_deref(), Some("3 apples"));
/// assert_eq!(keys.verify("other", &text), None);
/// # Ok::<(), doyen_secret::BadSeed>(())
/// ```
pub struct CookieKeys {
    sign: hmac::Key,
    seal: Option<RandomizedNonceKey>,
}

/// Length of a nonce.
const NONCE: usize = 12;

impl CookieKeys {
    /// Creates the keys.
    pub fn new(keys: &KeyDeriver) -> Self {
        Self {
            sign: hmac::Key::new(hmac::HMAC_SHA256, &keys.derive("sign/1")),
            // The length of the key fits, so that this never fails.
            seal: RandomizedNonceKey::new(&AES_256_GCM, &keys.derive("seal/1")).ok(),
        }
    }

    /// Signs a value: clients can read it, and a change is noticed.
    pub fn sign(&self, cookie: &str, value: &str) -> String {
        let tag = hmac::sign(&self.sign, &bound(cookie, value));
        let encode = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        format!("{}.{}", encode(value.as_bytes()), encode(tag.as_ref()))
    }

    /// Returns the signed value, or `None` if it was not signed for this cookie.
    pub fn verify(&self, cookie: &str, text: &str) -> Option<String> {
        let (value, tag) = text.split_once('.')?;
        let value = String::from_utf8(URL_SAFE_NO_PAD.decode(value).ok()?).ok()?;
        let tag = URL_SAFE_NO_PAD.decode(tag).ok()?;
        hmac::verify(&self.sign, &bound(cookie, &value), &tag).ok()?;
        Some(value)
    }

    /// Encrypts a value: clients can neither read nor change it. Its length shows.
    ///
    /// Returns `None` if the system has no random bytes.
    pub fn seal(&self, cookie: &str, value: &str) -> Option<String> {
        let mut bytes = value.as_bytes().to_vec();
        let aad = Aad::from(cookie.as_bytes());
        let nonce = self
            .seal
            .as_ref()?
            .seal_in_place_append_tag(aad, &mut bytes)
            .ok()?;
        let mut sealed = nonce.as_ref().to_vec();
        sealed.extend(bytes);
        Some(URL_SAFE_NO_PAD.encode(sealed))
    }

    /// Returns the encrypted value, or `None` if it was not encrypted for this cookie.
    pub fn open(&self, cookie: &str, text: &str) -> Option<String> {
        let sealed = URL_SAFE_NO_PAD.decode(text).ok()?;
        let (nonce, bytes) = sealed.split_at_checked(NONCE)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let mut bytes = bytes.to_vec();
        let aad = Aad::from(cookie.as_bytes());
        let value = self
            .seal
            .as_ref()?
            .open_in_place(nonce, aad, &mut bytes)
            .ok()?;
        String::from_utf8(value.to_vec()).ok()
    }
}

/// The name has no NUL, so that two pairs never have the same bytes.
fn bound(cookie: &str, value: &str) -> Vec<u8> {
    [cookie.as_bytes(), b"\0", value.as_bytes()].concat()
}

impl fmt::Debug for CookieKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CookieKeys").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Seed;

    fn keys() -> CookieKeys {
        CookieKeys::new(&Seed::generate().unwrap().deriver("cookies"))
    }

    #[test]
    fn a_changed_or_foreign_value_is_refused() {
        let (keys, others) = (keys(), keys());
        let sealed = keys.seal("cart", "3 apples").unwrap();
        assert_eq!(keys.open("cart", &sealed).as_deref(), Some("3 apples"));
        assert_ne!(keys.seal("cart", "3 apples").unwrap(), sealed);
        let signed = keys.sign("cart", "3 apples");
        for text in ["", ".", "a.b", &sealed[1..], &signed[1..], "AAAA"] {
            assert_eq!(keys.open("cart", text), None, "{text}");
            assert_eq!(keys.verify("cart", text), None, "{text}");
        }
        assert_eq!(keys.open("other", &sealed), None);
        assert_eq!(others.open("cart", &sealed), None);
        assert_eq!(others.verify("cart", &signed), None);
        // Each single bit counts.
        let bytes = URL_SAFE_NO_PAD.decode(&sealed).unwrap();
        for bit in 0..bytes.len() * 8 {
            let mut changed = bytes.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(keys.open("cart", &URL_SAFE_NO_PAD.encode(changed)), None);
        }
    }
}
