//! T17: the name of a token's algorithm; and ES256, whose signatures have one encoding.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use doyen::auth::{Algorithm, SigningKeys};
use serde_json::json;

use crate::support::{
    Api, Es256Api, Forge, accepted, but, call, encode, header_of, jwks, refused, token,
};

#[doyen_test::test]
async fn t17_ed25519_has_its_current_name_and_no_other_is_accepted(api: Api) {
    let issued = token(&api.0).await;
    let header = header_of(&issued);
    assert_eq!(header["alg"], "Ed25519");
    assert_eq!(header["typ"], "at+jwt");
    let members: Vec<&String> = header.as_object().unwrap().keys().collect();
    assert_eq!(members.len(), 3, "{members:?}");
    assert_eq!(jwks(&api.0).await["keys"][0]["alg"], "Ed25519");
    accepted(call(&api.0, &issued).await);
    let forge = Forge::of(&api.0).await;
    let old = forge.with_header(json!({ "alg": "EdDSA" }));
    refused(call(&api.0, &old).await, "the old name");
}

#[doyen_test::test]
async fn t17_es256_is_a_setting(api: Es256Api) {
    let issued = token(&api.0).await;
    assert_eq!(header_of(&issued)["alg"], "ES256");
    accepted(call(&api.0, &issued).await);
    let key = &jwks(&api.0).await["keys"][0];
    assert_eq!((&key["kty"], &key["crv"]), (&json!("EC"), &json!("P-256")));
    assert_eq!(key["kid"], header_of(&issued)["kid"]);

    let forge = Forge::of(&api.0).await;
    let header = but(forge.header(), json!({ "alg": "ES256" })).to_string();
    let claims = forge.claims().to_string();
    let good = forge.sign_with(&header, &claims, |message| forge.es256(1, message));
    accepted(call(&api.0, &good).await);
    let (signed, signature) = good.rsplit_once('.').unwrap();
    let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
    assert_eq!(signature.len(), 64);
    let (r, s) = signature.split_at(32);
    let der = [&[0x30, 0x46, 0x02, 0x21, 0], r, &[0x02, 0x21, 0], s].concat();
    for (what, wrong) in [
        ("DER", der),
        ("zeros", vec![0; 64]),
        ("r alone", r.to_vec()),
        ("s and r", [s, r].concat()),
        ("s is zero", [r, &[0; 32]].concat()),
        ("more", [&signature[..], &[0]].concat()),
    ] {
        let forged = format!("{signed}.{}", encode(wrong));
        refused(call(&api.0, &forged).await, what);
    }
}

/// Another setting creates another kind of key, and existing keys keep theirs: tokens of both are
/// valid meanwhile.
#[doyen_test::test]
async fn another_algorithm_takes_effect_by_rotation(api: Api) {
    let app = &api.0;
    app.inject::<Arc<SigningKeys>>()
        .await
        .begin()
        .await
        .unwrap();
    let es256 = app
        .another(crate::support::setup().set("auth.algorithm", "es256"))
        .await;
    let day = std::time::Duration::from_secs(3600);
    let mut issued = vec![token(&es256).await];
    for alg in ["Ed25519", "ES256"] {
        assert_eq!(header_of(&issued[0])["alg"], "Ed25519");
        app.clock().advance(day);
        let done = es256
            .inject::<Arc<SigningKeys>>()
            .await
            .rotate(false)
            .await
            .unwrap();
        assert_eq!(done.current.algorithm.as_str(), alg);
        assert_eq!(done.next.algorithm, Algorithm::Es256);
        accepted(call(app, &issued[0]).await);
        issued.push(token(app).await);
    }
    assert_eq!(header_of(&issued[2])["alg"], "ES256");
    for node in [app, &es256] {
        for token in &issued {
            accepted(call(node, token).await);
        }
    }
}
