//! T16: keys change without an outage: on the node that rotates, on another node, and during the
//! rotation.

use std::sync::Arc;

use doyen::auth::{KEY_SET_MAX_AGE, KeyError, KeyState, SigningKeys};
use doyen::prelude::*;
use serde_json::json;

use crate::support::{Api, Forge, accepted, call, header_of, kids, refused, setup, token};

/// A minute after caches of the key set have expired.
const CACHES_EXPIRED: std::time::Duration = secs(KEY_SET_MAX_AGE.as_secs() + 60);

#[doyen_test::test]
async fn t16_a_rotation_reaches_every_node_and_no_caller(api: Api) {
    let app = &api.0;
    let other = app.another(setup()).await;
    app.inject::<Arc<SigningKeys>>()
        .await
        .begin()
        .await
        .unwrap();
    let forge = Forge::of(app).await;
    let old = token(app).await;
    let published = kids(&other).await;
    let [first, second] = &published[..] else {
        panic!("two keys")
    };
    accepted(call(&other, &old).await);

    app.clock().advance(CACHES_EXPIRED);
    let done = app
        .inject::<Arc<SigningKeys>>()
        .await
        .rotate(false)
        .await
        .unwrap();
    assert_eq!(done.current.kid, *second);
    // The other node reads it without a notification, and signs with the new key.
    for node in [&other, app] {
        accepted(call(node, &old).await);
        let new = token(node).await;
        assert_eq!(header_of(&new)["kid"], second.as_str());
        accepted(call(app, &new).await);
        accepted(call(&other, &new).await);
        assert_eq!(kids(node).await, [second.as_str(), &done.next.kid, first]);
    }

    // The retired key can still sign for a day. Then it is dropped, whatever the `iat` of its
    // tokens.
    let stolen = forge.with_claims(json!({ "exp": forge.now + 400_000 }));
    app.clock().advance(DAY);
    accepted(call(app, &stolen).await);
    accepted(call(&other, &stolen).await);
    refused(call(&other, &old).await, "it has expired");
    app.clock().advance(MINUTE);
    for node in [app, &other] {
        refused(call(node, &stolen).await, "the key is dropped");
        assert_eq!(kids(node).await, [second.as_str(), &done.next.kid]);
        let new = token(node).await;
        accepted(call(node, &new).await);
    }
}

#[doyen_test::test]
async fn t16_a_key_that_caches_may_lack_does_not_sign_yet(api: Api) {
    let app = &api.0;
    let keys = app.inject::<Arc<SigningKeys>>().await;
    keys.begin().await.unwrap();
    let before = keys.list().await.unwrap();
    app.clock().advance(KEY_SET_MAX_AGE);
    let error = keys.rotate(false).await.unwrap_err();
    assert!(matches!(error, KeyError::TooEarly { number: 2, .. }));
    assert!(error.to_string().contains("--force"), "{error}");
    assert_eq!(keys.list().await.unwrap(), before, "nothing was done");
    app.clock().advance(secs(10));
    keys.rotate(false).await.unwrap();
    let again = keys.rotate(false).await.unwrap_err();
    assert!(matches!(again, KeyError::TooEarly { number: 3, .. }));
    keys.rotate(true).await.unwrap();
}

#[doyen_test::test]
async fn one_of_concurrent_rotations_succeeds(api: Api) {
    let app = &api.0;
    let other = app.another(setup()).await;
    app.inject::<Arc<SigningKeys>>()
        .await
        .begin()
        .await
        .unwrap();
    app.clock().advance(CACHES_EXPIRED);
    let rotations = (0..8).map(|n| {
        let node = if n % 2 == 0 { app } else { &other }.clone();
        tokio::spawn(async move {
            let keys = node.inject::<Arc<SigningKeys>>().await;
            keys.rotate(false).await
        })
    });
    let rotations: Vec<_> = rotations.collect();
    let mut done = 0;
    for rotation in rotations {
        match rotation.await.unwrap() {
            Ok(_) => done += 1,
            Err(KeyError::TooEarly { .. } | KeyError::Meanwhile) => {}
            Err(error) => panic!("{error}"),
        }
    }
    assert_eq!(done, 1);
    let states: Vec<KeyState> = app
        .inject::<Arc<SigningKeys>>()
        .await
        .list()
        .await
        .unwrap()
        .iter()
        .map(|key| key.state)
        .collect();
    assert_eq!(
        states,
        [KeyState::Retired, KeyState::Current, KeyState::Next]
    );
}

/// Nodes that start at the same time on an empty table write the same keys.
#[doyen_test::test]
async fn concurrent_first_starts_agree(api: Api) {
    let app = &api.0;
    let starts = (0..6).map(|_| {
        let node = app.clone();
        tokio::spawn(async move { node.inject::<Arc<SigningKeys>>().await.begin().await })
    });
    let starts: Vec<_> = starts.collect();
    for start in starts {
        start.await.unwrap().unwrap();
    }
    let keys = app.inject::<Arc<SigningKeys>>().await.list().await.unwrap();
    let stored: Vec<&str> = keys.iter().map(|key| &*key.kid).collect();
    assert_eq!(
        stored,
        kids(app).await,
        "the keys published before are the ones written"
    );
}

#[doyen_test::test]
async fn t16_a_retired_key_can_be_dropped_at_once_and_the_others_stay(api: Api) {
    let app = &api.0;
    let other = app.another(setup()).await;
    let keys = app.inject::<Arc<SigningKeys>>().await;
    let old = token(app).await;
    keys.rotate(true).await.unwrap();
    app.clock().advance(secs(2));
    accepted(call(app, &old).await);
    accepted(call(&other, &old).await);
    let new = token(app).await;
    accepted(call(&other, &new).await);

    for number in [2, 3, 9] {
        let error = keys.drop_retired(number).await.unwrap_err();
        assert!(matches!(error, KeyError::NotRetired { .. }), "{error}");
    }
    keys.drop_retired(1).await.unwrap();
    app.clock().advance(secs(1));
    for node in [app, &other] {
        refused(call(node, &old).await, "although it was verified before");
        accepted(call(node, &new).await);
        assert_eq!(kids(node).await.len(), 2);
    }
    assert!(keys.drop_retired(1).await.is_err(), "once");
}

/// A token has a key that was just created: the node reads the keys before it refuses.
#[doyen_test::test]
async fn t16_an_unknown_key_is_looked_up_at_once(api: Api) {
    let app = &api.0;
    let other = app.another(setup()).await;
    accepted(call(&other, &token(app).await).await);
    // Twice in a row: the third key was never published to the other node.
    app.inject::<Arc<SigningKeys>>()
        .await
        .rotate(true)
        .await
        .unwrap();
    app.inject::<Arc<SigningKeys>>()
        .await
        .rotate(true)
        .await
        .unwrap();
    app.inject::<Arc<SigningKeys>>().await.list().await.unwrap();
    app.clock().advance(std::time::Duration::from_millis(999));
    // The first node reads the keys as well, without a notification.
    let (third, forge) = (app.another(setup()).await, Forge::of(&other).await);
    let new = token(&third).await;
    assert_ne!(header_of(&new)["kid"], forge.kid.as_str());
    accepted(call(&other, &new).await);
    accepted(call(app, &new).await);
}
