//! T1 to T10: a table of invalid tokens for each rule, nearly all of them with a valid signature.

use std::net::TcpListener;

use aws_lc_rs::hmac;
use serde_json::json;

use crate::support::{
    AUDIENCE, Api, Forge, ISSUER, accepted, but, call, encode, jwks, refused, token,
};

type Table = Vec<(&'static str, String)>;

async fn all_refused(api: &Api, table: Table) {
    for (what, token) in table {
        refused(call(&api.0, &token).await, what);
    }
}

/// A1: the unmodified tokens are accepted.
#[doyen_test::test]
async fn a1_valid_tokens_of_every_shape_are_accepted(api: Api) {
    let forge = Forge::of(&api.0).await;
    for good in [
        token(&api.0).await,
        forge.with_header(json!({})),
        forge.with_header(json!({ "x5t": "ignored", "unknown": { "a": 1 } })),
        forge.with_claims(json!({ "aud": ["x", AUDIENCE] })),
        forge.with_claims(json!({ "nbf": forge.now })),
        forge.with_claims(json!({ "scope": null, "extra": [1] })),
    ] {
        accepted(call(&api.0, &good).await);
    }
}

#[doyen_test::test]
async fn t01_only_the_exact_names_of_supported_algorithms_are_accepted(api: Api) {
    let forge = Forge::of(&api.0).await;
    let mut table: Table = Vec::new();
    for alg in ["none", "None", "nOnE", "NONE", "", "Ed25519", "HS256"] {
        let signed = forge.with_header(json!({ "alg": alg }));
        let (unsigned, _) = signed.rsplit_once('.').unwrap();
        table.push((alg, format!("{unsigned}.")));
    }
    for alg in [
        json!("none"),
        json!("nOnE"),
        json!(""),
        json!("ed25519"),
        json!("ED25519"),
        json!("Ed25519 "),
        json!("Ed448"),
        json!("RS256"),
        json!(1),
        json!(["Ed25519"]),
        json!({}),
        json!(true),
    ] {
        table.push(("well signed", forge.with_header(json!({ "alg": alg }))));
    }
    table.push(("missing", forge.with_header(json!({ "alg": null }))));
    all_refused(&api, table).await;
}

/// There is no HMAC in Doyen: a public key must never be accepted as a secret.
#[doyen_test::test]
async fn t02_the_public_key_is_not_a_shared_secret(api: Api) {
    let forge = Forge::of(&api.0).await;
    let jwk = jwks(&api.0).await["keys"][0].clone();
    let x = jwk["x"].as_str().unwrap().to_owned();
    let raw = {
        use base64::Engine as _;
        base64::engine::general_purpose::URL_SAFE_NO_PAD
            .decode(&x)
            .unwrap()
    };
    // SubjectPublicKeyInfo of an Ed25519 key: a fixed prefix (RFC 8410) and the key.
    let head = [
        0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00,
    ];
    let der = [&head[..], &raw].concat();
    let pem = {
        use base64::Engine as _;
        let text = base64::engine::general_purpose::STANDARD.encode(&der);
        format!("-----BEGIN PUBLIC KEY-----\n{text}\n-----END PUBLIC KEY-----\n")
    };
    let secrets = [
        raw,
        der,
        pem.trim_end().as_bytes().to_vec(),
        pem.into_bytes(),
        jwk.to_string().into_bytes(),
        x.into_bytes(),
        Vec::new(),
    ];
    for secret in secrets {
        for alg in ["HS256", "Ed25519"] {
            let head = but(forge.header(), json!({ "alg": alg })).to_string();
            let forged = forge.sign_with(&head, &forge.claims().to_string(), |message| {
                let key = hmac::Key::new(hmac::HMAC_SHA256, &secret);
                hmac::sign(&key, message).as_ref().to_vec()
            });
            refused(call(&api.0, &forged).await, alg);
        }
    }
}

#[doyen_test::test]
async fn t04_keys_in_a_token_are_ignored_and_urls_not_requested(api: Api) {
    let forge = Forge::of(&api.0).await;
    let trap = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/keys", trap.local_addr().unwrap());
    let ours = jwks(&api.0).await["keys"][0].clone();
    let table = vec![
        ("jwk", forge.with_header(json!({ "jwk": ours }))),
        ("jku", forge.with_header(json!({ "jku": url }))),
        ("x5u", forge.with_header(json!({ "x5u": url }))),
        ("x5c", forge.with_header(json!({ "x5c": ["MIIB"] }))),
        ("null", forge.with_header(json!({ "kid": url, "jku": url }))),
        ("kid", forge.with_header(json!({ "kid": url }))),
        ("iss", forge.with_claims(json!({ "iss": url }))),
    ];
    all_refused(&api, table).await;
    trap.set_nonblocking(true).unwrap();
    assert!(trap.accept().is_err(), "the server requested {url}");
}

#[doyen_test::test]
async fn t05_kid_is_only_compared(api: Api) {
    let forge = Forge::of(&api.0).await;
    let kid = forge.kid.clone();
    let mut table: Table = Vec::new();
    for kid in [
        "../../dev/null".to_owned(),
        "/dev/null".to_owned(),
        "' or 1=1--".to_owned(),
        "'; DROP TABLE doyen_signing_keys; --".to_owned(),
        "\0".to_owned(),
        format!("{kid}\0"),
        format!("{kid} "),
        kid.to_uppercase(),
        kid[..42].to_owned(),
        String::new(),
        "%s%n".to_owned(),
        "\u{feff}🔑".to_owned(),
        "k".repeat(4_000),
        "k".repeat(65_536),
    ] {
        table.push(("a name", forge.with_header(json!({ "kid": kid }))));
    }
    for kid in [json!(null), json!(1), json!([kid]), json!({ "kid": kid })] {
        table.push(("no name", forge.with_header(json!({ "kid": kid }))));
    }
    all_refused(&api, table).await;
    // The keys of the first start.
    assert_eq!(api.0.count("doyen_signing_keys").await, 2, "the row exists");
}

/// The same on a socket, where a header of 64 KB is more than the server reads: it is refused, and
/// nothing breaks.
#[doyen_test::test(sqlite)]
async fn t05_a_huge_kid_on_the_wire_is_refused(api: Api) {
    let forge = Forge::of(&api.0).await;
    let server = api.0.serve().await;
    let huge = forge.with_header(json!({ "kid": "k".repeat(65_536) }));
    let request = |token: &str| {
        format!(
            "GET /me HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer {token}\r\n\r\n"
        )
    };
    let answer = server.exchange(request(&huge)).await;
    assert!(answer.starts_with("HTTP/1.1 4"), "{answer}");
    let answer = server
        .exchange(request(&forge.with_header(json!({}))))
        .await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}

#[doyen_test::test]
async fn t06_times_are_whole_seconds_and_enforced(api: Api) {
    let forge = Forge::of(&api.0).await;
    let now = forge.now;
    let good = forge.claims().to_string();
    let with_exp = |text: &str| {
        let claims = good.replace(&(now + 900).to_string(), text);
        assert_ne!(claims, good);
        forge.sign(&forge.header().to_string(), &claims)
    };
    // Clocks of two nodes may differ by five seconds.
    accepted(call(&api.0, &forge.with_claims(json!({ "exp": now - 4 }))).await);
    accepted(call(&api.0, &forge.with_claims(json!({ "nbf": now + 5 }))).await);
    let table = vec![
        ("expired", forge.with_claims(json!({ "exp": now - 5 }))),
        ("long ago", forge.with_claims(json!({ "exp": 0 }))),
        ("not yet", forge.with_claims(json!({ "nbf": now + 6 }))),
        ("no exp", forge.with_claims(json!({ "exp": null }))),
        ("null", with_exp("null")),
        ("as text", with_exp(&format!("\"{}\"", now + 900))),
        ("negative", with_exp("-1")),
        ("1e308", with_exp("1e308")),
        ("1e9999", with_exp("1e9999")),
        ("a fraction", with_exp(&format!("{}.5", now + 900))),
        ("a list", with_exp(&format!("[{}]", now + 900))),
        ("true", with_exp("true")),
        ("2^63", with_exp("9223372036854775808")),
        ("2^64", with_exp("18446744073709551616")),
        ("the year 10000", with_exp("253402300800")),
        ("nbf as text", forge.with_claims(json!({ "nbf": "0" }))),
        ("no iat", forge.with_claims(json!({ "iat": null }))),
    ];
    all_refused(&api, table).await;
}

#[doyen_test::test]
async fn t07_issuer_and_audience_are_exact(api: Api) {
    let forge = Forge::of(&api.0).await;
    let mut table: Table = Vec::new();
    for iss in [
        json!("https://evil.test"),
        json!(format!("{ISSUER}/")),
        json!(ISSUER.to_uppercase()),
        json!(&ISSUER[..ISSUER.len() - 1]),
        json!([ISSUER]),
        json!(null),
    ] {
        table.push(("issuer", forge.with_claims(json!({ "iss": iss }))));
    }
    for aud in [
        json!("https://other.test"),
        json!("https://api"),
        json!(format!("{AUDIENCE}.evil.test")),
        json!(ISSUER),
        json!([]),
        json!(["x"]),
        json!([AUDIENCE, 1]),
        json!([[AUDIENCE]]),
        json!({ "0": AUDIENCE }),
        json!(null),
    ] {
        table.push(("audience", forge.with_claims(json!({ "aud": aud }))));
    }
    all_refused(&api, table).await;
}

#[doyen_test::test]
async fn t08_other_kinds_of_token_are_refused(api: Api) {
    let forge = Forge::of(&api.0).await;
    let mut table: Table = Vec::new();
    for typ in [
        json!("JWT"),
        json!("jwt"),
        json!("id_token"),
        json!("rt+jwt"),
        json!("ws+jwt"),
        json!("reset+jwt"),
        json!("logout+jwt"),
        json!("application/at+jwt"),
        json!("AT+JWT"),
        json!("at+jwt "),
        json!(""),
        json!(null),
        json!(["at+jwt"]),
    ] {
        table.push(("typ", forge.with_header(json!({ "typ": typ }))));
    }
    all_refused(&api, table).await;
}

#[doyen_test::test]
async fn t09_there_is_one_encoding(api: Api) {
    let forge = Forge::of(&api.0).await;
    let good = forge.with_header(json!({}));
    accepted(call(&api.0, &good).await);
    let [head, body, signature] = good.split('.').collect::<Vec<_>>()[..] else {
        panic!("three parts")
    };
    let general =
        json!({ "payload": body, "signatures": [{ "protected": head, "signature": signature }] });
    let flat = json!({ "payload": body, "protected": head, "signature": signature });
    // 64 bytes end in a character with four spare bits: the next one in the alphabet sets one of
    // them.
    let last = signature.chars().last().unwrap();
    let cut = &signature[..signature.len() - 1];
    let spare = format!("{head}.{body}.{cut}{}", char::from(last as u8 + 1));
    let table = vec![
        ("JSON, general", general.to_string()),
        ("JSON, flat", flat.to_string()),
        ("braces", format!("{{{good}}}")),
        ("quotes", format!("\"{good}\"")),
        ("padded header", format!("{head}=.{body}.{signature}")),
        ("padded claims", format!("{head}.{body}==.{signature}")),
        ("padded signature", format!("{head}.{body}.{signature}==")),
        ("plus", format!("{head}.{body}.+{}", &signature[1..])),
        ("slash", format!("{head}.{body}./{}", &signature[1..])),
        ("spare bits", spare),
        ("a space", format!("{good} x")),
        ("one part", head.to_owned()),
        ("two parts", format!("{head}.{body}")),
        ("four parts", format!("{good}.{signature}")),
        ("five parts", format!("{good}.a.b")),
        ("an encrypted form", format!("{head}..{body}.{signature}.x")),
        ("dots", "..".to_owned()),
        ("nothing", String::new()),
        ("two", format!("{good},{good}")),
        (
            "8 KiB",
            forge.with_claims(json!({ "x": "y".repeat(7_000) })),
        ),
        ("short", format!("{head}.{body}.{}", encode([0; 32]))),
        ("long", format!("{head}.{body}.{}", encode([0; 65]))),
        ("zeros", format!("{head}.{body}.{}", encode([0; 64]))),
        ("none", format!("{head}.{body}.")),
    ];
    all_refused(&api, table).await;
    // A header that is not ASCII identifies no caller.
    let answer = call(&api.0, &format!("é{good}")).await;
    assert!((400..=401).contains(&answer.status()), "{answer}");
}

#[doyen_test::test]
async fn t10_extensions_and_duplicate_members_are_refused(api: Api) {
    let forge = Forge::of(&api.0).await;
    let (header, claims) = (forge.header().to_string(), forge.claims().to_string());
    let doubled = |text: &str, member: &str| format!("{{{member},{}", &text[1..]);
    let head = |member| forge.sign(&doubled(&header, member), &claims);
    let body = |member| forge.sign(&header, &doubled(&claims, member));
    let after = |text: &str| format!("{},\"kid\":\"x\"}}", &text[..text.len() - 1]);
    let crit = json!({ "crit": ["x"], "x": 1 });
    let table = vec![
        ("crit", forge.with_header(crit)),
        ("crit, empty", forge.with_header(json!({ "crit": [] }))),
        ("crit, null", head("\"crit\":null")),
        ("b64", forge.with_header(json!({ "b64": false }))),
        ("b64, true", forge.with_header(json!({ "b64": true }))),
        ("zip", forge.with_header(json!({ "zip": "DEF" }))),
        ("cty", forge.with_header(json!({ "cty": "JWT" }))),
        ("alg twice", head("\"alg\":\"none\"")),
        ("alg twice, alike", head("\"alg\":\"Ed25519\"")),
        ("kid twice", head("\"kid\":\"x\"")),
        ("kid twice, behind", forge.sign(&after(&header), &claims)),
        ("kid twice, disguised", head("\"\\u006bid\":\"x\"")),
        ("unknown twice", head("\"x\":1,\"x\":1")),
        ("sub twice", body("\"sub\":\"admin\"")),
        ("exp twice", body("\"exp\":9999999999")),
        ("unknown claim twice", body("\"x\":1,\"x\":1")),
        ("claims a list", forge.sign(&header, "[]")),
        ("claims null", forge.sign(&header, "null")),
        ("header no JSON", forge.sign("x", &claims)),
        ("more", forge.sign(&header, &format!("{claims}{{}}"))),
        ("not UTF-8", {
            let signed = format!("{}.{}", encode(&header), encode(b"{\"sub\":\"\xff\"}"));
            let signature = encode(forge.ed25519(1, signed.as_bytes()));
            format!("{signed}.{signature}")
        }),
    ];
    all_refused(&api, table).await;
}
