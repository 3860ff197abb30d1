//! Signing and verifying.

use std::fmt;
use std::time::Duration;

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use doyen_core::Timestamp;

use crate::WebhookSecret;

/// Header with the id of the message, the same for every delivery of it.
pub const ID_HEADER: &str = "webhook-id";
/// Header with the time of the delivery, in seconds since 1970.
pub const TIMESTAMP_HEADER: &str = "webhook-timestamp";
/// Header with the signatures, separated by spaces.
pub const SIGNATURE_HEADER: &str = "webhook-signature";

/// Maximum difference between the time of a message and that of the receiver.
pub const TOLERANCE: Duration = Duration::from_secs(5 * 60);

/// Version of the signatures: HMAC-SHA256.
const VERSION: &str = "v1,";
/// Maximum number of signatures that are compared.
const MAX_SIGNATURES: usize = 16;
/// Maximum length of an id.
const MAX_ID_BYTES: usize = 255;

/// The headers of a message: its names and values. Each live secret signs, so that a receiver can
/// change to the next secret at any time.
pub fn sign(
    secrets: &[&WebhookSecret],
    id: &str,
    at: Timestamp,
    body: &[u8],
) -> [(&'static str, String); 3] {
    let seconds = at.unix().to_string();
    let signatures: Vec<String> = secrets
        .iter()
        .map(|secret| {
            let mut context = hmac::Context::with_key(&secret.key());
            for part in signed(id, &seconds, body) {
                context.update(part);
            }
            format!("{VERSION}{}", STANDARD.encode(context.sign()))
        })
        .collect();
    [
        (ID_HEADER, id.to_owned()),
        (TIMESTAMP_HEADER, seconds),
        (SIGNATURE_HEADER, signatures.join(" ")),
    ]
}

/// What is signed: `id.time.body`.
fn signed<'a>(id: &'a str, seconds: &'a str, body: &'a [u8]) -> [&'a [u8]; 5] {
    [id.as_bytes(), b".", seconds.as_bytes(), b".", body]
}

/// A message whose signature is valid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Id of the message. A repeated delivery has the same one.
    pub id: String,
    /// Time of the delivery.
    pub at: Timestamp,
}

/// Verifies a message with the secrets of its sender: one of them must have signed. `header`
/// returns the value of a header.
///
/// # Errors
///
/// Returns the reason, for the log. Do not show it to the sender.
pub fn verify<'a>(
    secrets: &[WebhookSecret],
    header: impl Fn(&str) -> Option<&'a str>,
    body: &[u8],
    now: Timestamp,
) -> Result<Message, BadSignature> {
    let get = |name| header(name).ok_or(BadSignature::Missing);
    let (id, seconds, signatures) = (
        get(ID_HEADER)?,
        get(TIMESTAMP_HEADER)?,
        get(SIGNATURE_HEADER)?,
    );
    if id.is_empty() || id.len() > MAX_ID_BYTES {
        return Err(BadSignature::Missing);
    }
    let at = seconds.parse::<i64>().ok().and_then(|seconds| {
        // The text is signed: `+1` or `01` would be another text for the same time.
        let same = seconds.to_string() == *header(TIMESTAMP_HEADER)?;
        same.then_some(Timestamp::from_micros(seconds.checked_mul(1_000_000)?))
    });
    let at = at.ok_or(BadSignature::Time)?;
    if now.since(at).max(at.since(now)) > TOLERANCE {
        return Err(BadSignature::Time);
    }
    let text = signed(id, seconds, body).concat();
    let keys: Vec<hmac::Key> = secrets.iter().map(WebhookSecret::key).collect();
    let is_valid = signatures
        .split(' ')
        .filter_map(|one| STANDARD.decode(one.strip_prefix(VERSION)?).ok())
        .take(MAX_SIGNATURES)
        // Compared in constant time.
        .any(|tag| {
            keys.iter()
                .any(|key| hmac::verify(key, &text, &tag).is_ok())
        });
    match is_valid {
        true => Ok(Message {
            id: id.to_owned(),
            at,
        }),
        false => Err(BadSignature::Signature),
    }
}

/// Why a message is not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadSignature {
    /// A header is missing or malformed.
    Missing,
    /// The time is malformed, or too far from now: an old message that is sent again.
    Time,
    /// No signature fits a secret and the body.
    Signature,
}

impl BadSignature {
    /// Returns the reason as text.
    pub const fn reason(self) -> &'static str {
        match self {
            BadSignature::Missing => "a header of the webhook is missing or malformed",
            BadSignature::Time => "the time of the webhook is malformed, too old or in the future",
            BadSignature::Signature => "no signature of the webhook is valid",
        }
    }
}

impl fmt::Display for BadSignature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.reason())
    }
}

impl std::error::Error for BadSignature {}

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: &[u8] = br#"{"type":"ticket.created"}"#;

    fn secret() -> WebhookSecret {
        WebhookSecret::generate().unwrap_or_else(|error| panic!("{error:?}"))
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_micros(seconds * 1_000_000)
    }

    fn check(
        secrets: &[WebhookSecret],
        headers: &[(&'static str, String)],
        body: &[u8],
        now: i64,
    ) -> Result<Message, BadSignature> {
        let get = |name: &str| {
            let found = headers.iter().find(|header| header.0 == name);
            found.map(|header| header.1.as_str())
        };
        verify(secrets, get, body, at(now))
    }

    #[test]
    fn both_live_secrets_sign_and_either_verifies() {
        let (old, new, other) = (secret(), secret(), secret());
        let headers = sign(&[&new, &old], "msg_1", at(1_000), BODY);
        for known in [&old, &new] {
            let message = check(std::slice::from_ref(known), &headers, BODY, 1_000).unwrap();
            assert_eq!((message.id.as_str(), message.at), ("msg_1", at(1_000)));
        }
        let none = check(&[other], &headers, BODY, 1_000);
        assert_eq!(none, Err(BadSignature::Signature));
        assert_eq!(
            check(&[], &headers, BODY, 1_000),
            Err(BadSignature::Signature)
        );
    }

    #[test]
    fn a_changed_message_is_refused() {
        let known = [secret()];
        let headers = sign(&[&known[0]], "msg_1", at(1_000), BODY);
        assert!(check(&known, &headers, BODY, 1_000).is_ok());
        let refused = check(&known, &headers, b"{}", 1_000);
        assert_eq!(refused, Err(BadSignature::Signature));
        for (index, value) in [
            (0, "msg_2"),
            (1, "1001"),
            (2, "v1,"),
            (2, "v2,AAAA"),
            (2, "AAAA"),
        ] {
            let mut changed = headers.clone();
            changed[index].1 = value.to_owned();
            let refused = check(&known, &changed, BODY, 1_000);
            assert_eq!(refused, Err(BadSignature::Signature), "{value}");
        }
        for index in 0..3 {
            let mut fewer = headers.to_vec();
            fewer.remove(index);
            let refused = check(&known, &fewer, BODY, 1_000);
            assert_eq!(refused, Err(BadSignature::Missing));
        }
    }

    #[test]
    fn an_old_message_is_refused() {
        let known = [secret()];
        let headers = sign(&[&known[0]], "msg_1", at(10_000), BODY);
        for (now, accepted) in [
            (9_700, true),
            (10_300, true),
            (9_699, false),
            (10_301, false),
        ] {
            let checked = check(&known, &headers, BODY, now);
            assert_eq!(checked.is_ok(), accepted, "{now}");
        }
        for text in [
            "",
            "soon",
            "+10000",
            "010000",
            "1e4",
            "99999999999999999999",
        ] {
            let mut changed = headers.clone();
            changed[1].1 = text.to_owned();
            let refused = check(&known, &changed, BODY, 10_000);
            assert_eq!(refused, Err(BadSignature::Time), "{text}");
        }
    }

    #[test]
    fn a_secret_is_read_as_it_is_written_and_never_printed() {
        let new = secret();
        let text = new.to_text();
        assert_eq!(WebhookSecret::parse(text.expose()), Ok(new.clone()));
        assert_eq!(format!("{new:?}"), "***");
        for text in [
            "",
            "whsec_",
            "whsec_AAAA",
            "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        ] {
            assert!(WebhookSecret::parse(text).is_err(), "{text}");
        }
    }
}
