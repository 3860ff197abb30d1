//! Login, logout, the sessions of a user, and revocation on all nodes.

use std::sync::Arc;
use std::time::Duration;

use doyen::auth::{PasswordOptions, Passwords};
use doyen::domain::Caller;
use doyen_test::{Answer, TestApp};
use serde_json::json;

use crate::accounts_app::{
    AccountsApp, AccountsExt as _, DEFAULT_SCOPES, PASSWORD, Tokens, default_setup, fields,
    log_in_with, tokens, wait_until,
};

async fn log_out(app: &TestApp, tokens: &Tokens) -> Answer {
    app.post("/v1/auth/logout")
        .bearer(&tokens.access)
        .send()
        .await
}

/// The parts of a response that could distinguish it, without the request id.
fn received(answer: &Answer) -> String {
    let id = answer.header("x-request-id").unwrap().to_owned();
    // The state of the limit does not depend on the account.
    let headers = answer
        .headers()
        .iter()
        .filter(|(name, _)| *name != "ratelimit");
    let headers: Vec<_> = headers
        .map(|(name, value)| format!("{name}: {value:?}"))
        .collect();
    format!("{} {headers:?} {}", answer.status(), answer.text()).replace(&id, "ID")
}

#[doyen_test::test]
async fn l1_unknown_wrong_and_disabled_get_the_same_response(app: AccountsApp) {
    let (ada, eve) = (
        app.new_user(DEFAULT_SCOPES).await,
        app.new_user(DEFAULT_SCOPES).await,
    );
    app.set_column(&eve, "disabled", 1.into()).await;
    let passwordless = app.new_user(DEFAULT_SCOPES).await;
    app.set_column(
        &passwordless,
        "password_hash",
        Option::<String>::None.into(),
    )
    .await;
    let mut all = Vec::new();
    for (email, password) in [
        (ada.email.as_str(), "not the password"),
        ("unknown@example.com", PASSWORD),
        (&eve.email, PASSWORD),
        (&passwordless.email, PASSWORD),
    ] {
        let answer = log_in_with(&app, email, password).await;
        all.push(received(&answer.expect_problem(401, "invalid_credentials")));
    }
    all.dedup();
    assert_eq!(all.len(), 1, "{all:#?}");
    let failed = app.events("login.failed").await;
    let why = fields(&json!(failed), "details");
    let why: Vec<_> = why.iter().map(|details| details["why"].clone()).collect();
    assert_eq!(
        why.iter().filter(|why| **why == "password").count(),
        3,
        "{why:?}"
    );
    assert_eq!(
        why.iter().filter(|why| **why == "disabled").count(),
        1,
        "{why:?}"
    );
    // No event contains the password.
    assert!(!json!(failed).to_string().contains(PASSWORD));
}

#[doyen_test::test]
async fn l1_an_address_has_no_case(app: AccountsApp) {
    let ada = app.new_user(DEFAULT_SCOPES).await;
    let upper = ada.email.to_uppercase();
    log_in_with(&app, &upper, PASSWORD).await.expect(200);
}

#[doyen_test::test]
async fn a_login_renews_a_hash_of_another_cost(app: AccountsApp) {
    let ada = app.new_user(DEFAULT_SCOPES).await;
    let expensive = PasswordOptions {
        memory_kib: 32,
        ..PasswordOptions::fast_for_tests()
    };
    let expensive = Passwords::new(expensive).unwrap_or_else(|error| panic!("{error}"));
    let password = PASSWORD.parse().unwrap_or_else(|error| panic!("{error}"));
    let hash = expensive
        .hash(password)
        .await
        .unwrap_or_else(|error| panic!("{}", error.error()));
    app.set_column(&ada, "password_hash", hash.clone().into())
        .await;
    app.log_in(&ada).await;
    let sql = "UPDATE people SET verified = 1 WHERE password_hash = $1";
    assert_eq!(app.execute(sql, [hash.into()]).await, 0);
    app.log_in(&ada).await;
}

#[doyen_test::test]
async fn t15_a4_after_a_logout_every_node_refuses(app: AccountsApp) {
    let other = app.another(default_setup()).await;
    let ada = app.new_user(DEFAULT_SCOPES).await;
    let (tokens, elsewhere) = (app.log_in(&ada).await, app.log_in(&ada).await);
    assert_eq!(other.status(&tokens.access).await, 200);
    let answer = log_out(&app, &tokens).await.expect(204);
    assert_eq!(
        answer.header("clear-site-data"),
        Some("\"cache\", \"cookies\", \"storage\"")
    );
    assert_eq!(app.status(&tokens.access).await, 401);
    wait_until("the other node refuses", async || {
        other.status(&tokens.access).await == 401
    })
    .await;
    let refused = other.refresh(&tokens.refresh).await;
    refused.expect_problem(400, "invalid_grant");
    // A node that starts now knows it too.
    let late = app.another(default_setup()).await;
    assert_eq!(late.status(&tokens.access).await, 401);
    assert_eq!(late.status(&elsewhere.access).await, 200);
    let events = app.events("logout").await;
    assert_eq!(fields(&json!(events), "subject"), [json!(ada.subject)]);
}

#[doyen_test::test]
async fn t15_other_rights_refuse_the_old_tokens_and_the_next_refresh_gives_them(app: AccountsApp) {
    let other = app.another(default_setup()).await;
    let ada = app.new_user(DEFAULT_SCOPES).await;
    let held = app.log_in(&ada).await;
    app.set_column(&ada, "roles", "host".into()).await;
    app.as_admin("/changed", &ada).await.expect(204);
    assert_eq!(app.status(&held.access).await, 401);
    wait_until("the other node refuses", async || {
        other.status(&held.access).await == 401
    })
    .await;
    let held = tokens(&app.refresh(&held.refresh).await.expect(200));
    for node in [&*app, &other] {
        let who = node
            .get("/who")
            .bearer(&held.access)
            .send()
            .await
            .expect(200);
        assert_eq!(who.at("/roles"), json!(["host"]));
    }
    // Again: the minimum generation rises each time.
    app.as_admin("/changed", &ada).await.expect(204);
    assert_eq!(app.status(&held.access).await, 401);
    let held = tokens(&app.refresh(&held.refresh).await.expect(200));
    assert_eq!(app.status(&held.access).await, 200);
}

#[doyen_test::test]
async fn t15_a_disabled_user_is_refused_everywhere(app: AccountsApp) {
    let other = app.another(default_setup()).await;
    let ada = app.new_user(DEFAULT_SCOPES).await;
    let all = [app.log_in(&ada).await, other.log_in(&ada).await];
    app.as_admin("/gone", &ada).await.expect(204);
    for tokens in &all {
        assert_eq!(app.status(&tokens.access).await, 401);
        wait_until("the other node refuses", async || {
            other.status(&tokens.access).await == 401
        })
        .await;
        let refused = other.refresh(&tokens.refresh).await;
        refused.expect_problem(400, "invalid_grant");
    }
}

/// A revocation that is rolled back has no effect.
#[doyen_test::test]
async fn t15_a_rolled_back_change_revokes_nothing(app: AccountsApp) {
    use doyen::auth::Sessions;
    let ada = app.new_user(DEFAULT_SCOPES).await;
    let held = app.log_in(&ada).await;
    let context = app.service().container().context();
    let sessions = context.get::<Sessions>().await;
    let sessions = sessions.unwrap_or_else(|refusal| panic!("{refusal:?}"));
    let ended = sessions.end_all(&ada.subject).await;
    assert_eq!(ended.unwrap_or_else(|error| panic!("{}", error.error())), 1);
    context.rollback().await;
    assert_eq!(app.status(&held.access).await, 200);
    app.refresh(&held.refresh).await.expect(200);
}

/// A node that cannot read the revocations refuses every session, and recovers by itself.
#[doyen_test::test]
async fn t15_a_node_without_the_list_returns_503(app: AccountsApp) {
    let ada = app.new_user(DEFAULT_SCOPES).await;
    let held = app.log_in(&ada).await;
    app.execute("ALTER TABLE auth_revocations RENAME TO away", [])
        .await;
    wait_until("503", async || app.status(&held.access).await == 503).await;
    app.execute("ALTER TABLE away RENAME TO auth_revocations", [])
        .await;
    wait_until("200", async || app.status(&held.access).await == 200).await;
}

#[doyen_test::test]
async fn s3_users_list_rename_and_end_their_own_sessions(app: AccountsApp) {
    let other = app.another(default_setup()).await;
    let (ada, eve) = (
        app.new_user(DEFAULT_SCOPES).await,
        app.new_user(DEFAULT_SCOPES).await,
    );
    let phone = app.log_in(&ada).await;
    app.clock().advance(Duration::from_secs(60));
    let laptop = tokens(
        &app.post("/v1/auth/login")
            .header(
                "user-agent",
                "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
            )
            .json(&json!({"email": ada.email, "password": PASSWORD}))
            .send()
            .await
            .expect(200),
    );
    let eves = app.log_in(&eve).await;
    let list = || app.get("/v1/me/sessions").bearer(&laptop.access).send();
    let answer = list().await.expect(200);
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let items = answer.at("/items");
    assert_eq!(fields(&items, "current"), [json!(true), json!(false)]);
    assert_eq!(
        fields(&items, "device"),
        [json!("Firefox on Linux"), json!("Unknown device")]
    );
    let ids: Vec<String> = fields(&items, "id")
        .iter()
        .map(|id| id.as_str().unwrap().to_owned())
        .collect();
    let at = |id: &str| format!("/v1/me/sessions/{id}");
    // Rename.
    let named = app
        .patch(at(&ids[1]))
        .bearer(&laptop.access)
        .merge_patch(&json!({"name": "My phone"}));
    assert_eq!(named.send().await.expect(200).text_at("/name"), "My phone");
    assert_eq!(
        fields(&list().await.at("/items"), "name"),
        [json!(null), json!("My phone")]
    );
    let unnamed = app
        .patch(at(&ids[1]))
        .bearer(&laptop.access)
        .merge_patch(&json!({"name": null}));
    assert_eq!(unnamed.send().await.expect(200).at("/name"), json!(null));
    // The session of another user is a 404.
    for (method, body) in [("PATCH", Some(json!({"name": "mine"}))), ("DELETE", None)] {
        let call = app.request(method, at(&ids[1])).bearer(&eves.access);
        let call = match body {
            Some(body) => call.merge_patch(&body),
            None => call,
        };
        call.send().await.expect_problem(404, "session_not_found");
    }
    assert_eq!(app.status(&phone.access).await, 200);
    // End.
    app.delete(at(&ids[1]))
        .bearer(&laptop.access)
        .send()
        .await
        .expect(204);
    assert_eq!(app.status(&phone.access).await, 401);
    wait_until("the other node refuses", async || {
        other.status(&phone.access).await == 401
    })
    .await;
    let again = app.delete(at(&ids[1])).bearer(&laptop.access).send().await;
    again.expect_problem(404, "session_not_found");
    assert_eq!(fields(&list().await.at("/items"), "id"), [json!(ids[0])]);
    // End all others.
    let more = [app.log_in(&ada).await, app.log_in(&ada).await];
    app.delete("/v1/me/sessions")
        .bearer(&laptop.access)
        .send()
        .await
        .expect(204);
    for tokens in &more {
        assert_eq!(app.status(&tokens.access).await, 401);
    }
    assert_eq!(app.status(&laptop.access).await, 200);
    assert_eq!(app.status(&eves.access).await, 200);
    assert_eq!(app.events("session.revoked").await.len(), 2);
}

#[doyen_test::test]
async fn s3_the_hundred_and_first_session_ends_the_oldest(app: AccountsApp) {
    let ada = app.new_user(DEFAULT_SCOPES).await;
    let first = app.log_in(&ada).await;
    let mut last = first.clone();
    for _ in 0..100 {
        app.clock().advance(Duration::from_secs(1));
        last = app.log_in(&ada).await;
    }
    assert_eq!(app.status(&first.access).await, 401);
    let list = app.get("/v1/me/sessions").bearer(&last.access).send().await;
    let items = list.expect(200).at("/items");
    assert_eq!(items.as_array().map(Vec::len), Some(100));
}

/// Using the access token is use, also between two refreshes.
#[doyen_test::test]
async fn s3_a_session_in_use_outlives_a_hundred_later_logins(app: AccountsApp) {
    let ada = app.new_user(DEFAULT_SCOPES).await;
    let used = app.log_in(&ada).await;
    let idle = app.log_in(&ada).await;
    for _ in 0..100 {
        app.clock().advance(Duration::from_secs(1));
        app.log_in(&ada).await;
        app.clock().advance(Duration::from_secs(1));
        assert_eq!(app.status(&used.access).await, 200);
    }
    assert_eq!(app.status(&idle.access).await, 401);
}

/// On another node, which knows what the store says.
#[doyen_test::test]
async fn s3_the_use_of_an_access_token_is_recorded_once_a_minute(app: AccountsApp) {
    let ada = app.new_user(DEFAULT_SCOPES).await;
    let (used, other) = (app.log_in(&ada).await, app.log_in(&ada).await);
    let last_uses = async || {
        let list = app
            .get("/v1/me/sessions")
            .bearer(&other.access)
            .send()
            .await;
        let mut times = fields(&list.expect(200).at("/items"), "last_seen_at");
        times.sort_by_key(ToString::to_string);
        times
    };
    let at_first = last_uses().await;
    app.clock().advance(Duration::from_secs(59));
    assert_eq!(app.status(&used.access).await, 200);
    assert_eq!(last_uses().await, at_first);
    app.clock().advance(Duration::from_secs(1));
    assert_eq!(app.status(&used.access).await, 200);
    let recorded = last_uses().await;
    assert_ne!(recorded, at_first);
    for _ in 0..5 {
        app.clock().advance(Duration::from_secs(10));
        assert_eq!(app.status(&used.access).await, 200);
    }
    assert_eq!(last_uses().await, recorded);
}

#[doyen_test::test]
async fn s2_another_password_ends_every_session_and_begins_a_new_one(app: AccountsApp) {
    let other = app.another(default_setup()).await;
    let ada = app.new_user(DEFAULT_SCOPES).await;
    let (mine, thiefs) = (app.log_in(&ada).await, app.log_in(&ada).await);
    let change = |access: &str, present: &str, new: &str| {
        let body = json!({"current_password": present, "new_password": new});
        app.post("/v1/me/password")
            .bearer(access)
            .json(&body)
            .send()
    };
    let wrong = change(&mine.access, "not the password", "another fine password").await;
    wrong.expect_problem(403, "wrong_password");
    let weak = change(&mine.access, PASSWORD, "password123").await;
    let weak = weak.expect_problem(422, "invalid");
    assert_eq!(weak.failures(), ["/new_password common_password"]);
    assert_eq!(app.status(&thiefs.access).await, 200);

    let answer = change(&mine.access, PASSWORD, "another fine password")
        .await
        .expect(200);
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let new = tokens(&answer);
    for old in [&mine, &thiefs] {
        assert_eq!(app.status(&old.access).await, 401);
        wait_until("the other node refuses", async || {
            other.status(&old.access).await == 401
        })
        .await;
        let refused = app.refresh(&old.refresh).await;
        refused.expect_problem(400, "invalid_grant");
    }
    assert_eq!(app.status(&new.access).await, 200);
    app.refresh(&new.refresh).await.expect(200);
    let old = log_in_with(&app, &ada.email, PASSWORD).await;
    old.expect_problem(401, "invalid_credentials");
    log_in_with(&app, &ada.email, "another fine password")
        .await
        .expect(200);
    let events = app.events("password.changed").await;
    assert_eq!(fields(&json!(events), "subject"), [json!(ada.subject)]);
    assert!(!json!(events).to_string().contains("fine password"));
}

/// Of two concurrent changes one is applied, and the other gets a conflict.
#[doyen_test::test]
async fn s2_two_changes_of_one_password_at_once_are_one(app: AccountsApp) {
    let ada = app.new_user(DEFAULT_SCOPES).await;
    let mine = app.log_in(&ada).await;
    let sent: Vec<_> = ["another fine password", "quite another password"]
        .into_iter()
        .map(|new| {
            let body = json!({"current_password": PASSWORD, "new_password": new});
            let call = app.post("/v1/me/password").bearer(&mine.access).json(&body);
            tokio::spawn(async move { call.send().await.status() })
        })
        .collect();
    let mut statuses = Vec::new();
    for answer in sent {
        statuses.push(answer.await.unwrap_or_else(|error| panic!("{error}")));
    }
    assert_eq!(
        statuses.iter().filter(|status| **status == 200).count(),
        1,
        "{statuses:?}"
    );
    assert!(
        statuses
            .iter()
            .all(|status| matches!(status, 200 | 401 | 403)),
        "{statuses:?}"
    );
}

#[doyen_test::test]
async fn k7_a_key_manages_no_sessions(app: AccountsApp) {
    let ada = app.new_user(DEFAULT_SCOPES).await;
    app.log_in(&ada).await;
    let mut machine = Caller::new(&ada.subject);
    machine.scopes = vec!["profile".into()];
    machine.key = Some("key_1".into());
    let context = app.service().container().context();
    let signer = context.get::<Arc<doyen::auth::Tokens>>().await;
    let signer = signer.unwrap_or_else(|refusal| panic!("{refusal:?}"));
    for session in [None, Some("ses_1".into())] {
        machine.session = session;
        let issued = signer.issue(&machine);
        let token = issued
            .unwrap_or_else(|error| panic!("{}", error.error()))
            .token;
        for (method, path) in [
            ("GET", "/v1/me/sessions"),
            ("DELETE", "/v1/me/sessions"),
            ("POST", "/v1/auth/logout"),
            ("GET", "/v1/auth/csrf"),
        ] {
            let answer = app.request(method, path).bearer(&token).send().await;
            answer.expect_problem(403, "session_required");
        }
    }
}

#[doyen_test::test]
async fn t12_a_token_and_a_key_at_once_are_refused_everywhere(app: AccountsApp) {
    let ada = app.new_user(DEFAULT_SCOPES).await;
    let tokens = app.log_in(&ada).await;
    for call in [app.get("/who"), app.post("/v1/auth/logout")] {
        let answer = call
            .bearer(&tokens.access)
            .header("x-api-key", "k")
            .send()
            .await;
        answer.expect_problem(400, "invalid_request");
    }
}
