//! Keys compared with the values that the standards print.

use super::testing::{raw_ed25519, raw_p256};
use doyen_secret::Seed;

use super::*;

/// The key of RFC 8037, appendix A.
fn rfc_8037() -> KeyRing {
    raw_ed25519("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A")
}

#[test]
fn the_key_of_rfc_8037_has_the_thumbprint_printed_there() {
    let ring = rfc_8037();
    assert_eq!(
        ring.public_key(),
        "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"
    );
    assert_eq!(ring.kid(), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
}

#[test]
fn the_signature_of_rfc_8037_comes_out() {
    let signature = rfc_8037().sign(b"eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc");
    let expected =
        "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";
    assert_eq!(URL_SAFE_NO_PAD.encode(signature.unwrap()), expected);
}

/// The key of RFC 7517, appendix A: the secret of A.2 yields the public key of A.1.
#[test]
fn the_p256_key_of_rfc_7517_comes_out_of_its_secret() {
    let ring = raw_p256("870MB6gfuTJ4HtUnUvYMyJpr5eUZNP4Bk43bVdj3eAE");
    let jwk = &ring.jwks()["keys"][0];
    assert_eq!(jwk["x"], "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4");
    assert_eq!(jwk["y"], "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM");
    assert_eq!(
        (&jwk["kty"], &jwk["crv"], &jwk["alg"]),
        (&json!("EC"), &json!("P-256"), &json!("ES256"))
    );
    assert_eq!(ring.kid(), "cn-I_WNMClehiVp51i_0VpOENW1upEerA8sEam5hn-s");
}

/// The signature of RFC 7515, appendix A.3, in the format of JOSE: 64 bytes.
#[test]
fn the_es256_signature_of_rfc_7515_holds_and_no_other_form_does() {
    let ring = raw_p256("jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI");
    let message = b"eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
    let printed =
        "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";
    let printed = URL_SAFE_NO_PAD.decode(printed).unwrap();
    let key = ring.find(ring.kid()).unwrap();
    assert!(key.verify(message, &printed));
    assert!(!key.verify(b"another message", &printed));

    let ours = ring.sign(message).unwrap();
    assert!(key.verify(message, &ours));
    assert_ne!(
        ours,
        ring.sign(message).unwrap(),
        "each signature has another nonce"
    );
    let (r, s) = ours.split_at(32);
    let der = [&[0x30, 0x46, 0x02, 0x21, 0x00], r, &[0x02, 0x21, 0x00], s].concat();
    for wrong in [
        &der,
        &ours[..63].to_vec(),
        &[&ours[..], &[0]].concat(),
        &[0; 64].to_vec(),
        &[r, &[0; 32]].concat(),
        &[&[0; 32], s].concat(),
        &[s, r].concat(),
        &vec![0xff; 64],
        &Vec::new(),
    ] {
        assert!(!key.verify(message, wrong), "{} bytes", wrong.len());
    }
}

#[test]
fn the_key_set_is_public_and_its_tag_changes_with_it() {
    let seed = Seed::generate().unwrap();
    let keys = seed.deriver("signing");
    let ring = KeyRing::first(&keys, Algorithm::Es256).unwrap();
    let alone = ring.key_set();
    let both = ring
        .and(&keys, Algorithm::Ed25519, 2)
        .unwrap()
        .and(&keys, Algorithm::Ed25519, 2)
        .unwrap();
    let jwks = both.jwks();
    let keys = jwks["keys"].as_array().unwrap();
    assert_eq!(keys.len(), 2);
    for key in keys {
        for (member, _) in key.as_object().unwrap() {
            let public = ["kty", "crv", "x", "y", "kid", "use", "alg"];
            assert!(public.contains(&member.as_str()), "{member}");
        }
    }
    assert_ne!(both.key_set().etag, alone.etag);
    assert!(alone.etag.starts_with('"') && alone.etag.ends_with('"'));
    for secret in [
        seed.to_text().expose().clone(),
        URL_SAFE_NO_PAD.encode(seed.derive("signing/es256/1")),
        URL_SAFE_NO_PAD.encode(seed.derive("signing/ed25519/2")),
    ] {
        assert!(!both.key_set().json.contains(&secret));
        assert!(!format!("{both:?}").contains(&secret));
    }
}

#[test]
fn a_public_key_that_is_none_is_refused() {
    // The last two are points of small order, under which anyone can sign.
    for text in [
        "",
        "abc",
        "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo=",
        &URL_SAFE_NO_PAD.encode([0; 32]),
        &{
            let mut one = [0; 32];
            one[0] = 1;
            URL_SAFE_NO_PAD.encode(one)
        },
    ] {
        assert!(rfc_8037().also_trust(text).is_err(), "{text}");
    }
}

#[test]
fn a_key_has_the_name_of_its_own_algorithm_and_no_other() {
    let keys = Seed::generate().unwrap().deriver("signing");
    let ring = KeyRing::new(&keys)
        .unwrap()
        .and(&keys, Algorithm::Es256, 2)
        .unwrap();
    let named = |ring: &KeyRing, at: usize| {
        let all = ["Ed25519", "EdDSA", "ES256", "es256", "HS256", "none", ""];
        all.into_iter()
            .filter(|alg| ring.is_algorithm(&ring.keys[at], alg))
            .collect::<Vec<_>>()
    };
    assert_eq!(named(&ring, 0), ["Ed25519"]);
    assert_eq!(named(&ring, 1), ["ES256"]);
    let ring = ring.algorithm_name(AlgorithmName::EdDsa);
    assert_eq!(named(&ring, 0), ["Ed25519", "EdDSA"]);
    assert_eq!(named(&ring, 1), ["ES256"]);
    assert_eq!(ring.jwks()["keys"][0]["alg"], "EdDSA");
}
