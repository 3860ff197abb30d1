//! Failures to read the keys, and attempts to overload the reader.

use std::sync::Arc;
use std::time::Duration;

use doyen::auth::{Algorithm, KeyError, Seed, SigningKeys};
use doyen::prelude::*;
use doyen::settings::{Environment, Loader};
use doyen::{Overrides, StartupError};
use doyen_test::{Subject as _, TestApp};
use serde_json::json;

use crate::support::{Api, Forge, accepted, call, kids, refused, setup, token};

/// Invented names make a node read the keys at most five times a second: in between, an existing
/// key is not found either.
#[doyen_test::test]
async fn t05_invented_names_do_not_overload_the_database(api: Api) {
    let app = &api.0;
    let forge = Forge::of(app).await;
    app.clock().advance(Duration::from_millis(300));
    let invented = |n: u32| forge.with_header(json!({ "kid": format!("{n:043}") }));
    refused(call(app, &invented(0)).await, "it looks");

    let keys = app.inject::<Arc<SigningKeys>>().await;
    keys.rotate(true).await.unwrap();
    keys.rotate(true).await.unwrap();
    let new = token(&app.another(setup()).await).await;
    for n in 1..50 {
        refused(call(app, &invented(n)).await, "the keys are not read again");
    }
    refused(call(app, &new).await, "not even for this one");
    app.clock().advance(Duration::from_millis(200));
    accepted(call(app, &new).await);
}

#[doyen_test::test]
async fn without_the_table_only_time_changes_the_keys(api: Api) {
    let app = &api.0;
    let keys = app.inject::<Arc<SigningKeys>>().await;
    let forge = Forge::of(app).await;
    keys.rotate(true).await.unwrap();
    app.clock().advance(secs(2));
    let before = kids(app).await;
    app.execute("ALTER TABLE doyen_signing_keys RENAME TO away", [])
        .await;
    app.clock().advance(HOUR);
    let retired = forge.with_claims(json!({ "exp": forge.now + 400_000 }));
    accepted(call(app, &retired).await);
    let new = token(app).await;
    accepted(call(app, &new).await);
    refused(
        call(app, &forge.with_header(json!({ "kid": "x" }))).await,
        "an unknown key",
    );
    assert_eq!(kids(app).await, before);
    // The time of a retired key ends all the same.
    app.clock().advance(DAY);
    refused(call(app, &retired).await, "dropped");

    // A node that starts now has the first keys of the seed, and follows the table once it exists.
    let late = app.another(setup()).await;
    assert_ne!(kids(&late).await, before);
    app.execute("ALTER TABLE away RENAME TO doyen_signing_keys", [])
        .await;
    app.clock().advance(secs(1));
    assert_eq!(kids(&late).await, before[..2]);
    let new = token(&late).await;
    accepted(call(app, &new).await);
}

/// Starts the application on this database with this seed.
async fn start(app: &TestApp, seed: &Seed) -> Result<(), StartupError> {
    let loader = Loader::new("APP")
        .env(std::iter::empty::<(String, String)>())
        .environment(Environment::Test)
        .set("database.url", app.database_url())
        .set("auth.signing_key", seed.to_text().expose().as_str());
    let started = Box::pin(Api::app().start(loader, Overrides::default())).await?;
    started.stop().await;
    Ok(())
}

#[doyen_test::test]
async fn keys_of_another_seed_are_refused_at_start_until_they_are_reset(api: Api) {
    let app = &api.0;
    app.inject::<Arc<SigningKeys>>()
        .await
        .begin()
        .await
        .unwrap();
    let (own, other) = (crate::support::seed(app), Seed::generate().unwrap());
    let old = token(app).await;
    start(app, &own).await.unwrap();
    let error = start(app, &other).await.unwrap_err().to_string();
    for word in ["`auth.signing_key`", "key 1", "keys reset"] {
        assert!(error.contains(word), "{error}");
    }
    for secret in [&own, &other] {
        assert!(!error.contains(secret.to_text().expose().as_str()));
    }

    let clock = std::sync::Arc::new(app.clock().clone());
    let database = app.database().clone();
    let keys = SigningKeys::new(
        database,
        other.deriver("signing"),
        Algorithm::Ed25519,
        clock,
    );
    let error = keys.rotate(true).await.unwrap_err();
    assert!(matches!(error, KeyError::OtherSeed { number: 1 }));
    assert_eq!(
        keys.reset().await.unwrap().number,
        3,
        "the numbers continue"
    );
    start(app, &other).await.unwrap();
    start(app, &own).await.unwrap_err();

    // A node that still runs with the old seed keeps its keys. It must be restarted.
    app.clock().advance(secs(2));
    accepted(call(app, &old).await);
}

/// A reset with the same seed does not restore an old key.
#[doyen_test::test]
async fn after_a_reset_every_token_is_refused(api: Api) {
    let app = &api.0;
    let old = token(app).await;
    accepted(call(app, &old).await);
    app.inject::<Arc<SigningKeys>>()
        .await
        .rotate(true)
        .await
        .unwrap();
    app.inject::<Arc<SigningKeys>>()
        .await
        .reset()
        .await
        .unwrap();
    app.clock().advance(secs(1));
    refused(call(app, &old).await, "of key 1");
    let new = token(app).await;
    accepted(call(app, &new).await);
    assert_eq!(kids(app).await.len(), 2);
}
