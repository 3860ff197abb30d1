//! One login on its way: what binds it to the browser that began it.
//!
//! The cookie holds random bytes and a time, signed. State, nonce and PKCE verifier are made from them with a key that never leaves the
//! service: so nothing is stored for logins that are never finished, and who sees the cookie or the address knows neither of the others.

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use doyen_core::{Timestamp, Unexpected};

/// How long somebody may take at the provider, in seconds.
pub(super) const PATIENCE: i64 = 600;
const NAME: &str = "__Host-openid";

/// What takes the cookie away again.
pub(super) const REMOVED: &str =
    "__Host-openid=; Path=/; Max-Age=0; Secure; HttpOnly; SameSite=Lax";

/// Makes and reads trips.
pub(super) struct Desk(hmac::Key);

/// One login: random bytes and when it began.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Trip([u8; 40]);

impl Desk {
    pub(super) fn new(key: &[u8; 32]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, key))
    }

    pub(super) fn begin(&self, now: Timestamp) -> Result<Trip, Unexpected> {
        let mut bytes = [0; 40];
        getrandom::fill(&mut bytes[..32])
            .map_err(|_| Unexpected::new("the system gives no random bytes"))?;
        bytes[32..].copy_from_slice(&now.unix().to_be_bytes());
        Ok(Trip(bytes))
    }

    /// The value for `Set-Cookie`. `Lax`, since the provider sends the browser back from another site.
    pub(super) fn cookie(&self, trip: &Trip) -> String {
        let mut whole = trip.0.to_vec();
        whole.extend(self.tag("cookie", trip).as_ref());
        let value = URL_SAFE_NO_PAD.encode(whole);
        format!("{NAME}={value}; Path=/; Max-Age={PATIENCE}; Secure; HttpOnly; SameSite=Lax")
    }

    /// The trip in a `Cookie` field, unless it is forged or too old.
    pub(super) fn read(&self, field: &str, now: Timestamp) -> Option<Trip> {
        let mut pairs = field
            .split(';')
            .filter_map(|pair| pair.trim().split_once('='));
        let (_, value) = pairs.find(|(name, _)| *name == NAME)?;
        let whole: [u8; 72] = URL_SAFE_NO_PAD.decode(value).ok()?.try_into().ok()?;
        let trip = Trip(whole[..40].try_into().ok()?);
        hmac::verify(&self.0, &message("cookie", &trip), &whole[40..]).ok()?;
        let begun = i64::from_be_bytes(trip.0[32..].try_into().ok()?);
        (0..PATIENCE)
            .contains(&(now.unix() - begun))
            .then_some(trip)
    }

    pub(super) fn state(&self, trip: &Trip) -> String {
        self.text("state", trip)
    }

    pub(super) fn nonce(&self, trip: &Trip) -> String {
        self.text("nonce", trip)
    }

    /// The PKCE verifier (RFC 7636): 43 characters.
    pub(super) fn verifier(&self, trip: &Trip) -> String {
        self.text("verifier", trip)
    }

    /// Its challenge, by S256.
    pub(super) fn challenge(&self, trip: &Trip) -> String {
        URL_SAFE_NO_PAD.encode(digest(&SHA256, self.verifier(trip).as_bytes()))
    }

    /// What is kept of a trip that came to its end.
    pub(super) fn mark(&self, trip: &Trip) -> Vec<u8> {
        self.tag("mark", trip).as_ref().to_vec()
    }

    fn text(&self, label: &str, trip: &Trip) -> String {
        URL_SAFE_NO_PAD.encode(self.tag(label, trip))
    }

    fn tag(&self, label: &str, trip: &Trip) -> hmac::Tag {
        hmac::sign(&self.0, &message(label, trip))
    }
}

fn message(label: &str, trip: &Trip) -> Vec<u8> {
    [label.as_bytes(), b"\0", &trip.0].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_micros((1_795_336_200 + seconds) * 1_000_000)
    }

    #[test]
    fn o10_a_cookie_is_good_for_ten_minutes_and_here_alone() {
        let desk = Desk::new(&[7; 32]);
        let trip = desk.begin(at(0)).unwrap();
        let cookie = desk.cookie(&trip);
        let field = cookie.split(';').next().unwrap();
        assert!(desk.read(field, at(599)) == Some(trip));
        assert!(desk.read(&format!("a=b; {field}; c=d"), at(1)) == Some(trip));
        assert!(desk.read(field, at(600)).is_none());
        assert!(desk.read(field, at(-1)).is_none());
        assert!(Desk::new(&[8; 32]).read(field, at(1)).is_none());
        for at_byte in NAME.len() + 1..field.len() {
            let mut forged = field.as_bytes().to_vec();
            forged[at_byte] = if forged[at_byte] == b'A' { b'B' } else { b'A' };
            let forged = String::from_utf8(forged).unwrap();
            assert!(desk.read(&forged, at(1)) != Some(trip), "{forged}");
        }
    }

    #[test]
    fn none_of_its_secrets_is_another() {
        let desk = Desk::new(&[7; 32]);
        let trip = desk.begin(at(0)).unwrap();
        let all = [desk.state(&trip), desk.nonce(&trip), desk.verifier(&trip)];
        assert!(
            all.iter()
                .all(|one| one.len() == 43 && !desk.cookie(&trip).contains(one.as_str()))
        );
        assert!(all[0] != all[1] && all[1] != all[2] && all[0] != all[2]);
    }
}
