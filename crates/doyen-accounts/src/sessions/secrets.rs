//! The secrets of a session: refresh tokens, cookies and CSRF tokens.
//!
//! No secret is stored. A secret is derived from the id of the session, a counter, the salt of its
//! row and a key from the seed. So the successor of a refresh token can be returned again to a
//! client that lost the response, although only its hash is stored. An old token can be
//! distinguished from a forged one for the same session.

use aws_lc_rs::{constant_time, digest, hmac};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use doyen_core::Unexpected;
use uuid::Uuid;

use super::SessionId;
use crate::account_keys::AccountKeys;

/// Prefix of refresh tokens, for secret scanners.
const REFRESH_PREFIX: &str = "rt_";
const ID_BYTES: usize = 16;
const COUNTER_BYTES: usize = 4;
const SECRET_BYTES: usize = 32;

/// A secret of 256 bits.
pub(crate) type Secret = [u8; SECRET_BYTES];

/// The keys from which secrets are derived.
pub(crate) struct Keys {
    session: hmac::Key,
    csrf: hmac::Key,
}

impl Keys {
    pub(crate) fn new(keys: &AccountKeys) -> Self {
        let key = |key| hmac::Key::new(hmac::HMAC_SHA256, key);
        Self {
            session: key(&keys.session),
            csrf: key(&keys.csrf),
        }
    }

    /// Derives the secret of this counter.
    pub(crate) fn secret(&self, id: SessionId, counter: i64, salt: &[u8; 32]) -> Secret {
        let mut signing = hmac::Context::with_key(&self.session);
        signing.update(id.uuid().as_bytes());
        signing.update(&counter.to_be_bytes());
        signing.update(salt);
        array(signing.sign().as_ref())
    }

    /// Returns the CSRF token of a session.
    pub(crate) fn csrf(&self, session: &str) -> String {
        URL_SAFE_NO_PAD.encode(hmac::sign(&self.csrf, session.as_bytes()))
    }

    /// Compares in constant time.
    pub(crate) fn is_csrf(&self, session: &str, given: &str) -> bool {
        same(self.csrf(session).as_bytes(), given.as_bytes())
    }
}

/// A well-formed refresh token that is not verified yet.
#[derive(Clone, Copy)]
pub(crate) struct Presented {
    pub(crate) id: SessionId,
    pub(crate) counter: i64,
    pub(crate) secret: Secret,
}

impl Presented {
    /// Parses a refresh token. Returns `None` if it is malformed.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD
            .decode(text.strip_prefix(REFRESH_PREFIX)?)
            .ok()?;
        if bytes.len() != ID_BYTES + COUNTER_BYTES + SECRET_BYTES {
            return None;
        }
        let (id, rest) = bytes.split_at(ID_BYTES);
        let (counter, secret) = rest.split_at(COUNTER_BYTES);
        Some(Self {
            id: SessionId::from_uuid(Uuid::from_slice(id).ok()?),
            counter: i64::from(u32::from_be_bytes(counter.try_into().ok()?)),
            secret: array(secret),
        })
    }
}

/// Returns the text of a refresh token, or `None` after four thousand million rotations.
pub(crate) fn refresh_token(id: SessionId, counter: i64, secret: &Secret) -> Option<String> {
    let counter = u32::try_from(counter).ok()?.to_be_bytes();
    let bytes = [&id.uuid().as_bytes()[..], &counter, secret].concat();
    Some(format!("{REFRESH_PREFIX}{}", URL_SAFE_NO_PAD.encode(bytes)))
}

/// Returns the value of a session cookie.
pub(crate) fn cookie_value(id: SessionId, secret: &Secret) -> String {
    URL_SAFE_NO_PAD.encode([&id.uuid().as_bytes()[..], secret].concat())
}

/// Parses the value of a session cookie.
pub(crate) fn parse_cookie(value: &str) -> Option<(SessionId, Secret)> {
    let bytes = URL_SAFE_NO_PAD.decode(value).ok()?;
    if bytes.len() != ID_BYTES + SECRET_BYTES {
        return None;
    }
    let (id, secret) = bytes.split_at(ID_BYTES);
    Some((
        SessionId::from_uuid(Uuid::from_slice(id).ok()?),
        array(secret),
    ))
}

/// Returns 256 random bits.
pub(crate) fn hash(secret: &Secret) -> [u8; 32] {
    array(digest::digest(&digest::SHA256, secret).as_ref())
}

/// Compares without telling by the time it takes how much fits.
pub(crate) fn same(a: &[u8], b: &[u8]) -> bool {
    constant_time::verify_slices_are_equal(a, b).is_ok()
}

/// 256 random bits.
pub(crate) fn random() -> Result<[u8; 32], Unexpected> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes)?;
    Ok(bytes)
}

/// Converts 32 bytes to an array.
fn array(bytes: &[u8]) -> [u8; 32] {
    let mut out = [0; 32];
    out.copy_from_slice(bytes);
    out
}

#[cfg(test)]
mod tests {
    use doyen_secret::Seed;

    use super::*;

    fn of(seed: &Seed) -> Keys {
        Keys::new(&AccountKeys::with(|purpose| seed.derive(purpose)))
    }

    fn keys() -> Keys {
        of(&Seed::parse("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A").unwrap())
    }

    #[test]
    fn a_refresh_token_and_back() {
        let id = SessionId::new();
        let secret = keys().secret(id, 7, &[1; 32]);
        let text = refresh_token(id, 7, &secret).unwrap();
        let back = Presented::parse(&text).unwrap();
        assert_eq!((back.id, back.counter, back.secret), (id, 7, secret));
        assert!(text.len() < 100);
    }

    #[test]
    fn every_part_makes_another_secret() {
        let id = SessionId::new();
        let one = keys().secret(id, 7, &[1; 32]);
        assert_eq!(one, keys().secret(id, 7, &[1; 32]));
        assert_ne!(one, keys().secret(SessionId::new(), 7, &[1; 32]));
        assert_ne!(one, keys().secret(id, 8, &[1; 32]));
        assert_ne!(one, keys().secret(id, 7, &[2; 32]));
        let other = of(&Seed::generate().unwrap());
        assert_ne!(one, other.secret(id, 7, &[1; 32]));
    }

    #[test]
    fn a_malformed_token_is_not_parsed() {
        let id = SessionId::new();
        let good = refresh_token(id, 0, &[1; 32]).unwrap();
        let cookie = cookie_value(id, &[1; 32]);
        for text in [
            "",
            "rt_",
            "rt_AAAA",
            "eyJhbGciOiJFZERTQSJ9.e30.AA",
            &good[3..],
            &format!("{good}A"),
            &format!("{good}="),
            &cookie,
            &format!("rt_{cookie}"),
        ] {
            assert!(Presented::parse(text).is_none(), "{text}");
        }
        assert!(parse_cookie(&good).is_none());
        assert!(parse_cookie(&good[3..]).is_none());
        assert_eq!(parse_cookie(&cookie), Some((id, [1; 32])));
    }

    #[test]
    fn a_csrf_token_is_for_one_session() {
        let keys = keys();
        assert!(keys.is_csrf("ses_1", &keys.csrf("ses_1")));
        assert!(!keys.is_csrf("ses_1", &keys.csrf("ses_2")));
        assert!(!keys.is_csrf("ses_1", ""));
    }
}
