//! Refresh tokens: single use, the same successor after a lost response, and the end of a session
//! with two holders.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use doyen_test::{Answer, TestApp};
use serde_json::json;

use crate::accounts_app::{
    AccountsApp, AccountsExt as _, DEFAULT_SCOPES, TestUser, Tokens, default_setup, tokens,
    wait_until,
};

async fn new_user(app: &TestApp) -> (TestUser, Tokens) {
    let user = app.new_user(DEFAULT_SCOPES).await;
    let tokens = app.log_in(&user).await;
    (user, tokens)
}

async fn refreshed(app: &TestApp, token: &str) -> Tokens {
    tokens(&app.refresh(token).await.expect(200))
}

async fn refused(app: &TestApp, token: &str) -> Answer {
    app.refresh(token)
        .await
        .expect_problem(400, "invalid_grant")
}

#[doyen_test::test]
async fn o1_a_refresh_token_is_single_use_and_reuse_ends_its_family_on_every_node(
    app: AccountsApp,
) {
    let other = app.another(default_setup()).await;
    let (user, first) = new_user(&app).await;
    let second = refreshed(&app, &first.refresh).await;
    assert_ne!(first.refresh, second.refresh);
    assert_eq!(other.status(&second.access).await, 200);
    app.clock().advance(Duration::from_secs(10));
    refused(&app, &first.refresh).await;
    refused(&app, &second.refresh).await;
    refused(&other, &second.refresh).await;
    // Both access tokens of the family are refused: here at once, on the other node within seconds.
    for token in [&first.access, &second.access] {
        let answer = app.get("/who").bearer(token).send().await;
        answer.expect_problem(401, "invalid_token");
        wait_until("the other node refuses", async || {
            other.status(token).await == 401
        })
        .await;
    }
    // Repeated reuse is recorded once.
    let received = app.events("refresh.reused").await;
    assert_eq!(received.len(), 1, "{received:?}");
    assert_eq!(received[0]["subject"], json!(user.subject));
}

#[doyen_test::test]
async fn o1_another_session_of_the_same_user_continues(app: AccountsApp) {
    let (user, first) = new_user(&app).await;
    let elsewhere = app.log_in(&user).await;
    refreshed(&app, &first.refresh).await;
    app.clock().advance(Duration::from_secs(60));
    refused(&app, &first.refresh).await;
    refreshed(&app, &elsewhere.refresh).await;
    assert_eq!(app.status(&elsewhere.access).await, 200);
}

#[doyen_test::test]
async fn o2_a_client_that_lost_the_response_gets_the_same_successor(app: AccountsApp) {
    let other = app.another(default_setup()).await;
    let (_, first) = new_user(&app).await;
    let second = refreshed(&app, &first.refresh).await;
    app.clock().advance(Duration::from_secs(9));
    for node in [&*app, &other, &app] {
        let again = refreshed(node, &first.refresh).await;
        assert_eq!(again.refresh, second.refresh);
        assert_eq!(node.status(&again.access).await, 200);
    }
    let third = refreshed(&app, &second.refresh).await;
    assert_ne!(third.refresh, second.refresh);
    assert_eq!(
        app.events("refresh.reused").await,
        Vec::<serde_json::Value>::new()
    );
}

#[doyen_test::test]
async fn o2_a_grandparent_ends_the_family_even_within_the_grace(app: AccountsApp) {
    let (_, first) = new_user(&app).await;
    let second = refreshed(&app, &first.refresh).await;
    let third = refreshed(&app, &second.refresh).await;
    refused(&app, &first.refresh).await;
    refused(&app, &third.refresh).await;
    assert_eq!(app.status(&third.access).await, 401);
}

#[doyen_test::test]
async fn o2_without_a_grace_a_second_use_ends_the_family(app: AccountsApp) {
    let strict = app
        .another(default_setup().set("auth.session.refresh_grace", "0s"))
        .await;
    let (_, first) = new_user(&app).await;
    let second = refreshed(&strict, &first.refresh).await;
    refused(&strict, &first.refresh).await;
    refused(&strict, &second.refresh).await;
}

#[doyen_test::test]
async fn o2_a_hundred_concurrent_uses_get_one_successor_and_no_logout(app: AccountsApp) {
    let other = app.another(default_setup()).await;
    let (_, first) = new_user(&app).await;
    let asked: Vec<_> = (0..100)
        .map(|n| {
            let (node, token) = (
                if n % 2 == 0 {
                    (*app).clone()
                } else {
                    other.clone()
                },
                first.refresh.clone(),
            );
            tokio::spawn(async move { node.refresh(&token).await })
        })
        .collect();
    let mut successors = Vec::new();
    for answer in asked {
        let answer = answer.await.unwrap_or_else(|error| panic!("{error}"));
        successors.push(tokens(&answer.expect(200)).refresh);
    }
    successors.sort_unstable();
    successors.dedup();
    assert_eq!(successors.len(), 1);
    refreshed(&app, &successors[0]).await;
    assert_eq!(
        app.events("refresh.reused").await,
        Vec::<serde_json::Value>::new()
    );
}

/// A thousand responses are lost: ten users, a hundred times each. No user is logged out.
#[doyen_test::test]
async fn a3_a_thousand_lost_answers_end_no_session(app: AccountsApp) {
    let people: Vec<_> = (0..10).map(|_| (*app).clone()).collect();
    let runs: Vec<_> = people
        .into_iter()
        .map(|app| {
            tokio::spawn(async move {
                let (_, mut held) = new_user(&app).await;
                for _ in 0..100 {
                    // The client never receives this one.
                    let lost = app.refresh(&held.refresh).await.expect(200);
                    let again = refreshed(&app, &held.refresh).await;
                    assert_eq!(again.refresh, tokens(&lost).refresh);
                    held = again;
                }
                assert_eq!(app.status(&held.access).await, 200);
            })
        })
        .collect();
    for run in runs {
        run.await.unwrap_or_else(|error| panic!("{error}"));
    }
    assert_eq!(
        app.events("refresh.reused").await,
        Vec::<serde_json::Value>::new()
    );
}

/// The theft is detected when the second of the two uses the token, and then both are logged out.
#[doyen_test::test]
async fn a3_a_thief_and_the_owner_are_both_out_after_the_first_true_reuse(app: AccountsApp) {
    for thief_first in [true, false] {
        let (_, stolen) = new_user(&app).await;
        let (mut first, second) = (refreshed(&app, &stolen.refresh).await, stolen.clone());
        if !thief_first {
            first = refreshed(&app, &first.refresh).await;
        }
        app.clock().advance(Duration::from_secs(30));
        refused(&app, &second.refresh).await;
        refused(&app, &first.refresh).await;
        for tokens in [&first, &second] {
            assert_eq!(app.status(&tokens.access).await, 401);
        }
    }
    assert_eq!(app.events("refresh.reused").await.len(), 2);
}

#[doyen_test::test]
async fn o3_an_unused_session_ends(app: AccountsApp) {
    let day = Duration::from_secs(86_400);
    let (_, first) = new_user(&app).await;
    app.clock().advance(29 * day);
    let second = refreshed(&app, &first.refresh).await;
    app.clock().advance(29 * day);
    let third = refreshed(&app, &second.refresh).await;
    app.clock().advance(30 * day);
    refused(&app, &third.refresh).await;
}

#[doyen_test::test]
async fn o3_a_session_ends_after_its_time_however_much_it_is_used(app: AccountsApp) {
    let day = Duration::from_secs(86_400);
    let (_, mut held) = new_user(&app).await;
    for _ in 0..8 {
        app.clock().advance(11 * day);
        held = refreshed(&app, &held.refresh).await;
    }
    app.clock().advance(2 * day);
    refused(&app, &held.refresh).await;
    // An expired session is not theft.
    assert_eq!(
        app.events("refresh.reused").await,
        Vec::<serde_json::Value>::new()
    );
}

#[doyen_test::test]
async fn t8_only_a_refresh_token_refreshes_and_it_authenticates_nothing(app: AccountsApp) {
    let (_, held) = new_user(&app).await;
    for token in [
        &held.access,
        "x",
        "rt_",
        &held.refresh[3..],
        &held.refresh.to_uppercase(),
        &format!("{}A", held.refresh),
        &format!(" {}", held.refresh),
        &format!("{}=", held.refresh),
    ] {
        refused(&app, token).await;
    }
    let answer = app.get("/who").bearer(&held.refresh).send().await;
    answer.expect_problem(401, "invalid_token");
    let none = app.post("/v1/auth/refresh").json(&json!({})).send().await;
    none.expect_problem(422, "invalid");
    refreshed(&app, &held.refresh).await;
}

/// Ids of sessions are in lists and in tokens: knowledge of one neither creates a token nor ends a
/// session.
#[doyen_test::test]
async fn o1_a_made_up_token_ends_nothing(app: AccountsApp) {
    let (_, first) = new_user(&app).await;
    let second = refreshed(&app, &first.refresh).await;
    app.clock().advance(Duration::from_secs(60));
    let real = URL_SAFE_NO_PAD
        .decode(&second.refresh[3..])
        .unwrap_or_else(|error| panic!("{error}"));
    for (place, counter) in [(51, None), (20, None), (51, Some(0)), (51, Some(7))] {
        let mut made_up = real.clone();
        made_up[place] ^= 1;
        if let Some(counter) = counter {
            made_up[19] = counter;
        }
        refused(&app, &format!("rt_{}", URL_SAFE_NO_PAD.encode(made_up))).await;
    }
    refreshed(&app, &second.refresh).await;
}

#[doyen_test::test]
async fn t15_a_refresh_gives_the_rights_of_today(app: AccountsApp) {
    let (user, held) = new_user(&app).await;
    app.set_column(&user, "roles", "host".into()).await;
    app.set_column(&user, "scopes", "profile".into()).await;
    let answer = app.refresh(&held.refresh).await.expect(200);
    assert_eq!(answer.text_at("/scope"), "profile");
    let access = tokens(&answer).access;
    let who = app.get("/who").bearer(&access).send().await.expect(200);
    assert_eq!(who.at("/roles"), json!(["host"]));
    let things = app.get("/things").bearer(&access).send().await;
    things.expect_problem(403, "forbidden");
}

#[doyen_test::test]
async fn t15_a_disabled_or_deleted_user_loses_the_session(app: AccountsApp) {
    for gone in [false, true] {
        let (user, held) = new_user(&app).await;
        if gone {
            let sql = "DELETE FROM people WHERE subject = $1";
            app.execute(sql, [user.subject.clone().into()]).await;
        } else {
            app.set_column(&user, "disabled", 1.into()).await;
        }
        refused(&app, &held.refresh).await;
        assert_eq!(app.status(&held.access).await, 401);
        if !gone {
            // Not even after the user is enabled again: that needs a login.
            app.set_column(&user, "disabled", 0.into()).await;
            refused(&app, &held.refresh).await;
            app.log_in(&user).await;
        }
    }
}

#[doyen_test::test]
async fn t14_no_cache_keeps_a_token(app: AccountsApp) {
    let user = app.new_user(DEFAULT_SCOPES).await;
    let login =
        crate::accounts_app::log_in_with(&app, &user.email, crate::accounts_app::PASSWORD).await;
    assert_eq!(login.header("cache-control"), Some("no-store"));
    let refresh = app.refresh(&tokens(&login).refresh).await.expect(200);
    assert_eq!(refresh.header("cache-control"), Some("no-store"));
    assert_eq!(refresh.text_at("/token_type"), "Bearer");
    assert_eq!(refresh.at("/expires_in"), json!(900));
    // Nor is a refusal cached.
    let refused = refused(&app, "rt_x").await;
    assert_eq!(refused.header("cache-control"), Some("no-store"));
}

/// All stored values as text: what a thief of the database has.
async fn dump(app: &TestApp) -> String {
    use doyen::data::sea_orm::{ConnectionTrait as _, DbBackend, Statement};
    let session = app.database().session(doyen::domain::Access::Read);
    let backend = app.database().backend();
    let mut all = String::new();
    for (table, columns) in [
        (
            "auth_sessions",
            "id, subject, name, agent, salt, secret_hash, previous_hash",
        ),
        ("auth_revocations", "id"),
        ("auth_events", "id, name, details, session"),
    ] {
        for column in columns.split(", ") {
            let text = match backend {
                DbBackend::Postgres => format!("{column}::text"),
                _ => format!(
                    "CASE typeof({column}) WHEN 'blob' THEN lower(hex({column})) ELSE CAST({column} AS text) END"
                ),
            };
            let sql = format!("SELECT COALESCE({text}, '') FROM {table}");
            let rows = session
                .query_all_raw(Statement::from_string(backend, sql.clone()))
                .await
                .unwrap_or_else(|error| panic!("{sql}: {error}"));
            for row in rows {
                let value: String = row
                    .try_get_by_index(0)
                    .unwrap_or_else(|error| panic!("{sql}: {error}"));
                all.push_str(&value);
                all.push('\n');
            }
        }
    }
    all
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[doyen_test::test]
async fn o5_a_stolen_database_holds_no_token(app: AccountsApp) {
    let (_, first) = new_user(&app).await;
    let second = refreshed(&app, &first.refresh).await;
    app.events("login.succeeded").await;
    let dump = dump(&app).await;
    let raw = |token: &str| {
        URL_SAFE_NO_PAD
            .decode(&token[3..])
            .unwrap_or_else(|error| panic!("{error}"))
    };
    for token in [&first, &second] {
        let secret = raw(&token.refresh)[20..].to_vec();
        let id = hex(&raw(&token.refresh)[..16]);
        // The dump has the right rows, and only the hash.
        let plain = dump.replace('-', "");
        assert!(plain.contains(&id), "{id} is not in {dump}");
        for found in [
            hex(&secret),
            token.refresh.clone(),
            token.access.clone(),
            URL_SAFE_NO_PAD.encode(&secret),
        ] {
            assert!(!dump.contains(&found), "{found} is in {dump}");
        }
    }
    // The stored value authenticates nothing.
    for line in dump.lines() {
        let found = line.trim_start_matches("\\x");
        if found.len() == 64 {
            let bytes: Vec<u8> = (0..32)
                .map(|n| {
                    u8::from_str_radix(&found[2 * n..2 * n + 2], 16)
                        .unwrap_or_else(|error| panic!("{error}"))
                })
                .collect();
            let mut token = raw(&second.refresh);
            token[20..].copy_from_slice(&bytes);
            refused(&app, &format!("rt_{}", URL_SAFE_NO_PAD.encode(token))).await;
        }
    }
    refreshed(&app, &second.refresh).await;
}
