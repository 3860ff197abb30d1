//! T16: the key set: public members only, the next key before it signs, and its caching.

use std::sync::Arc;

use doyen::auth::SigningKeys;
use doyen::prelude::*;

use crate::support::{Api, Es256Api, header_of, jwks, kids, token};

const PATH: &str = "/.well-known/jwks.json";

#[doyen_test::test]
async fn t16_the_key_set_may_be_cached_five_minutes_and_has_a_tag(api: Api) {
    let app = &api.0;
    let first = app.get(PATH).send().await.expect(200);
    assert_eq!(
        first.header("content-type"),
        Some("application/jwk-set+json")
    );
    assert_eq!(first.header("cache-control"), Some("public, max-age=300"));
    let etag = first.etag();
    assert!(etag.starts_with('"') && etag.len() > 10, "{etag}");
    let same = app.get(PATH).if_none_match(&etag).send().await.expect(304);
    assert!(same.bytes().is_empty());
    assert_eq!(same.etag(), etag);
    assert_eq!(same.header("cache-control"), Some("public, max-age=300"));
    let other = app.get(PATH).if_none_match("\"other\"").send().await;
    other.expect(200);

    // Another set has another tag; order and text of a set are the same on each node.
    let node = app.another(crate::support::setup()).await;
    assert_eq!(node.get(PATH).send().await.text(), first.text());
    app.inject::<Arc<SigningKeys>>()
        .await
        .rotate(true)
        .await
        .unwrap();
    app.clock().advance(secs(2));
    let changed = app.get(PATH).if_none_match(&etag).send().await.expect(200);
    assert_ne!(changed.etag(), etag);
    assert_eq!(node.get(PATH).send().await.etag(), changed.etag());
}

#[doyen_test::test]
async fn t16_the_next_key_is_published_before_it_signs(api: Api) {
    let app = &api.0;
    let before = kids(app).await;
    assert_eq!(before.len(), 2, "the signing one, and the next");
    assert_eq!(header_of(&token(app).await)["kid"], before[0].as_str());
    let done = app
        .inject::<Arc<SigningKeys>>()
        .await
        .rotate(true)
        .await
        .unwrap();
    assert_eq!(done.current.kid, before[1]);
    assert_eq!(done.retired.kid, before[0]);
    app.clock().advance(secs(2));
    let after = kids(app).await;
    assert_eq!(after, [&*before[1], &*done.next.kid, &*before[0]]);
    assert_eq!(header_of(&token(app).await)["kid"], before[1].as_str());
}

#[doyen_test::test]
async fn t16_no_secret_is_published_or_stored(api: Api) {
    secrets_stay(&api.0).await;
}

#[doyen_test::test]
async fn t16_no_secret_is_published_or_stored_with_es256(api: Es256Api) {
    secrets_stay(&api.0).await;
}

async fn secrets_stay(app: &doyen_test::TestApp) {
    app.inject::<Arc<SigningKeys>>()
        .await
        .rotate(true)
        .await
        .unwrap();
    app.clock().advance(secs(2));
    let set = jwks(app).await;
    for key in set["keys"].as_array().unwrap() {
        for member in key.as_object().unwrap().keys() {
            let public = ["kty", "crv", "x", "y", "kid", "use", "alg"];
            assert!(public.contains(&member.as_str()), "{member}");
        }
    }
    let seed = crate::support::seed(app);
    let stored = format!(
        "{:?}",
        app.inject::<Arc<SigningKeys>>().await.list().await.unwrap()
    );
    for number in 1..=3 {
        for algorithm in ["ed25519", "es256"] {
            let secret = seed.derive(&format!("signing/{algorithm}/{number}"));
            let secret = crate::support::encode(secret);
            assert!(!set.to_string().contains(&secret));
            assert!(!stored.contains(&secret));
        }
    }
    assert!(!stored.contains(seed.to_text().expose().as_str()));
    assert!(!format!("{:?}", app.runtime()).contains(seed.to_text().expose().as_str()));
}
