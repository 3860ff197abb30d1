//! Forged, malformed and expired tokens, each refused by the rule it violates.

mod life;

use std::time::{Duration, Instant};

use aws_lc_rs::hmac;
use serde_json::{Value, json};

use super::testing::*;
use super::*;
use doyen_secret::Seed;

fn header() -> Value {
    json!({ "typ": "at+jwt", "alg": "Ed25519", "kid": ring().kid() })
}

fn claims() -> Value {
    json!({ "iss": ISSUER, "aud": AUDIENCE, "sub": "usr_1", "iat": NOW, "exp": NOW + 900, "jti": "t1", "scope": "a b", "roles": ["agent"] })
}

/// An object with some members replaced; null removes one.
fn but(mut value: Value, changes: Value) -> Value {
    let (Value::Object(members), Value::Object(changes)) = (&mut value, changes) else {
        panic!("two objects")
    };
    for (name, change) in changes {
        match change {
            Value::Null => _ = members.remove(&name),
            change => _ = members.insert(name, change),
        }
    }
    value
}

/// Signs any text with the test key.
fn signed(header: &str, claims: &str) -> String {
    let signed = format!(
        "{}.{}",
        URL_SAFE_NO_PAD.encode(header),
        URL_SAFE_NO_PAD.encode(claims)
    );
    let signature = URL_SAFE_NO_PAD.encode(ring().sign(signed.as_bytes()).unwrap());
    format!("{signed}.{signature}")
}

fn with_header(changes: Value) -> String {
    signed(&but(header(), changes).to_string(), &claims().to_string())
}

fn with_claims(changes: Value) -> String {
    signed(&header().to_string(), &but(claims(), changes).to_string())
}

fn check(token: &str) -> Result<Arc<Claims>, Rejected> {
    tokens().0.verify(token)
}

fn refused(table: Vec<(&str, String, Rejected)>) {
    for (what, token, rule) in table {
        assert_eq!(check(&token).err(), Some(rule), "{what}: {token}");
    }
}

#[test]
fn what_is_issued_is_accepted_and_says_the_same() {
    let (tokens, _) = tokens();
    let issued = tokens.issue(&caller()).unwrap();
    assert_eq!(issued.expires_in, 900);
    let claims = tokens.verify(&issued.token).unwrap();
    assert_eq!(*claims.caller, caller());
    assert_eq!(*claims.id, *issued.id);
    assert_eq!(claims.issued_at.unix(), NOW);
    assert_eq!(claims.expires_at.unix(), NOW + 900);
    assert!(!format!("{issued:?}").contains(&issued.token));

    let bare = Caller::new("machine");
    assert_eq!(
        tokens
            .verify(&tokens.issue(&bare).unwrap().token)
            .unwrap()
            .caller,
        bare.into()
    );
}

#[test]
fn good_tokens_of_every_shape_are_accepted() {
    for token in [
        with_header(json!({})),
        with_header(json!({ "x5t": "ignored", "unknown": {"a": 1} })),
        with_claims(json!({ "aud": ["x", AUDIENCE] })),
        with_claims(json!({ "nbf": NOW })),
        with_claims(json!({ "exp": NOW + 1 })),
        with_claims(json!({ "scope": null, "roles": null, "extra": [1] })),
    ] {
        check(&token).unwrap_or_else(|rule| panic!("{rule}: {token}"));
    }
}

/// T1 and T3: the algorithm.
#[test]
fn only_the_algorithm_of_the_key_is_accepted() {
    let unsigned = |alg: &str| {
        let token = with_header(json!({ "alg": alg }));
        format!("{}.", token.rsplit_once('.').unwrap().0)
    };
    refused(vec![
        ("none", unsigned("none"), Rejected::Algorithm),
        ("None", unsigned("None"), Rejected::Algorithm),
        ("nOnE", unsigned("nOnE"), Rejected::Algorithm),
        (
            "none, signed",
            with_header(json!({ "alg": "none" })),
            Rejected::Algorithm,
        ),
        ("no signature", unsigned("Ed25519"), Rejected::Signature),
        (
            "empty",
            with_header(json!({ "alg": "" })),
            Rejected::Algorithm,
        ),
        (
            "missing",
            with_header(json!({ "alg": null })),
            Rejected::Header,
        ),
        (
            "a number",
            with_header(json!({ "alg": 1 })),
            Rejected::Header,
        ),
        (
            "a list",
            with_header(json!({ "alg": ["Ed25519"] })),
            Rejected::Header,
        ),
        (
            "lower case",
            with_header(json!({ "alg": "ed25519" })),
            Rejected::Algorithm,
        ),
        (
            "a space",
            with_header(json!({ "alg": "Ed25519 " })),
            Rejected::Algorithm,
        ),
        (
            "the old name",
            with_header(json!({ "alg": "EdDSA" })),
            Rejected::Algorithm,
        ),
        (
            "another curve",
            with_header(json!({ "alg": "Ed448" })),
            Rejected::Algorithm,
        ),
        (
            "ES256",
            with_header(json!({ "alg": "ES256" })),
            Rejected::Algorithm,
        ),
        (
            "RS256",
            with_header(json!({ "alg": "RS256" })),
            Rejected::Algorithm,
        ),
    ]);
}

/// T2: the public key is no secret, so it must never be the key of an HMAC.
#[test]
fn the_public_key_does_not_work_as_a_shared_secret() {
    let x = ring().public_key();
    let raw = URL_SAFE_NO_PAD.decode(&x).unwrap();
    // SubjectPublicKeyInfo of an Ed25519 key: a fixed prefix (RFC 8410) and the key.
    let der = [
        &[
            0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00,
        ][..],
        &raw,
    ]
    .concat();
    let pem = format!(
        "-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n",
        base64::engine::general_purpose::STANDARD.encode(&der)
    );
    let jwk = ring().jwks()["keys"][0].to_string();
    for secret in [raw, der, pem.into_bytes(), jwk.into_bytes(), x.into_bytes()] {
        for alg in ["HS256", "Ed25519"] {
            let key = hmac::Key::new(hmac::HMAC_SHA256, &secret);
            let head = but(header(), json!({ "alg": alg })).to_string();
            let signed = format!(
                "{}.{}",
                URL_SAFE_NO_PAD.encode(head),
                URL_SAFE_NO_PAD.encode(claims().to_string())
            );
            let token = format!(
                "{signed}.{}",
                URL_SAFE_NO_PAD.encode(hmac::sign(&key, signed.as_bytes()))
            );
            let rule = if alg == "HS256" {
                Rejected::Algorithm
            } else {
                Rejected::Signature
            };
            assert_eq!(check(&token).err(), Some(rule));
        }
    }
}

/// T4: a key in a token is not used, and its URLs are not requested: this crate has no HTTP client.
#[test]
fn a_token_that_brings_its_key_is_refused() {
    let jwk = ring().jwks()["keys"][0].clone();
    refused(vec![
        (
            "jwk",
            with_header(json!({ "jwk": jwk })),
            Rejected::Extension,
        ),
        (
            "jku",
            with_header(json!({ "jku": "http://127.0.0.1:1/keys" })),
            Rejected::Extension,
        ),
        (
            "x5u",
            with_header(json!({ "x5u": "http://127.0.0.1:1/cert" })),
            Rejected::Extension,
        ),
        (
            "x5c",
            with_header(json!({ "x5c": ["MIIB"] })),
            Rejected::Extension,
        ),
    ]);
}

/// T3 and T5: the name of a key is only compared.
#[test]
fn an_unknown_key_is_refused_without_a_fallback() {
    let other = KeyRing::new(&Seed::generate().unwrap().deriver("signing")).unwrap();
    refused(vec![
        (
            "of another ring",
            with_header(json!({ "kid": other.kid() })),
            Rejected::UnknownKey,
        ),
        (
            "a path",
            with_header(json!({ "kid": "../../dev/null" })),
            Rejected::UnknownKey,
        ),
        (
            "SQL",
            with_header(json!({ "kid": "' or 1=1--" })),
            Rejected::UnknownKey,
        ),
        (
            "NUL",
            with_header(json!({ "kid": "\0" })),
            Rejected::UnknownKey,
        ),
        (
            "with NUL",
            with_header(json!({ "kid": format!("{}\0", ring().kid()) })),
            Rejected::UnknownKey,
        ),
        (
            "empty",
            with_header(json!({ "kid": "" })),
            Rejected::UnknownKey,
        ),
        (
            "missing",
            with_header(json!({ "kid": null })),
            Rejected::Header,
        ),
        (
            "a number",
            with_header(json!({ "kid": 1 })),
            Rejected::Header,
        ),
        (
            "64 KB",
            with_header(json!({ "kid": "k".repeat(65_536) })),
            Rejected::TooLong,
        ),
    ]);
}

/// A2: two keys, names swapped.
#[test]
fn each_key_verifies_its_own_tokens_only() {
    let second = KeyRing::new(&Seed::generate().unwrap().deriver("signing")).unwrap();
    let (tokens, _) = with(ring().also_trust(&second.public_key()).unwrap(), options());
    let of = |ring: &KeyRing, kid: &str| {
        compact(ring, &but(header(), json!({ "kid": kid })), &claims()).unwrap()
    };
    assert!(tokens.verify(&of(&second, second.kid())).is_ok());
    assert_eq!(
        tokens.verify(&of(&second, ring().kid())).err(),
        Some(Rejected::Signature)
    );
    assert_eq!(
        tokens.verify(&of(&ring(), second.kid())).err(),
        Some(Rejected::Signature)
    );
}

/// T6: the times.
#[test]
fn times_are_whole_seconds_and_hold() {
    let huge = signed(
        &header().to_string(),
        &claims()
            .to_string()
            .replace(&(NOW + 900).to_string(), "1e308"),
    );
    refused(vec![
        (
            "expired",
            with_claims(json!({ "exp": NOW - 1 })),
            Rejected::Expired,
        ),
        (
            "expires now",
            with_claims(json!({ "exp": NOW })),
            Rejected::Expired,
        ),
        (
            "not yet",
            with_claims(json!({ "nbf": NOW + 1 })),
            Rejected::NotYetValid,
        ),
        (
            "issued later",
            with_claims(json!({ "iat": NOW + 1 })),
            Rejected::NotYetValid,
        ),
        (
            "no exp",
            with_claims(json!({ "exp": null })),
            Rejected::Time,
        ),
        (
            "exp as text",
            with_claims(json!({ "exp": (NOW + 900).to_string() })),
            Rejected::Time,
        ),
        (
            "exp negative",
            with_claims(json!({ "exp": -1 })),
            Rejected::Time,
        ),
        ("exp 1e308", huge, Rejected::Time),
        (
            "exp with a fraction",
            with_claims(json!({ "exp": NOW as f64 + 900.5 })),
            Rejected::Time,
        ),
        (
            "exp a list",
            with_claims(json!({ "exp": [NOW + 900] })),
            Rejected::Time,
        ),
        (
            "exp true",
            with_claims(json!({ "exp": true })),
            Rejected::Time,
        ),
        (
            "exp beyond i64",
            with_claims(json!({ "exp": u64::MAX })),
            Rejected::Time,
        ),
        (
            "exp beyond the year 9999",
            with_claims(json!({ "exp": 253_402_300_800_i64 })),
            Rejected::Time,
        ),
        (
            "nbf as text",
            with_claims(json!({ "nbf": "0" })),
            Rejected::Time,
        ),
        (
            "no iat",
            with_claims(json!({ "iat": null })),
            Rejected::Time,
        ),
    ]);
}

#[test]
fn leeway_shifts_both_ends_and_has_a_limit() {
    let leeway = Duration::from_secs(30);
    let (tokens, _) = with(
        ring(),
        TokenOptions {
            leeway,
            ..options()
        },
    );
    assert!(
        tokens
            .verify(&with_claims(json!({ "exp": NOW - 29 })))
            .is_ok()
    );
    assert_eq!(
        tokens
            .verify(&with_claims(json!({ "exp": NOW - 30 })))
            .err(),
        Some(Rejected::Expired)
    );
    assert!(
        tokens
            .verify(&with_claims(json!({ "nbf": NOW + 30 })))
            .is_ok()
    );
    assert_eq!(
        tokens
            .verify(&with_claims(json!({ "nbf": NOW + 31 })))
            .err(),
        Some(Rejected::NotYetValid)
    );
    assert!(
        tokens
            .verify(&with_claims(json!({ "iat": NOW + 30 })))
            .is_ok()
    );
    assert_eq!(
        tokens
            .verify(&with_claims(json!({ "iat": NOW + 31 })))
            .err(),
        Some(Rejected::NotYetValid)
    );

    let bad = |options| Tokens::new(ring(), options, Arc::new(doyen_core::SystemClock)).is_err();
    assert!(bad(TokenOptions {
        leeway: Duration::from_secs(61),
        ..options()
    }));
    assert!(bad(TokenOptions {
        lifetime: Duration::ZERO,
        ..options()
    }));
    assert!(bad(TokenOptions {
        lifetime: Duration::from_secs(90_000),
        ..options()
    }));
    assert!(bad(TokenOptions::new("", AUDIENCE)));
}

/// T7: issuer and audience.
#[test]
fn issuer_and_audience_are_compared_letter_by_letter() {
    refused(vec![
        (
            "other issuer",
            with_claims(json!({ "iss": "https://evil.test" })),
            Rejected::Issuer,
        ),
        (
            "issuer with a slash",
            with_claims(json!({ "iss": format!("{ISSUER}/") })),
            Rejected::Issuer,
        ),
        (
            "issuer in capitals",
            with_claims(json!({ "iss": ISSUER.to_uppercase() })),
            Rejected::Issuer,
        ),
        (
            "no issuer",
            with_claims(json!({ "iss": null })),
            Rejected::Issuer,
        ),
        (
            "a list of issuers",
            with_claims(json!({ "iss": [ISSUER] })),
            Rejected::Issuer,
        ),
        (
            "other audience",
            with_claims(json!({ "aud": "https://other.test" })),
            Rejected::Audience,
        ),
        (
            "no audience",
            with_claims(json!({ "aud": null })),
            Rejected::Audience,
        ),
        (
            "a prefix of ours",
            with_claims(json!({ "aud": "https://api" })),
            Rejected::Audience,
        ),
        (
            "longer than ours",
            with_claims(json!({ "aud": format!("{AUDIENCE}.evil.test") })),
            Rejected::Audience,
        ),
        (
            "an empty list",
            with_claims(json!({ "aud": [] })),
            Rejected::Audience,
        ),
        (
            "a list without us",
            with_claims(json!({ "aud": ["x"] })),
            Rejected::Audience,
        ),
        (
            "a list with a number",
            with_claims(json!({ "aud": [AUDIENCE, 1] })),
            Rejected::Audience,
        ),
        (
            "nested",
            with_claims(json!({ "aud": [[AUDIENCE]] })),
            Rejected::Audience,
        ),
    ]);
}

/// T8: other types of token.
#[test]
fn only_access_tokens_are_accepted() {
    for kind in ["JWT", "jwt", "rt+jwt", "id_token", "AT+JWT", "at+jwt ", ""] {
        refused(vec![(
            "typ",
            with_header(json!({ "typ": kind })),
            Rejected::Type,
        )]);
    }
    refused(vec![
        (
            "no typ",
            with_header(json!({ "typ": null })),
            Rejected::Header,
        ),
        (
            "typ a list",
            with_header(json!({ "typ": ["at+jwt"] })),
            Rejected::Header,
        ),
    ]);
}

/// T9: a token has exactly one encoding.
#[test]
fn only_the_strict_compact_form_is_accepted() {
    let good = with_header(json!({}));
    check(&good).unwrap();
    let [head, body, signature] = good.split('.').collect::<Vec<_>>()[..] else {
        panic!("three parts")
    };
    let general =
        json!({ "payload": body, "signatures": [{ "protected": head, "signature": signature }] });
    let flat = json!({ "payload": body, "protected": head, "signature": signature });
    // 64 bytes end in a character with four spare bits: the next one in the alphabet sets one of
    // them.
    let last = signature.chars().last().unwrap();
    let spare = format!(
        "{head}.{body}.{}{}",
        &signature[..signature.len() - 1],
        char::from(last as u8 + 1)
    );
    let padded = |n: usize| {
        let mut parts = [head.to_owned(), body.to_owned(), signature.to_owned()];
        parts[n].push_str("==");
        parts.join(".")
    };
    refused(vec![
        ("JSON, general", general.to_string(), Rejected::NotCompact),
        ("JSON, flat", flat.to_string(), Rejected::NotCompact),
        ("braces", format!("{{{good}}}"), Rejected::NotBase64),
        ("padded header", padded(0), Rejected::NotBase64),
        ("padded claims", padded(1), Rejected::NotBase64),
        ("padded signature", padded(2), Rejected::NotBase64),
        (
            "plus",
            format!("{head}.{body}.+{}", &signature[1..]),
            Rejected::NotBase64,
        ),
        (
            "slash",
            format!("{head}.{body}./{}", &signature[1..]),
            Rejected::NotBase64,
        ),
        ("spare bits", spare, Rejected::NotBase64),
        ("a line end", format!("{good}\n"), Rejected::NotBase64),
        ("a space before", format!(" {good}"), Rejected::NotBase64),
        ("one part", head.to_owned(), Rejected::NotCompact),
        ("two parts", format!("{head}.{body}"), Rejected::NotCompact),
        (
            "four parts",
            format!("{good}.{signature}"),
            Rejected::NotCompact,
        ),
        ("five parts", format!("{good}.a.b"), Rejected::NotCompact),
        ("only dots", "..".to_owned(), Rejected::Header),
        ("nothing", String::new(), Rejected::NotCompact),
        ("not ASCII", format!("é{good}"), Rejected::NotBase64),
        (
            "8 KiB and more",
            with_claims(json!({ "x": "y".repeat(7_000) })),
            Rejected::TooLong,
        ),
        (
            "short signature",
            format!("{head}.{body}.{}", URL_SAFE_NO_PAD.encode([0; 32])),
            Rejected::Signature,
        ),
        (
            "another's signature",
            format!("{head}.{body}.{}", URL_SAFE_NO_PAD.encode([1; 64])),
            Rejected::Signature,
        ),
    ]);
}

#[test]
fn no_single_changed_character_is_accepted() {
    let good = with_header(json!({}));
    let (tokens, _) = tokens();
    for at in 0..good.len() {
        for other in ["A", "b", "_", "."] {
            let changed = format!("{}{other}{}", &good[..at], &good[at + 1..]);
            assert!(
                changed == good || tokens.verify(&changed).is_err(),
                "{at} {other}"
            );
        }
    }
}

/// T10: extensions and duplicate members.
#[test]
fn extensions_and_doubled_members_are_refused() {
    let doubled = |text: String, member: &str| format!("{{{member},{}", &text[1..]);
    let head = |member: &str| {
        signed(
            &doubled(header().to_string(), member),
            &claims().to_string(),
        )
    };
    let body = |member: &str| {
        signed(
            &header().to_string(),
            &doubled(claims().to_string(), member),
        )
    };
    refused(vec![
        (
            "crit",
            with_header(json!({ "crit": ["x"], "x": 1 })),
            Rejected::Extension,
        ),
        (
            "crit, empty",
            with_header(json!({ "crit": [] })),
            Rejected::Extension,
        ),
        ("crit, null", head("\"crit\":null"), Rejected::Extension),
        (
            "b64",
            with_header(json!({ "b64": false })),
            Rejected::Extension,
        ),
        (
            "zip",
            with_header(json!({ "zip": "DEF" })),
            Rejected::Extension,
        ),
        (
            "nested",
            with_header(json!({ "cty": "JWT" })),
            Rejected::Extension,
        ),
        ("alg twice", head("\"alg\":\"none\""), Rejected::Header),
        ("kid twice", head("\"kid\":\"x\""), Rejected::Header),
        (
            "kid twice, disguised",
            head("\"\\u006bid\":\"x\""),
            Rejected::Header,
        ),
        ("unknown twice", head("\"x\":1,\"x\":1"), Rejected::Header),
        ("sub twice", body("\"sub\":\"admin\""), Rejected::Claims),
        ("exp twice", body("\"exp\":9999999999"), Rejected::Claims),
        (
            "unknown claim twice",
            body("\"x\":1,\"x\":1"),
            Rejected::Claims,
        ),
        (
            "claims a list",
            signed(&header().to_string(), "[]"),
            Rejected::Claims,
        ),
        (
            "header not JSON",
            signed("x", &claims().to_string()),
            Rejected::Header,
        ),
        (
            "something after the claims",
            signed(&header().to_string(), &format!("{}x", claims())),
            Rejected::Claims,
        ),
    ]);
}

#[test]
fn claims_have_their_types() {
    refused(vec![
        (
            "no sub",
            with_claims(json!({ "sub": null })),
            Rejected::Claims,
        ),
        (
            "empty sub",
            with_claims(json!({ "sub": "" })),
            Rejected::Claims,
        ),
        (
            "sub a number",
            with_claims(json!({ "sub": 1 })),
            Rejected::Claims,
        ),
        (
            "no jti",
            with_claims(json!({ "jti": null })),
            Rejected::Claims,
        ),
        (
            "scope a list",
            with_claims(json!({ "scope": ["a"] })),
            Rejected::Claims,
        ),
        (
            "roles a text",
            with_claims(json!({ "roles": "admin" })),
            Rejected::Claims,
        ),
        (
            "roles with a number",
            with_claims(json!({ "roles": ["admin", 1] })),
            Rejected::Claims,
        ),
        (
            "sid a number",
            with_claims(json!({ "sid": 1 })),
            Rejected::Claims,
        ),
    ]);
}

#[test]
fn hostile_tokens_are_refused_at_once() {
    let deep = "[".repeat(5_000);
    let many = format!(
        "{{{}}}",
        (0..600)
            .map(|n| format!("\"{n}\":0"))
            .collect::<Vec<_>>()
            .join(",")
    );
    for header in [deep, many, "{\"alg\":".repeat(700)] {
        let token = signed(&header, "{}");
        let start = Instant::now();
        assert_eq!(check(&token).err(), Some(Rejected::Header));
        // It takes microseconds; a busy machine may delay this thread.
        assert!(start.elapsed() < Duration::from_millis(500));
    }
}
