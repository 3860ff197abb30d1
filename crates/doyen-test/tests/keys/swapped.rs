//! T3 and A2: two keys of two algorithms are published, and a token names the wrong one.

use std::sync::Arc;

use doyen::auth::{Algorithm, SigningKeys};
use serde_json::json;

use crate::support::{Api, Forge, accepted, but, call, jwks, refused, seed};

#[doyen_test::test]
async fn a2_each_key_verifies_its_own_tokens_by_its_own_algorithm(api: Api) {
    let app = &api.0;
    app.inject::<Arc<SigningKeys>>()
        .await
        .begin()
        .await
        .unwrap();
    // Keys 1 and 2 are Ed25519; the third, created with another setting, is ES256.
    let clock = Arc::new(app.clock().clone());
    let database = app.database().clone();
    let keys = SigningKeys::new(
        database,
        seed(app).deriver("signing"),
        Algorithm::Es256,
        clock,
    );
    keys.rotate(true).await.unwrap();
    app.clock().advance(std::time::Duration::from_secs(2));
    let set = jwks(app).await;
    let named = |n: usize| {
        (
            set["keys"][n]["alg"].as_str().unwrap().to_owned(),
            set["keys"][n]["kid"].as_str().unwrap().to_owned(),
        )
    };
    let [(ed, ed_kid), (es, es_kid), (old, old_kid)] = [named(0), named(1), named(2)];
    assert_eq!([&*ed, &*es, &*old], ["Ed25519", "ES256", "Ed25519"]);

    let forge = Forge::of(app).await;
    let claims = forge.claims().to_string();
    let forged = |alg: &str, kid: &str, key: u32| {
        let header = but(forge.header(), json!({ "alg": alg, "kid": kid })).to_string();
        forge.sign_with(&header, &claims, |message| match key {
            3 => forge.es256(3, message),
            key => forge.ed25519(key, message),
        })
    };
    let keys = [
        (&ed_kid, 2, "Ed25519"),
        (&es_kid, 3, "ES256"),
        (&old_kid, 1, "Ed25519"),
    ];
    for (kid, _, _) in keys {
        for (_, signer, _) in keys {
            for alg in ["Ed25519", "ES256", "EdDSA", "HS256", "none"] {
                let answer = call(app, &forged(alg, kid, signer)).await;
                // One in each column is valid: the key of the name, with its own algorithm.
                let good = keys.contains(&(kid, signer, alg));
                if good {
                    accepted(answer);
                } else {
                    refused(answer, &format!("{alg} {kid} signed by {signer}"));
                }
            }
        }
    }
}

#[doyen_test::test]
async fn t03_there_is_no_fallback_for_an_unknown_key(api: Api) {
    let forge = Forge::of(&api.0).await;
    // The name of a key that does not exist, with a signature of an existing one.
    let other = "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k";
    refused(
        call(&api.0, &forge.with_header(json!({ "kid": other }))).await,
        "another name",
    );
    // A derived key that was never published: its signature is valid, and the token is refused.
    let header = but(forge.header(), json!({ "kid": other })).to_string();
    let unpublished = forge.sign_with(&header, &forge.claims().to_string(), |message| {
        forge.ed25519(9, message)
    });
    refused(call(&api.0, &unpublished).await, "key 9");
}
