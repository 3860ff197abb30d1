//! API keys and machine clients of the helpdesk.

use std::time::Duration;

use doyen_test::Answer;
use helpdesk::access::Role;
use serde_json::json;

use crate::support::{Helpdesk, Join as _, Person};

async fn key(person: &Person, scopes: &[&str]) -> (String, String) {
    let new = json!({"name": "nightly export", "scopes": scopes});
    let made = person
        .post("/v1/me/api-keys")
        .json(&new)
        .send()
        .await
        .expect(201);
    (made.text_at("/id"), made.text_at("/key"))
}

async fn with(app: &Helpdesk, key: &str, method: &str, target: &str) -> Answer {
    app.request(method, target)
        .header("x-api-key", key)
        .send()
        .await
}

#[doyen_test::test]
async fn k1_a_key_reads_its_owners_tickets_and_nothing_else(app: Helpdesk) {
    let (ada, bob) = (app.as_customer().await, app.as_customer().await);
    let ticket = ada.opens("the printer").await.text_at("/id");
    let other = bob.opens("the scanner").await.text_at("/id");
    let (id, key) = key(&ada, &["tickets:read"]).await;
    assert!(key.starts_with("helpdesk_"), "{key}");

    let list = with(&app, &key, "GET", "/v1/tickets").await.expect(200);
    assert!(list.text().contains(&ticket) && !list.text().contains(&other));
    with(&app, &key, "GET", &format!("/v1/tickets/{ticket}"))
        .await
        .expect(200);
    with(&app, &key, "GET", &format!("/v1/tickets/{other}"))
        .await
        .expect(404);
    with(&app, &key, "DELETE", &format!("/v1/tickets/{ticket}"))
        .await
        .expect_problem(403, "forbidden");
    with(&app, &key, "GET", "/v1/me")
        .await
        .expect_problem(403, "forbidden");
    let new = json!({"subject": "by a key", "body": "x"});
    app.post("/v1/tickets")
        .header("x-api-key", &key)
        .json(&new)
        .send()
        .await
        .expect_problem(403, "forbidden");

    ada.delete(format!("/v1/me/api-keys/{id}"))
        .send()
        .await
        .expect(204);
    with(&app, &key, "GET", "/v1/tickets")
        .await
        .expect_problem(401, "invalid_key");
}

/// T15: a key loses the rights that its owner loses.
#[doyen_test::test]
async fn k1_a_former_agent_has_no_agent_key(app: Helpdesk) {
    let (agent, ada) = (app.as_agent().await, app.as_customer().await);
    let ticket = ada.opens("the printer").await.text_at("/id");
    let (_, key) = key(&agent, &["tickets:read", "users:read"]).await;
    with(&app, &key, "GET", "/v1/users").await.expect(200);
    with(&app, &key, "GET", &format!("/v1/tickets/{ticket}"))
        .await
        .expect(200);
    use doyen::domain::Role as _;
    let role = Role::Customer.name();
    app.execute(
        "UPDATE users SET role = $1 WHERE email = $2",
        [role.into(), agent.email.clone().into()],
    )
    .await;
    app.clock().advance(Duration::from_secs(4));
    with(&app, &key, "GET", "/v1/users")
        .await
        .expect_problem(403, "forbidden");
    with(&app, &key, "GET", &format!("/v1/tickets/{ticket}"))
        .await
        .expect(404);
}

/// A machine client is not a user: routes that need one refuse it.
#[doyen_test::test]
async fn k1_a_machine_client_is_not_a_user(app: Helpdesk) {
    let admin = app.as_admin().await;
    let new = json!({"name": "billing", "scopes": ["users:read", "tickets:read"]});
    let made = admin
        .post("/v1/clients")
        .json(&new)
        .send()
        .await
        .expect(201);
    let form = format!(
        "grant_type=client_credentials&client_id={}&client_secret={}",
        made.text_at("/client_id"),
        made.text_at("/client_secret")
    );
    let token = app
        .post("/v1/oauth/token")
        .body("application/x-www-form-urlencoded", form)
        .send()
        .await
        .expect(200)
        .text_at("/access_token");
    app.get("/v1/users").bearer(&token).send().await.expect(200);
    app.get("/v1/tickets")
        .bearer(&token)
        .send()
        .await
        .expect(403);
}
