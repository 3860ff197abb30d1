//! Forges access tokens from a valid one.

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE, URL_SAFE_NO_PAD};
use serde_json::{Value, json};

/// The bytes before the 32 bytes of an Ed25519 key in DER (RFC 8410).
const ED25519_DER: [u8; 12] = [
    0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00,
];

/// The parts of a valid token.
pub(crate) struct Parts {
    pub(crate) header: Value,
    pub(crate) claims: Value,
    pub(crate) signature: Vec<u8>,
}

impl Parts {
    /// Returns `None` unless the text is a token in compact form.
    pub(crate) fn of(token: &str) -> Option<Self> {
        let mut parts = token
            .split('.')
            .map(|part| URL_SAFE_NO_PAD.decode(part).ok());
        let (header, claims, signature) = (parts.next()??, parts.next()??, parts.next()??);
        Some(Self {
            header: serde_json::from_slice(&header).ok()?,
            claims: serde_json::from_slice(&claims).ok()?,
            signature,
        })
    }

    /// Replaces members of the header, or removes those that are null. Keeps the signature.
    fn header(&self, changes: Value) -> String {
        compact(
            &changed(&self.header, changes),
            &self.claims,
            &self.signature,
        )
    }

    /// Replaces claims and keeps the signature.
    fn claims(&self, changes: Value) -> String {
        compact(
            &self.header,
            &changed(&self.claims, changes),
            &self.signature,
        )
    }

    /// Sets the algorithm and signs with HMAC-SHA256 and this key.
    fn hs256(&self, changes: Value, key: &[u8]) -> String {
        let header = changed(&changed(&self.header, json!({"alg": "HS256"})), changes);
        let signed = format!("{}.{}", part(&header), part(&self.claims));
        let key = hmac::Key::new(hmac::HMAC_SHA256, key);
        let mac = hmac::sign(&key, signed.as_bytes());
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(mac))
    }
}

fn part(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}

fn compact(header: &Value, claims: &Value, signature: &[u8]) -> String {
    format!(
        "{}.{}.{}",
        part(header),
        part(claims),
        URL_SAFE_NO_PAD.encode(signature)
    )
}

fn changed(value: &Value, changes: Value) -> Value {
    let mut value = value.clone();
    for (name, change) in changes.as_object().into_iter().flatten() {
        match (change, value.as_object_mut()) {
            (Value::Null, Some(members)) => _ = members.remove(name),
            (change, Some(members)) => _ = members.insert(name.clone(), change.clone()),
            (_, None) => {}
        }
    }
    value
}

/// Returns every forgery that needs no key: T1 and T4 to T10 of the requirements.
pub(crate) fn forged(token: &str, parts: &Parts) -> Vec<(String, String)> {
    let mut made: Vec<(String, String)> = Vec::new();
    let mut add = |what: &str, token: String| made.push((what.to_owned(), token));
    for alg in [
        "none", "None", "nOnE", "NONE", "", "HS256", "ed25519", "Ed25519 ", "ES256", "RS256",
    ] {
        add(&format!("alg {alg:?}"), parts.header(json!({"alg": alg})));
        let unsigned = parts.header(json!({"alg": alg}));
        let unsigned = unsigned.rsplit_once('.').map_or("", |(rest, _)| rest);
        add(&format!("alg {alg:?}, unsigned"), format!("{unsigned}."));
    }
    for (what, changes) in [
        ("alg missing", json!({"alg": null})),
        ("alg a number", json!({"alg": 1})),
        ("alg a list", json!({"alg": ["Ed25519"]})),
        ("typ JWT", json!({"typ": "JWT"})),
        ("typ missing", json!({"typ": null})),
        ("unknown kid", json!({"kid": "unknown"})),
        ("kid missing", json!({"kid": null})),
        ("kid a path", json!({"kid": "../../../../dev/null"})),
        ("kid SQL", json!({"kid": "' or 1=1--"})),
        ("kid with NUL", json!({"kid": "a\u{0}b"})),
        ("kid of 6 KiB", json!({"kid": "k".repeat(6 << 10)})),
        ("crit", json!({"crit": ["exp"]})),
        ("b64 false", json!({"b64": false, "crit": ["b64"]})),
        ("zip", json!({"zip": "DEF"})),
        ("jku", json!({"jku": "http://127.0.0.1:9/keys"})),
        ("x5u", json!({"x5u": "http://127.0.0.1:9/cert"})),
    ] {
        add(what, parts.header(changes));
    }
    for (what, changes) in [
        (
            "another subject",
            json!({"sub": "usr_00000000000000000000000000"}),
        ),
        ("admin", json!({"roles": ["admin"]})),
        (
            "every scope",
            json!({"scope": "users:write users:read tickets:write tickets:read"}),
        ),
        ("later exp", json!({"exp": 4_102_444_800_u64})),
        ("no exp", json!({"exp": null})),
        ("another issuer", json!({"iss": "https://evil.example"})),
    ] {
        add(what, parts.claims(changes));
    }
    add(
        "a JWK of the attacker",
        parts.hs256(
            json!({"alg": "Ed25519", "jwk": {"kty": "oct", "k": STANDARD.encode("secret")}}),
            b"secret",
        ),
    );
    let mut flipped = parts.signature.clone();
    for byte in [0, flipped.len() / 2, flipped.len().saturating_sub(1)] {
        if let Some(byte) = flipped.get_mut(byte) {
            *byte ^= 1;
        }
        add(
            "a flipped bit",
            compact(&parts.header, &parts.claims, &flipped),
        );
    }
    add(
        "an empty signature",
        compact(&parts.header, &parts.claims, &[]),
    );
    add(
        "a signature of zeros",
        compact(
            &parts.header,
            &parts.claims,
            &vec![0; parts.signature.len()],
        ),
    );
    for (what, token) in bent(token, parts) {
        add(what, token);
    }
    made
}

/// Returns invalid encodings of the valid token.
fn bent(token: &str, parts: &Parts) -> Vec<(&'static str, String)> {
    let (signed, _) = token.rsplit_once('.').unwrap_or((token, ""));
    let (header, rest) = token.split_once('.').unwrap_or((token, ""));
    vec![
        ("padding", format!("{signed}.{}", URL_SAFE.encode(&parts.signature))),
        ("spare bits", with_spare_bits(token)),
        ("a plus", token.replacen('-', "+", 1).replacen('_', "/", 1) + "+"),
        ("four segments", format!("{token}.")),
        ("five segments", format!("{token}.a.b")),
        ("two segments", signed.to_owned()),
        ("one segment", header.to_owned()),
        ("a dot before", format!(".{token}")),
        ("quotes", format!("\"{token}\"")),
        ("JSON form", json!({"protected": header, "payload": rest.split('.').next(), "signature": URL_SAFE_NO_PAD.encode(&parts.signature)}).to_string()),
        ("a member twice", doubled(parts)),
        ("9 KiB", format!("{token}{}", "A".repeat(9 << 10))),
        ("empty", String::new()),
        ("words", "not a token".into()),
    ]
}

/// Changes bits of the last letter that a lax decoder ignores. An Ed25519 signature has four of
/// them.
fn with_spare_bits(token: &str) -> String {
    let mut text = token.to_owned();
    let last = text.pop().unwrap_or('A');
    text.push(match last {
        'A' => 'B',
        'Q' => 'R',
        'g' => 'h',
        _ => 'x',
    });
    text
}

/// Returns a token whose header has `alg` twice: first the valid value, then `none`.
fn doubled(parts: &Parts) -> String {
    let header = parts.header.to_string();
    let header = format!("{},\"alg\":\"none\"}}", header.trim_end_matches('}'));
    format!(
        "{}.{}.{}",
        URL_SAFE_NO_PAD.encode(header),
        part(&parts.claims),
        URL_SAFE_NO_PAD.encode(&parts.signature)
    )
}

/// Returns tokens that are signed by HMAC with a public key of the key set: T2.
pub(crate) fn confused(parts: &Parts, keys: &Value) -> Vec<(String, String)> {
    let mut made = Vec::new();
    for key in keys["keys"].as_array().into_iter().flatten() {
        let kid = json!({"kid": key["kid"]});
        let point = URL_SAFE_NO_PAD
            .decode(key["x"].as_str().unwrap_or_default())
            .unwrap_or_default();
        let der = [&ED25519_DER[..], &point].concat();
        let pem = format!(
            "-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n",
            STANDARD.encode(&der)
        );
        let set = keys.to_string();
        for (what, secret) in [
            ("its bytes", point.as_slice()),
            (
                "its base64url",
                key["x"].as_str().unwrap_or_default().as_bytes(),
            ),
            ("its DER", &der),
            ("its PEM", pem.as_bytes()),
            (
                "its PEM without the last line break",
                pem.trim_end().as_bytes(),
            ),
            ("its JWK", key.to_string().as_bytes()),
            ("the key set", set.as_bytes()),
            ("nothing", b""),
        ] {
            made.push((
                format!("HS256 under {what}"),
                parts.hs256(kid.clone(), secret),
            ));
            made.push((
                format!("{what}, under the key's own alg"),
                parts.hs256(json!({"kid": key["kid"], "alg": key["alg"]}), secret),
            ));
        }
        // The id of another key with this signature. With the id of the signing key it would be
        // valid.
        if key["kid"] != parts.header["kid"] {
            let header = json!({"kid": key["kid"], "alg": key["alg"]});
            made.push(("a kid of another key".into(), parts.header(header)));
        }
    }
    made
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN: &str =
        "eyJ0eXAiOiJhdCtqd3QiLCJhbGciOiJFZDI1NTE5Iiwia2lkIjoiYSJ9.eyJzdWIiOiJ1In0.AAAAAA";

    #[test]
    fn a_forgery_is_never_the_valid_token() {
        let parts = Parts::of(TOKEN).unwrap();
        for (what, token) in forged(TOKEN, &parts) {
            assert_ne!(token, TOKEN, "{what}");
        }
        assert!(Parts::of("a.b").is_none());
    }
}
