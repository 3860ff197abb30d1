//! The contents of the security log, and the reason for each refusal in it.

use helpdesk::access::{Role, Scope};
use serde_json::json;

use crate::support::people::{PASSWORD, login};
use crate::support::{Helpdesk, Join as _};

/// The lines of the access log with a reason.
fn reasons(app: &Helpdesk) -> Vec<String> {
    app.log()
        .iter()
        .filter_map(|line| line["denied_because"].as_str().map(str::to_owned))
        .collect()
}

#[doyen_test::test]
async fn z0_the_log_has_the_reason_of_a_refusal_and_the_response_has_not(app: Helpdesk) {
    let ada = app.as_customer().await;
    let ticket = ada.opens("mine").await.text_at("/id");
    let note = json!({"body": "between us", "internal": true});
    let answer = ada
        .post(format!("/v1/tickets/{ticket}/comments"))
        .json(&note)
        .send()
        .await
        .expect_problem(403, "agents_only");
    let reason = "customers cannot write internal notes";
    assert_eq!(reasons(&app), [reason]);
    assert!(!answer.text().contains(reason), "{answer}");

    // Another customer gets a 404, so nothing was denied.
    let eve = app.as_customer().await;
    eve.post(format!("/v1/tickets/{ticket}/comments"))
        .json(&note)
        .send()
        .await
        .expect_problem(404, "ticket_not_found");
    assert_eq!(reasons(&app).len(), 1);

    // Scopes and roles give their reasons the same way.
    let narrow = ada.only(Role::Customer, &[Scope::Profile]).await;
    narrow.get("/v1/tickets").send().await.expect(403);
    assert_eq!(
        reasons(&app).last().map(String::as_str),
        Some("the token lacks the scope tickets:read")
    );
    let wide = ada.only(Role::Customer, &[Scope::TicketsWrite]).await;
    wide.post(format!("/v1/tickets/{ticket}/close"))
        .send()
        .await
        .expect(403);
    assert_eq!(
        reasons(&app).last().map(String::as_str),
        Some("the caller has none of the roles admin, agent")
    );
}

#[doyen_test::test]
async fn d3_the_security_log_is_for_administrators_and_can_be_paged_and_filtered(app: Helpdesk) {
    let (ada, admin) = (app.as_customer().await, app.as_admin().await);
    for _ in 0..3 {
        login(&app, &ada.email, "wrong").await.expect(401);
    }
    login(&app, &ada.email, PASSWORD).await.expect(200);

    let failed = admin
        .get("/v1/security-events?name=login.failed&limit=2")
        .send()
        .await
        .expect(200);
    assert_eq!(failed.at("/items").as_array().map(Vec::len), Some(2));
    assert_eq!(failed.text_at("/items/0/name"), "login.failed");
    assert_eq!(failed.text_at("/items/0/subject"), ada.id);
    assert!(!failed.text().contains("wrong"), "{failed}");
    let next = failed.text_at("/_links/next/href");
    let rest = admin.get(next).send().await.expect(200);
    assert_eq!(rest.at("/items").as_array().map(Vec::len), Some(1));

    let about = admin
        .get("/v1/security-events")
        .query("subject", &ada.id)
        .send()
        .await
        .expect(200);
    assert_eq!(about.text_at("/items/0/name"), "login.succeeded");
    assert!(about.at("/items/0/at").is_string());

    for person in [ada, app.as_agent().await] {
        person
            .get("/v1/security-events")
            .send()
            .await
            .expect_problem(403, "forbidden");
    }
}

/// Retries until the response has this status: a revocation takes effect at once on this node, and
/// within five seconds on others.
async fn until(status: u16, ask: impl AsyncFn() -> u16) {
    for _ in 0..100 {
        if ask().await == status {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("still not {status}");
}

#[doyen_test::test]
async fn t15_a_new_role_ends_older_tokens_and_is_in_new_ones(app: Helpdesk) {
    let (ada, admin) = (app.as_customer().await, app.as_admin().await);
    let tokens = login(&app, &ada.email, PASSWORD).await.expect(200);
    let old = tokens.text_at("/access_token");
    let me = async |token: &str| app.get("/v1/me").bearer(token).send().await.status();
    assert_eq!(me(&old).await, 200);

    admin
        .patch(format!("/v1/users/{}", ada.id))
        .if_match("*")
        .merge_patch(&json!({"role": "agent"}))
        .send()
        .await
        .expect(200);
    until(401, async || me(&old).await).await;

    // The session continues: its client refreshes and is an agent.
    let fresh = app
        .post("/v1/auth/refresh")
        .json(&json!({"refresh_token": tokens.text_at("/refresh_token")}))
        .send()
        .await
        .expect(200);
    assert!(fresh.text_at("/scope").contains("users:read"), "{fresh}");
    let token = fresh.text_at("/access_token");
    assert_eq!(me(&token).await, 200);

    let events = admin
        .get("/v1/security-events?name=role.changed")
        .send()
        .await
        .expect(200);
    assert_eq!(events.text_at("/items/0/subject"), ada.id);
    assert_eq!(events.text_at("/items/0/actor"), admin.id);
    assert!(events.at("/items/0/request_id").is_string(), "{events}");
    assert_eq!(
        events.at("/items/0/details"),
        json!({"from": "customer", "to": "agent"})
    );

    // The account is disabled: its sessions end, and the right password gets the response of a
    // wrong one.
    admin
        .patch(format!("/v1/users/{}", ada.id))
        .if_match("*")
        .merge_patch(&json!({"disabled": true}))
        .send()
        .await
        .expect(200);
    until(401, async || me(&token).await).await;
    app.post("/v1/auth/refresh")
        .json(&json!({"refresh_token": fresh.text_at("/refresh_token")}))
        .send()
        .await
        .expect_problem(400, "invalid_grant");
    login(&app, &ada.email, PASSWORD)
        .await
        .expect_problem(401, "invalid_credentials");
}
