//! API keys: format, scopes, and end.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use doyen_test::{Answer, TestApp};
use serde_json::json;

use crate::api_keys_app::{
    ApiKeysApp, DEFAULT_SCOPES, KeyOwner, SignUp as _, events, issue, setup,
};

/// A call with this key.
async fn with(app: &TestApp, key: &str, method: &str, target: &str) -> Answer {
    app.request(method, target)
        .header("x-api-key", key)
        .send()
        .await
}

async fn status(app: &TestApp, key: &str) -> u16 {
    with(app, key, "GET", "/things").await.status()
}

/// The status for a client at this address.
async fn from(app: &TestApp, key: &str, address: &str) -> u16 {
    let peer: SocketAddr = address.parse().unwrap();
    let request = http::Request::get("/things").header("x-api-key", key);
    let request = request.body(doyen::web::Body::empty()).unwrap();
    let answer = Box::pin(app.service().handle(request, Some(peer))).await;
    answer.status().as_u16()
}

async fn made(person: &KeyOwner, scopes: &[&str]) -> (String, String) {
    let answer = person.make(scopes).await.expect(201);
    (answer.text_at("/id"), answer.text_at("/key"))
}

#[doyen_test::test]
async fn k1_a_key_is_shown_once_and_kept_as_a_hash(app: ApiKeysApp) {
    let ada = app.sign_up(DEFAULT_SCOPES).await;
    let answer = ada
        .make_with(json!({"name": "nightly export", "scopes": ["things:read"]}))
        .await
        .expect(201);
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let key = answer.text_at("/key");
    let secret = key.strip_prefix("house_").unwrap();
    assert!(
        secret.len() == 49 && secret.bytes().all(|byte| byte.is_ascii_alphanumeric()),
        "{key}"
    );

    let list = ada
        .request("GET", "/v1/me/api-keys")
        .send()
        .await
        .expect(200);
    assert!(!list.text().contains(secret));
    assert_eq!(list.text_at("/items/0/name"), "nightly export");
    assert_eq!(list.at("/items/0/scopes"), json!(["things:read"]));
    assert_eq!(list.text_at("/items/0/hint"), key[..10]);

    // O5: neither the key nor its secret is in the database, in any encoding.
    for column in ["hint", "name", "scopes", "owner"] {
        let sql = format!("SELECT count(*) FROM auth_keys WHERE {column} LIKE '%{secret}%'");
        assert_eq!(number(&app, &sql).await, 0);
    }
    let hex = match app.backend() {
        doyen_test::Backend::Sqlite => "hex(hash)",
        doyen_test::Backend::Postgres => "upper(encode(hash, 'hex'))",
    };
    let raw: String = secret.bytes().map(|byte| format!("{byte:02X}")).collect();
    let sql = format!("SELECT count(*) FROM auth_keys WHERE {hex} LIKE '%{raw}%'");
    assert_eq!(number(&app, &sql).await, 0);
    let sql = format!("SELECT count(*) FROM auth_keys WHERE length({hex}) = 64");
    assert_eq!(number(&app, &sql).await, 1);
}

async fn number(app: &TestApp, sql: &str) -> i64 {
    let session = app.database().session(doyen::domain::Access::Read);
    use doyen::data::sea_orm::{ConnectionTrait as _, Statement};
    let statement = Statement::from_string(app.database().backend(), sql);
    let row = session.query_one_raw(statement).await.unwrap().unwrap();
    row.try_get_by_index(0).unwrap()
}

#[doyen_test::test]
async fn k1_a_key_is_its_owner_within_its_scopes(app: ApiKeysApp) {
    let ada = app.sign_up(DEFAULT_SCOPES).await;
    let (id, key) = made(&ada, &["things:read"]).await;
    let who = with(&app, &key, "GET", "/who").await.expect(200);
    assert_eq!(
        who.json(),
        json!({"subject": ada.subject, "scopes": ["things:read"], "roles": ["user"], "key": id, "session": null})
    );
    with(&app, &key, "GET", "/things").await.expect(200);
    // T12: a route outside its scopes refuses it and names the scope.
    let refused = with(&app, &key, "POST", "/things")
        .await
        .expect_problem(403, "forbidden");
    let challenge = refused.header("www-authenticate").unwrap();
    assert!(
        challenge.contains("insufficient_scope") && challenge.contains("scope=\"things:write\""),
        "{refused}"
    );
}

#[doyen_test::test]
async fn k1_a_key_is_read_from_its_header_only(app: ApiKeysApp) {
    let ada = app.sign_up(DEFAULT_SCOPES).await;
    let (_, key) = made(&ada, &["things:read"]).await;
    for target in [
        format!("/who?api_key={key}"),
        format!("/who?x-api-key={key}"),
        format!("/who?access_token={key}"),
    ] {
        app.get(target)
            .send()
            .await
            .expect_problem(401, "unauthenticated");
    }
    app.get("/who")
        .header("cookie", format!("x-api-key={key}"))
        .send()
        .await
        .expect(401);
    app.get("/who").bearer(&key).send().await.expect(401);
    // T12: two credentials are refused, whatever they are.
    app.get("/who")
        .bearer(&ada.token)
        .header("x-api-key", &key)
        .send()
        .await
        .expect_problem(400, "invalid_request");
}

#[doyen_test::test]
async fn k1_invalid_keys_get_the_same_response(app: ApiKeysApp) {
    let ada = app.sign_up(DEFAULT_SCOPES).await;
    let (id, key) = made(&ada, &["things:read"]).await;
    let expiring =
        json!({"name": "short", "scopes": ["things:read"], "expires_at": "2026-11-22T08:31:00Z"});
    let short = ada.make_with(expiring).await.expect(201).text_at("/key");
    assert_eq!(status(&app, &short).await, 200);
    // Exact expiry: the microsecond before is valid, the time itself is not, and no cache extends
    // it.
    app.clock().advance(Duration::from_micros(59_999_999));
    assert_eq!(status(&app, &short).await, 200);
    app.clock().advance(Duration::from_micros(1));
    ada.revoke(&id).await.expect(204);
    let unknown = stranger();
    let mut bodies = Vec::new();
    for wrong in [
        short.as_str(),
        &key,
        &unknown,
        "x",
        "house_",
        &key[..key.len() - 1],
        &format!("{key}x"),
        &key.replace("house_", "horse_"),
        &"x".repeat(8_000),
    ] {
        let answer = with(&app, wrong, "GET", "/things")
            .await
            .expect_problem(401, "invalid_key");
        let challenge = answer.header("www-authenticate").unwrap();
        assert_eq!(
            challenge, "Bearer realm=\"api\", ApiKey realm=\"api\"",
            "{answer}"
        );
        let mut body = answer.json();
        body["request_id"] = json!(null);
        bodies.push(body);
        // On a public route it is ignored.
        let open = with(&app, wrong, "GET", "/open").await.expect(200);
        assert_eq!(open.at("/subject"), json!(null));
    }
    assert!(
        bodies.windows(2).all(|pair| pair[0] == pair[1]),
        "{bodies:?}"
    );
}

/// A well-formed key that was never issued.
fn stranger() -> String {
    "house_0000000000000000000000000000000000000000000".to_owned()
        + &check("house_0000000000000000000000000000000000000000000")
}

/// The checksum, computed from its description in the guide.
fn check(text: &str) -> String {
    let mut crc = u32::MAX;
    for byte in text.bytes() {
        crc ^= u32::from(byte);
        for _ in 0..8 {
            crc = (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg());
        }
    }
    let mut rest = !crc;
    let mut out = Vec::new();
    for _ in 0..6 {
        let digit = (rest % 62) as u8;
        out.push(match digit {
            0..=9 => b'0' + digit,
            10..=35 => b'A' + digit - 10,
            _ => b'a' + digit - 36,
        });
        rest /= 62;
    }
    out.reverse();
    String::from_utf8(out).unwrap()
}

/// A9: a guess with a wrong checksum causes no query; one with a right checksum causes one lookup
/// by the hash.
#[doyen_test::test]
async fn a9_guesses_are_refused_without_the_database(app: ApiKeysApp) {
    let ada = app.sign_up(DEFAULT_SCOPES).await;
    let (_, key) = made(&ada, &["things:read"]).await;
    assert!(
        key.ends_with(&check(&key[..key.len() - 6])),
        "the published checksum is the one in keys"
    );
    assert_eq!(status(&app, &key).await, 200);
    app.clock().advance(Duration::from_secs(60));
    // The database is unavailable from now on.
    app.database().close().await;
    for at in 6..key.len() {
        let mut wrong = key.clone().into_bytes();
        wrong[at] = if wrong[at] == b'x' { b'y' } else { b'x' };
        let wrong = String::from_utf8(wrong).unwrap();
        with(&app, &wrong, "GET", "/things")
            .await
            .expect_problem(401, "invalid_key");
    }
    // An expired cache entry is not used because the database is unavailable: the response is
    // a 503.
    assert!(status(&app, &key).await >= 500);
    assert!(with(&app, &stranger(), "GET", "/things").await.status() >= 500);
}

#[doyen_test::test]
async fn k1_a_hot_key_asks_no_database(app: ApiKeysApp) {
    let ada = app.sign_up(DEFAULT_SCOPES).await;
    let (_, key) = made(&ada, &["things:read"]).await;
    assert_eq!(status(&app, &key).await, 200);
    app.database().close().await;
    for _ in 0..50 {
        assert_eq!(status(&app, &key).await, 200);
    }
}

#[doyen_test::test]
async fn k1_a_revoked_key_is_dead_at_once_here_and_within_a_second_elsewhere(app: ApiKeysApp) {
    let other = app.another(setup()).await;
    let ada = app.sign_up(DEFAULT_SCOPES).await;
    let (id, key) = made(&ada, &["things:read"]).await;
    assert_eq!(
        (status(&app, &key).await, status(&other, &key).await),
        (200, 200)
    );
    ada.revoke(&id).await.expect(204);
    assert_eq!(status(&app, &key).await, 401);
    app.clock().advance(Duration::from_secs(1));
    assert_eq!(status(&other, &key).await, 401);
    assert!(ada.keys().await.is_empty());
    ada.revoke(&id)
        .await
        .expect_problem(404, "api_key_not_found");
}

#[doyen_test::test]
async fn k1_a_key_follows_its_owner(app: ApiKeysApp) {
    let ada = app.sign_up(DEFAULT_SCOPES).await;
    let (_, key) = made(&ada, &["things:read", "things:write"]).await;
    with(&app, &key, "POST", "/things").await.expect(204);
    let later = || app.clock().advance(Duration::from_secs(1));

    // Fewer scopes of the owner restrict the key; further ones do not extend it.
    ada.set_column("scopes", "things:read profile house:keep")
        .await;
    later();
    with(&app, &key, "POST", "/things")
        .await
        .expect_problem(403, "forbidden");
    with(&app, &key, "GET", "/v1/security-events")
        .await
        .expect_problem(403, "forbidden");
    with(&app, &key, "GET", "/things").await.expect(200);

    ada.set_column("disabled", 1).await;
    later();
    with(&app, &key, "GET", "/things")
        .await
        .expect_problem(401, "invalid_key");
    ada.set_column("disabled", 0).await;
    later();
    with(&app, &key, "GET", "/things").await.expect(200);

    app.execute(
        "DELETE FROM people WHERE subject = $1",
        [ada.subject.clone().into()],
    )
    .await;
    later();
    with(&app, &key, "GET", "/things")
        .await
        .expect_problem(401, "invalid_key");
}

#[doyen_test::test]
async fn k1_a_key_never_exceeds_the_scopes_of_its_owner(app: ApiKeysApp) {
    let ada = app.sign_up("things:read profile").await;
    let answer = ada
        .make(&["things:read", "things:write", "house:keep"])
        .await
        .expect_problem(422, "invalid");
    assert_eq!(answer.failures(), ["/scopes/1 scope", "/scopes/2 scope"]);
    for (wrong, failure) in [
        (
            json!({"name": "", "scopes": ["things:read"]}),
            "/name length",
        ),
        (json!({"name": "x", "scopes": []}), "/scopes items"),
        (json!({"name": "x"}), "/scopes required"),
        (
            json!({"name": "x", "scopes": ["things:read"], "expires_at": "2026-11-22T08:30:00Z"}),
            "/expires_at future",
        ),
        (
            json!({"name": "x", "scopes": ["things:read"], "expires_at": "soon"}),
            "/expires_at format",
        ),
        (
            json!({"name": "x", "scopes": ["things:read"], "owner": "usr_1"}),
            "/owner unknown_field",
        ),
    ] {
        let answer = ada.make_with(wrong).await.expect(422);
        assert_eq!(answer.failures(), [failure]);
    }
    assert!(ada.keys().await.is_empty());
    // A scope that is requested twice is granted once.
    let twice = ada.make(&["things:read", "things:read"]).await.expect(201);
    assert_eq!(twice.at("/scopes"), json!(["things:read"]));
}

#[doyen_test::test]
async fn k1_only_a_person_manages_keys(app: ApiKeysApp) {
    let ada = app.sign_up(DEFAULT_SCOPES).await;
    let (id, key) = made(&ada, &["things:read", "profile"]).await;
    let machine = {
        let mut caller = doyen::domain::Caller::new("cli_1");
        caller.key = Some("cli_1".into());
        caller.scopes = vec!["profile".into()];
        issue(&app, &caller).await
    };
    for (method, target) in [
        ("POST", "/v1/me/api-keys".to_owned()),
        ("GET", "/v1/me/api-keys".to_owned()),
        ("DELETE", format!("/v1/me/api-keys/{id}")),
    ] {
        let mut call = app.request(method, &target).header("x-api-key", &key);
        if method == "POST" {
            call = call.json(&json!({"name": "more", "scopes": ["profile"]}));
        }
        call.send().await.expect_problem(403, "session_required");
        let mut call = app.request(method, &target).bearer(&machine);
        if method == "POST" {
            call = call.json(&json!({"name": "more", "scopes": ["profile"]}));
        }
        call.send().await.expect_problem(403, "session_required");
    }
    assert_eq!(ada.keys().await.len(), 1);
}

#[doyen_test::test]
async fn k1_another_ones_key_is_not_there(app: ApiKeysApp) {
    let (ada, bob) = (
        app.sign_up(DEFAULT_SCOPES).await,
        app.sign_up(DEFAULT_SCOPES).await,
    );
    let (id, key) = made(&ada, &["things:read"]).await;
    assert!(bob.keys().await.is_empty());
    let foreign = bob
        .revoke(&id)
        .await
        .expect_problem(404, "api_key_not_found");
    let never = bob
        .revoke("key_01jd9m3z6veqjsk4dy2hjcg8x4")
        .await
        .expect_problem(404, "api_key_not_found");
    assert_eq!(foreign.json()["detail"], never.json()["detail"]);
    assert_eq!(status(&app, &key).await, 200);
}

/// A45: concurrent requests cannot exceed the maximum number of keys.
#[doyen_test::test]
async fn k1_the_number_of_keys_is_limited(app: ApiKeysApp) {
    let ada = app.sign_up(DEFAULT_SCOPES).await;
    let all = (0..12).map(|_| {
        let ada = ada.clone();
        tokio::spawn(async move { ada.make(&["things:read"]).await })
    });
    let mut answers = Vec::new();
    for one in all.collect::<Vec<_>>() {
        answers.push(one.await.unwrap());
    }
    let made = answers.iter().filter(|answer| answer.status() == 201);
    assert_eq!(made.count(), 5);
    for refused in answers.into_iter().filter(|answer| answer.status() != 201) {
        refused.expect_problem(409, "too_many_api_keys");
    }
    let keys = ada.keys().await;
    assert_eq!(keys.len(), 5);
    // Revoking a key allows another, for this user only.
    ada.revoke(keys[0]["id"].as_str().unwrap())
        .await
        .expect(204);
    ada.make(&["things:read"]).await.expect(201);
    app.sign_up(DEFAULT_SCOPES)
        .await
        .make(&["things:read"])
        .await
        .expect(201);
}

#[doyen_test::test]
async fn k1_the_list_has_time_and_address_of_the_last_use(app: ApiKeysApp) {
    let ada = app.sign_up(DEFAULT_SCOPES).await;
    let (_, key) = made(&ada, &["things:read"]).await;
    assert_eq!(ada.keys().await[0]["last_used_at"], json!(null));
    assert_eq!(from(&app, &key, "192.0.2.7:4000").await, 200);
    let used = &ada.keys().await[0];
    assert_eq!(used["last_used_at"], json!("2026-11-22T08:30:00.000000Z"));
    assert_eq!(used["last_address"], json!("192.0.2.7"));

    // Within the minute nothing is written for the same address.
    app.clock().advance(Duration::from_secs(30));
    assert_eq!(from(&app, &key, "192.0.2.7:4001").await, 200);
    assert_eq!(
        ada.keys().await[0]["last_used_at"],
        json!("2026-11-22T08:30:00.000000Z")
    );
    app.clock().advance(Duration::from_secs(30));
    assert_eq!(from(&app, &key, "192.0.2.7:4002").await, 200);
    assert_eq!(
        ada.keys().await[0]["last_used_at"],
        json!("2026-11-22T08:31:00.000000Z")
    );

    // A refused key was not used.
    app.clock().advance(Duration::from_secs(60));
    assert_eq!(from(&app, &stranger(), "192.0.2.9:4000").await, 401);
    assert_eq!(ada.keys().await[0]["last_address"], json!("192.0.2.7"));
}

#[doyen_test::test]
async fn k1_events_of_keys_are_in_the_security_log(app: ApiKeysApp) {
    let ada = app.sign_up(DEFAULT_SCOPES).await;
    let (id, key) = made(&ada, &["things:read"]).await;
    for address in [
        "192.0.2.7:1",
        "192.0.2.7:2",
        "198.51.100.1:1",
        "[2001:db8::1]:1",
        "[2001:db8::2]:1",
    ] {
        assert_eq!(from(&app, &key, address).await, 200);
    }
    // Another node, later: the address is known.
    let other = app.another(setup()).await;
    app.clock().advance(Duration::from_secs(600));
    assert_eq!(from(&other, &key, "192.0.2.7:3").await, 200);
    other
        .inject::<Arc<doyen::auth::ApiKeys>>()
        .await
        .flush()
        .await;
    ada.keys().await;
    ada.revoke(&id).await.expect(204);

    let created = events(&app, "api_key.created").await;
    assert_eq!(created.len(), 1);
    assert_eq!(created[0]["subject"], json!(ada.subject));
    assert_eq!(created[0]["details"]["key"], json!(id));
    assert_eq!(events(&app, "api_key.revoked").await.len(), 1);
    let mut places: Vec<String> = events(&app, "api_key.new_address")
        .await
        .iter()
        .map(|event| event["address"].as_str().unwrap().to_owned())
        .collect();
    places.sort();
    assert_eq!(places, ["192.0.2.7", "198.51.100.1", "2001:db8::1"]);
    // Never the key itself.
    let all = app.sign_up("house:keep").await;
    let all = all
        .request("GET", "/v1/security-events?limit=100")
        .send()
        .await
        .expect(200);
    assert!(!all.text().contains(&key[10..]));
}
