//! A private cache that several callers share must not return the response of another caller.

use std::ops::Deref;
use std::time::Duration;

use doyen_test::{Answer, Call, Setup, Subject, TestApp};
use helpdesk::access::{Role, Scope};
use serde_json::json;

use crate::support::people::PASSWORD;
use crate::support::{Join as _, Person, patient};

/// The helpdesk with tokens and cookies.
pub(crate) struct CookieHelpdesk(TestApp);

impl Subject for CookieHelpdesk {
    fn app() -> doyen::App {
        helpdesk::app()
    }

    fn setup() -> Setup {
        patient().set("auth.session.transport", "both")
    }

    fn new(app: TestApp) -> Self {
        Self(app)
    }
}

impl Deref for CookieHelpdesk {
    type Target = TestApp;
    fn deref(&self) -> &TestApp {
        &self.0
    }
}

/// The cookie of a new session.
async fn cookie(app: &TestApp, person: &Person) -> String {
    let login = app
        .post("/v1/auth/login")
        .json(&json!({"email": person.email, "password": PASSWORD, "transport": "cookie"}))
        .send()
        .await
        .expect(200);
    let cookie = login.header("set-cookie").unwrap();
    cookie.split(';').next().unwrap().to_owned()
}

/// A new API key.
async fn key(person: &Person, scopes: &[&str]) -> String {
    let new = json!({"name": "nightly export", "scopes": scopes});
    person
        .post("/v1/me/api-keys")
        .json(&new)
        .send()
        .await
        .expect(201)
        .text_at("/key")
}

/// The names in `Vary`.
fn varies(answer: &Answer) -> Vec<String> {
    let field = answer.header("vary").unwrap_or_default();
    let names = field.split(',').map(|name| name.trim().to_lowercase());
    names.filter(|name| !name.is_empty()).collect()
}

#[doyen_test::test]
async fn c5_the_tag_of_another_caller_gives_the_whole_response(app: CookieHelpdesk) {
    let (ada, bob, agent) = (
        app.as_customer().await,
        app.as_customer().await,
        app.as_agent().await,
    );
    let me = ada.get("/v1/me").send().await.expect(200);
    let agents_cookie = cookie(&app, &agent).await;
    let agents_key = key(&agent, &["profile"]).await;
    let others: [(Call, &str); 4] = [
        (app.get("/v1/me").header("cookie", agents_cookie), &agent.id),
        (app.get("/v1/me").header("x-api-key", agents_key), &agent.id),
        (agent.get("/v1/me"), &agent.id),
        (bob.get("/v1/me"), &bob.id),
    ];
    for (call, id) in others {
        let answer = call.if_none_match(me.etag()).send().await.expect(200);
        assert_eq!(answer.text_at("/id"), *id);
        assert_ne!(answer.etag(), me.etag());
    }
    // The same caller in other sessions.
    let own = cookie(&app, &ada).await;
    for call in [
        ada.get("/v1/me"),
        ada.again().await.get("/v1/me"),
        app.get("/v1/me").header("cookie", own),
    ] {
        let same = call.if_none_match(me.etag()).send().await.expect(304);
        assert_eq!(same.etag(), me.etag());
    }
    let before = ada.get("/v1/me").if_none_match("\"1\"").send().await;
    before.expect(200);
}

/// A key with fewer scopes sees fewer links.
#[doyen_test::test]
async fn c5_fewer_rights_are_another_representation(app: CookieHelpdesk) {
    let ada = app.as_customer().await;
    let made = ada.opens("printer").await;
    let reads = key(&ada, &["tickets:read"]).await;
    let answer = app
        .get(made.location())
        .header("x-api-key", reads)
        .if_none_match(made.etag())
        .send()
        .await
        .expect(200);
    assert!(answer.json().pointer("/_links/edit").is_none(), "{answer}");
    assert!(made.json().pointer("/_links/edit").is_some(), "{made}");
    // A precondition is about the version, so other scopes of the subject are valid.
    let reader = ada.only(Role::Customer, &[Scope::TicketsRead]).await;
    let seen = reader.get(made.location()).send().await.expect(200);
    assert_ne!(seen.etag(), made.etag());
    ada.patch(made.location())
        .if_match(seen.etag())
        .merge_patch(&json!({"subject": "new"}))
        .send()
        .await
        .expect(200);
}

#[doyen_test::test]
async fn c5_vary_names_every_credential(app: CookieHelpdesk) {
    let ada = app.as_customer().await;
    let credentials = ["authorization", "x-api-key", "cookie"];
    let me = ada.get("/v1/me").send().await.expect(200);
    let ticket = format!("/v1/tickets/{}", crate::tickets::NOWHERE);
    let known = ada.get("/v1/me").if_none_match(me.etag());
    for answer in [
        me,
        known.send().await.expect(304),
        ada.head("/v1/me").send().await.expect(200),
        ada.get("/v1/users").send().await.expect(403),
        ada.get(ticket).send().await.expect(404),
        app.get("/v1/me").send().await.expect(401),
        app.get("/livez").send().await.expect(200),
        app.head("/livez").send().await.expect(200),
    ] {
        let named = varies(&answer);
        let is_named = |name: &&str| named.contains(&(*name).to_owned());
        assert!(credentials.iter().all(is_named), "{answer}");
    }
    let list = ada.get("/v1/tickets").send().await.expect(200);
    assert!(varies(&list).contains(&"x-api-key".to_owned()), "{list}");
}

#[doyen_test::test]
async fn pages_that_are_the_same_for_all_callers_are_shared(app: CookieHelpdesk) {
    let asset = app.get("/docs").send().await.expect(200).text().to_owned();
    let asset = asset
        .split('"')
        .find(|part| part.starts_with("/docs/assets/"))
        .map(str::to_owned)
        .unwrap();
    for path in [
        "/openapi.json",
        "/docs",
        &asset,
        "/problems/not_found",
        "/.well-known/jwks.json",
    ] {
        let answer = app.get(path).send().await.expect(200);
        let kept = answer.header("cache-control").unwrap();
        assert!(kept.starts_with("public, "), "{path}: {kept}");
        let mut names = varies(&answer);
        names.retain(|name| name != "accept-encoding");
        assert!(names.is_empty(), "{path} varies by {names:?}");
    }
}

#[doyen_test::test]
async fn c2_a_list_of_tags_is_a_precondition(app: CookieHelpdesk) {
    let (ada, agent) = (app.as_customer().await, app.as_agent().await);
    let made = ada.opens("old").await;
    let patch = |person: &Person, tag: String, subject: &str| {
        person
            .patch(made.location())
            .if_match(tag)
            .merge_patch(&json!({"subject": subject}))
    };
    let first = patch(&ada, format!("\"zz\", {}", made.etag()), "second");
    let first = first.send().await.expect(200);
    let next = patch(&ada, first.etag(), "third").send().await.expect(200);
    // Stale versions, and a weak one.
    let theirs = agent.get(made.location()).send().await.expect(200).etag();
    for stale in [
        made.etag(),
        format!("{}, {}", made.etag(), first.etag()),
        format!("W/{}", next.etag()),
        format!("W/{theirs}"),
    ] {
        patch(&ada, stale, "no")
            .send()
            .await
            .expect_problem(412, "precondition_failed");
    }
    let all = [made.etag(), first.etag(), next.etag()].join(",");
    patch(&ada, all, "fourth").send().await.expect(200);
    // The version counts, and not who received the tag.
    let theirs = agent.get(made.location()).send().await.expect(200).etag();
    patch(&ada, format!("\"zz\", {theirs}"), "fifth")
        .send()
        .await
        .expect(200);
    patch(&ada, theirs, "sixth")
        .send()
        .await
        .expect_problem(412, "precondition_failed");
}

#[doyen_test::test]
async fn a_ticket_tag_changes_with_names_and_overdue(app: CookieHelpdesk) {
    let (ada, agent) = (app.as_customer().await, app.as_agent().await);
    let made = ada
        .opens_with(json!({"subject": "printer", "body": "b", "priority": "urgent"}))
        .await;
    let assign = format!("{}/assign", made.location());
    agent
        .post(assign)
        .json(&json!({"assignee": agent.id}))
        .send()
        .await
        .expect(200);
    let mut tag = ada.get(made.location()).send().await.expect(200).etag();
    let mut changed = async |what: &str| {
        let again = ada.get(made.location()).if_none_match(&tag).send().await;
        let again = again.expect(200);
        assert_ne!(again.etag(), tag, "{what}");
        tag = again.etag();
        let same = ada.get(made.location()).if_none_match(&tag).send().await;
        same.expect(304);
    };
    for person in [&ada, &agent] {
        person
            .patch("/v1/me")
            .if_match("*")
            .merge_patch(&json!({"name": "Countess"}))
            .send()
            .await
            .expect(200);
        changed("a name").await;
    }
    app.clock().advance(Duration::from_secs(4 * 3600 + 1));
    let (ada, agent) = (ada.again().await, agent.again().await);
    let late = ada.get(made.location()).if_none_match(&tag).send().await;
    let late = late.expect(200);
    assert_eq!(late.at("/is_overdue"), true);
    // A precondition compares the version only.
    let by_name = agent.get(made.location()).send().await.expect(200);
    agent
        .patch("/v1/me")
        .if_match("*")
        .merge_patch(&json!({"name": "Admiral"}))
        .send()
        .await
        .expect(200);
    agent
        .patch(made.location())
        .if_match(by_name.etag())
        .merge_patch(&json!({"subject": "new"}))
        .send()
        .await
        .expect(200);
}
