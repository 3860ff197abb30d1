//! Registration, login, the own profile, and the users.

use std::time::Duration;

use doyen_test::Answer;
use serde_json::json;

use crate::support::people::{PASSWORD, login, texts};
use crate::support::{Helpdesk, Join as _};

#[doyen_test::test]
async fn register_then_log_in_then_see_yourself(app: Helpdesk) {
    let new = json!({"email": "Ada@Example.com", "password": PASSWORD, "name": "Ada Lovelace"});
    let user = app
        .post("/v1/auth/register")
        .json(&new)
        .send()
        .await
        .expect(201);
    assert!(user.text_at("/id").starts_with("usr_"), "{user}");
    assert_eq!(
        (user.text_at("/email"), user.text_at("/role")),
        ("ada@example.com".to_owned(), "customer".to_owned())
    );
    assert!(!user.text().contains("password"), "{user}");
    let token = login(&app, "ADA@example.com", PASSWORD).await.expect(200);
    assert_eq!(
        (
            token.text_at("/token_type").as_str(),
            token.at("/expires_in")
        ),
        ("Bearer", json!(900))
    );
    assert_eq!(
        token.text_at("/scope"),
        "tickets:read tickets:write comments:write profile"
    );
    assert_eq!(token.header("cache-control"), Some("no-store"));
    let me = app
        .get("/v1/me")
        .bearer(token.text_at("/access_token"))
        .send()
        .await
        .expect(200);
    assert_eq!(me.at("/id"), user.at("/id"));
    assert!(me.etag().starts_with("\"1."), "{}", me.etag());
}

#[doyen_test::test]
async fn an_address_has_one_account_whatever_its_case(app: Helpdesk) {
    let person = app.as_customer().await;
    let again =
        json!({"email": person.email.to_uppercase(), "password": PASSWORD, "name": "Imposter"});
    app.post("/v1/auth/register")
        .json(&again)
        .send()
        .await
        .expect_problem(409, "email_taken");
}

/// Two concurrent requests: the database decides, not an earlier query.
#[doyen_test::test]
async fn an_address_has_one_account_even_in_a_race(app: Helpdesk) {
    let new = json!({"email": "race@example.com", "password": PASSWORD, "name": "Racer"});
    let sent: Vec<_> = (0..8)
        .map(|_| tokio::spawn(app.post("/v1/auth/register").json(&new).send()))
        .collect();
    let mut statuses = Vec::new();
    for answer in sent {
        statuses.push(
            answer
                .await
                .unwrap_or_else(|error| panic!("{error}"))
                .status(),
        );
    }
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 409, 409, 409, 409, 409, 409, 409]);
    assert_eq!(app.count("users").await, 1);
}

#[doyen_test::test]
async fn a_customer_cannot_become_an_agent(app: Helpdesk) {
    let new = json!({"email": "eve@example.com", "password": PASSWORD, "name": "Eve", "role": "admin", "id": "usr_1"});
    let answer = app
        .post("/v1/auth/register")
        .json(&new)
        .send()
        .await
        .expect_problem(422, "invalid");
    assert_eq!(
        answer.failures(),
        ["/id unknown_field", "/role unknown_field"]
    );
}

#[doyen_test::test]
async fn weak_passwords_are_refused_without_repeating_them(app: Helpdesk) {
    for (password, failure) in [
        ("short", "/password length"),
        ("password123", "/password common_password"),
        (&"x".repeat(129), "/password length"),
    ] {
        let new = json!({"email": "ada@example.com", "password": password, "name": "Ada"});
        let answer = app
            .post("/v1/auth/register")
            .json(&new)
            .send()
            .await
            .expect_problem(422, "invalid");
        assert_eq!(answer.failures(), [failure]);
        assert!(!answer.text().contains(password), "{answer}");
    }
}

/// The parts of a response that could distinguish it, without the request id.
fn received(answer: &Answer) -> String {
    let id = answer
        .header("x-request-id")
        .unwrap_or_else(|| panic!("{answer}"))
        .to_owned();
    let headers: Vec<String> = answer
        .headers()
        .iter()
        // The state of the limit only depends on the order of the requests.
        .filter(|(name, _)| *name != "ratelimit")
        .map(|(name, value)| format!("{name}: {value:?}"))
        .collect();
    format!(
        "{} {} {}",
        answer.status(),
        headers.join("\n"),
        answer.text()
    )
    .replace(&id, "ID")
}

/// A login does not disclose whether an account exists.
#[doyen_test::test]
async fn a_wrong_password_and_an_unknown_address_get_the_same_response(app: Helpdesk) {
    let person = app.as_customer().await;
    let wrong = login(&app, &person.email, "not the password")
        .await
        .expect_problem(401, "invalid_credentials");
    let unknown = login(&app, "unknown@example.com", "not the password")
        .await
        .expect_problem(401, "invalid_credentials");
    assert_eq!(received(&wrong), received(&unknown));
}

#[doyen_test::test]
async fn a_token_expires(app: Helpdesk) {
    let person = app.as_customer().await;
    app.clock().advance(Duration::from_secs(14 * 60));
    person.get("/v1/me").send().await.expect(200);
    app.clock().advance(Duration::from_secs(3 * 60));
    let answer = person
        .get("/v1/me")
        .send()
        .await
        .expect_problem(401, "invalid_token");
    assert!(
        answer
            .header("www-authenticate")
            .is_some_and(|field| field.contains("invalid_token")),
        "{answer}"
    );
}

#[doyen_test::test]
async fn a_profile_is_patched_by_merging(app: Helpdesk) {
    let ada = app.as_customer().await;
    let tag = ada.get("/v1/me").send().await.expect(200).etag();
    // Absent: unchanged, and no new version.
    let same = ada
        .patch("/v1/me")
        .if_match(&tag)
        .merge_patch(&json!({}))
        .send()
        .await
        .expect(200);
    assert_eq!(
        (same.text_at("/name").as_str(), same.etag()),
        ("Ada Customer", tag.clone())
    );
    // Null: a name cannot be removed.
    let null = ada
        .patch("/v1/me")
        .if_match(&tag)
        .merge_patch(&json!({"name": null}))
        .send()
        .await
        .expect_problem(422, "invalid");
    assert_eq!(null.failures(), ["/name null"]);
    // A value is set.
    let set = ada
        .patch("/v1/me")
        .if_match(&tag)
        .merge_patch(&json!({"name": "Countess"}))
        .send()
        .await
        .expect(200);
    assert_eq!(
        (set.text_at("/name").as_str(), set.at("/version")),
        ("Countess", json!(2))
    );
    assert_ne!(set.etag(), tag);
    // A role cannot be changed here.
    let role = ada
        .patch("/v1/me")
        .if_match("*")
        .merge_patch(&json!({"role": "admin"}))
        .send()
        .await
        .expect(422);
    assert_eq!(role.failures(), ["/role unknown_field"]);
}

#[doyen_test::test]
async fn a_profile_patch_needs_the_current_version(app: Helpdesk) {
    let ada = app.as_customer().await;
    let name = json!({"name": "Countess"});
    ada.patch("/v1/me")
        .merge_patch(&name)
        .send()
        .await
        .expect_problem(428, "precondition_required");
    let old = ada.get("/v1/me").send().await.expect(200).etag();
    let renamed = ada
        .patch("/v1/me")
        .if_match(&old)
        .merge_patch(&json!({"name": "Augusta"}))
        .send()
        .await
        .expect(200);
    let tag = renamed.etag();
    // Only the version is wrong.
    let newer = tag.replacen("\"2.", "\"3.", 1);
    assert_ne!(newer, tag);
    let weak = format!("W/{tag}");
    let stale_list = format!("{old}, {newer}");
    for stale in [
        &old,
        &newer,
        &stale_list,
        &weak,
        "\"1\"",
        "\"x\"",
        "2",
        "\"\"",
    ] {
        ada.patch("/v1/me")
            .if_match(stale)
            .merge_patch(&name)
            .send()
            .await
            .expect_problem(412, "precondition_failed");
    }
    ada.patch("/v1/me")
        .if_match(&tag)
        .merge_patch(&name)
        .send()
        .await
        .expect(200);
    ada.patch("/v1/me")
        .if_match(&tag)
        .merge_patch(&name)
        .send()
        .await
        .expect_problem(412, "precondition_failed");
}

#[doyen_test::test]
async fn staff_look_users_up_and_administrators_change_them(app: Helpdesk) {
    let (ada, agent, admin) = (
        app.as_customer().await,
        app.as_agent().await,
        app.as_admin().await,
    );
    let path = format!("/v1/users/{}", ada.id);
    ada.get("/v1/users")
        .send()
        .await
        .expect_problem(403, "forbidden");
    ada.get(&path).send().await.expect_problem(403, "forbidden");
    let seen = agent.get(&path).send().await.expect(200);
    agent
        .patch(&path)
        .if_match(seen.etag())
        .merge_patch(&json!({"name": "x"}))
        .send()
        .await
        .expect_problem(403, "forbidden");
    assert!(
        seen.json()["_links"].get("edit").is_none(),
        "an agent may not edit users, so there is no link\n\n{seen}"
    );
    let seen = admin.get(&path).send().await.expect(200);
    assert!(seen.json()["_links"].get("edit").is_some(), "{seen}");
    let made = admin
        .patch(&path)
        .if_match(seen.etag())
        .merge_patch(&json!({"role": "agent"}))
        .send()
        .await
        .expect(200);
    assert_eq!(made.text_at("/role"), "agent");
    // The old token is refused, because it has the old role.
    ada.get("/v1/users")
        .send()
        .await
        .expect_problem(401, "invalid_token");
    let token = login(&app, &ada.email, PASSWORD)
        .await
        .expect(200)
        .text_at("/access_token");
    app.get("/v1/users").bearer(token).send().await.expect(200);
    // An administrator cannot change their own role.
    let own = format!("/v1/users/{}", admin.id);
    admin
        .patch(&own)
        .if_match("*")
        .merge_patch(&json!({"role": "customer"}))
        .send()
        .await
        .expect_problem(409, "own_role");
}

#[doyen_test::test]
async fn users_are_listed_by_role(app: Helpdesk) {
    let (ada, agent, admin) = (
        app.as_customer().await,
        app.as_agent().await,
        app.as_admin().await,
    );
    let all = texts(&agent.get("/v1/users").send().await.expect(200), "id");
    assert_eq!(all.len(), 3);
    for (role, person) in [("customer", &ada), ("agent", &agent), ("admin", &admin)] {
        let page = agent
            .get("/v1/users")
            .query("role", role)
            .send()
            .await
            .expect(200);
        assert_eq!(texts(&page, "id"), [person.id.as_str()], "{page}");
    }
    let wrong = agent
        .get("/v1/users?role=root&order=up")
        .send()
        .await
        .expect_problem(422, "invalid");
    assert_eq!(
        wrong.failures(),
        ["/order unknown_parameter", "/role one_of"]
    );
}

#[doyen_test::test]
async fn an_unknown_user_is_404_and_a_malformed_id_is_422(app: Helpdesk) {
    let admin = app.as_admin().await;
    admin
        .get("/v1/users/usr_01jd9m3z6veqjsk4dy2hjcg8x4")
        .send()
        .await
        .expect_problem(404, "user_not_found");
    for text in [
        "tkt_01jd9m3z6veqjsk4dy2hjcg8x4",
        "1",
        "usr_",
        "usr_01JD9M3Z6VEQJSK4DY2HJCG8X4",
    ] {
        let answer = admin.get(format!("/v1/users/{text}")).send().await;
        assert!(matches!(answer.status(), 404 | 422), "{answer}");
    }
}
