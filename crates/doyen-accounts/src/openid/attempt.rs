//! A login attempt, and what binds it to the browser that started it.
//!
//! The cookie holds random bytes and a time, signed. State, nonce and PKCE verifier are derived
//! from them with a secret key. So nothing is stored for unfinished logins, and neither the cookie
//! nor the URL reveals the other values.

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use doyen_core::{Timestamp, Unexpected};

/// Maximum duration of an attempt at the provider, in seconds.
pub(super) const MAX_SECONDS: i64 = 600;
const COOKIE_NAME: &str = "__Host-openid";

/// `Set-Cookie` value that removes the cookie.
pub(super) const REMOVE_COOKIE: &str =
    "__Host-openid=; Path=/; Max-Age=0; Secure; HttpOnly; SameSite=Lax";

/// Creates and verifies login attempts.
pub(super) struct StateSigner(hmac::Key);

/// A login attempt: random bytes and its start time.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct LoginAttempt([u8; 40]);

impl StateSigner {
    pub(super) fn new(key: &[u8; 32]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, key))
    }

    pub(super) fn begin(&self, now: Timestamp) -> Result<LoginAttempt, Unexpected> {
        let mut bytes = [0; 40];
        getrandom::fill(&mut bytes[..32])
            .map_err(|_| Unexpected::new("the system gives no random bytes"))?;
        bytes[32..].copy_from_slice(&now.unix().to_be_bytes());
        Ok(LoginAttempt(bytes))
    }

    /// Returns the value for `Set-Cookie`. `Lax`, because the provider redirects from another site.
    pub(super) fn cookie(&self, attempt: &LoginAttempt) -> String {
        let mut whole = attempt.0.to_vec();
        whole.extend(self.tag("cookie", attempt).as_ref());
        let value = URL_SAFE_NO_PAD.encode(whole);
        format!(
            "{COOKIE_NAME}={value}; Path=/; Max-Age={MAX_SECONDS}; Secure; HttpOnly; SameSite=Lax"
        )
    }

    /// Returns the attempt in a `Cookie` header, unless it is forged or has expired.
    pub(super) fn read(&self, field: &str, now: Timestamp) -> Option<LoginAttempt> {
        let mut pairs = field
            .split(';')
            .filter_map(|pair| pair.trim().split_once('='));
        let (_, value) = pairs.find(|(name, _)| *name == COOKIE_NAME)?;
        let whole: [u8; 72] = URL_SAFE_NO_PAD.decode(value).ok()?.try_into().ok()?;
        let attempt = LoginAttempt(whole[..40].try_into().ok()?);
        hmac::verify(&self.0, &message("cookie", &attempt), &whole[40..]).ok()?;
        let started = i64::from_be_bytes(attempt.0[32..].try_into().ok()?);
        (0..MAX_SECONDS)
            .contains(&(now.unix() - started))
            .then_some(attempt)
    }

    pub(super) fn state(&self, attempt: &LoginAttempt) -> String {
        self.text("state", attempt)
    }

    pub(super) fn nonce(&self, attempt: &LoginAttempt) -> String {
        self.text("nonce", attempt)
    }

    /// Returns the PKCE verifier (RFC 7636): 43 characters.
    pub(super) fn verifier(&self, attempt: &LoginAttempt) -> String {
        self.text("verifier", attempt)
    }

    /// Returns the PKCE challenge (S256).
    pub(super) fn challenge(&self, attempt: &LoginAttempt) -> String {
        URL_SAFE_NO_PAD.encode(digest(&SHA256, self.verifier(attempt).as_bytes()))
    }

    /// Returns the fingerprint that is stored when the attempt is completed.
    pub(super) fn fingerprint(&self, attempt: &LoginAttempt) -> Vec<u8> {
        self.tag("mark", attempt).as_ref().to_vec()
    }

    fn text(&self, label: &str, attempt: &LoginAttempt) -> String {
        URL_SAFE_NO_PAD.encode(self.tag(label, attempt))
    }

    fn tag(&self, label: &str, attempt: &LoginAttempt) -> hmac::Tag {
        hmac::sign(&self.0, &message(label, attempt))
    }
}

fn message(label: &str, attempt: &LoginAttempt) -> Vec<u8> {
    [label.as_bytes(), b"\0", &attempt.0].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_micros((1_795_336_200 + seconds) * 1_000_000)
    }

    #[test]
    fn o10_a_cookie_is_valid_for_ten_minutes_and_for_this_service() {
        let signer = StateSigner::new(&[7; 32]);
        let attempt = signer.begin(at(0)).unwrap();
        let cookie = signer.cookie(&attempt);
        let field = cookie.split(';').next().unwrap();
        assert!(signer.read(field, at(599)) == Some(attempt));
        assert!(signer.read(&format!("a=b; {field}; c=d"), at(1)) == Some(attempt));
        assert!(signer.read(field, at(600)).is_none());
        assert!(signer.read(field, at(-1)).is_none());
        assert!(StateSigner::new(&[8; 32]).read(field, at(1)).is_none());
        for at_byte in COOKIE_NAME.len() + 1..field.len() {
            let mut forged = field.as_bytes().to_vec();
            forged[at_byte] = if forged[at_byte] == b'A' { b'B' } else { b'A' };
            let forged = String::from_utf8(forged).unwrap();
            assert!(signer.read(&forged, at(1)) != Some(attempt), "{forged}");
        }
    }

    #[test]
    fn all_secrets_of_an_attempt_differ() {
        let signer = StateSigner::new(&[7; 32]);
        let attempt = signer.begin(at(0)).unwrap();
        let all = [
            signer.state(&attempt),
            signer.nonce(&attempt),
            signer.verifier(&attempt),
        ];
        assert!(
            all.iter()
                .all(|one| one.len() == 43 && !signer.cookie(&attempt).contains(one.as_str()))
        );
        assert!(all[0] != all[1] && all[1] != all[2] && all[0] != all[2]);
    }
}
