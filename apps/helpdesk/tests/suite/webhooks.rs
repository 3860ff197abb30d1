//! Webhooks: what arrives at a real receiver, and what administrators see of it.

use std::collections::BTreeSet;
use std::ops::Deref;
use std::time::{Duration, Instant};

use doyen::domain::{Clock as _, DAY, HOUR};
use doyen::webhooks::{WebhookSecret, verify};
use doyen_test::{Answer, Received, Reply, Setup, Subject, TestApp, UpstreamServer};
use serde_json::{Value, json};

use crate::support::{Helpdesk, Join as _, Person, patient};

const ALL: [&str; 7] = [
    "ticket.created",
    "ticket.updated",
    "ticket.assigned",
    "ticket.solved",
    "ticket.closed",
    "ticket.reopened",
    "ticket.commented",
];

/// Maximum time to wait for what happens in the background.
const TIMEOUT: Duration = Duration::from_secs(60);

/// The helpdesk with webhooks to this machine. It is the only node: another one with other settings
/// would run some of the jobs, and refuse the address.
struct Open(TestApp);

impl Subject for Open {
    fn app() -> doyen::App {
        helpdesk::app()
    }

    fn setup() -> Setup {
        patient()
            .set("webhooks.allow_private", "true")
            .set("webhooks.disable_after", "1h")
            .set("outbound.webhooks.breaker", "false")
            .set("outbound.webhooks.timeout", "30s")
            .set("outbound.webhooks.try_timeout", "30s")
            .set("outbound.webhooks.connect_timeout", "30s")
    }

    fn new(app: TestApp) -> Self {
        Self(app)
    }
}

impl Deref for Open {
    type Target = TestApp;
    fn deref(&self) -> &TestApp {
        &self.0
    }
}

/// Waits until this number of requests has arrived, and returns them.
async fn arrived(upstream: &UpstreamServer, number: usize) -> Vec<Received> {
    let started = Instant::now();
    while upstream.requests().len() < number && started.elapsed() < TIMEOUT {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let requests = upstream.requests();
    let found = requests.len();
    assert!(found >= number, "{found} of {number} requests arrived");
    requests
}

/// An administrator who creates a webhook.
struct Hook {
    admin: Person,
    id: String,
    secret: String,
}

impl Hook {
    async fn new(app: &TestApp, upstream: &UpstreamServer, events: &[&str]) -> Self {
        let admin = app.as_admin().await;
        let new = json!({"url": format!("{}/hook?k=v", upstream.url()), "events": events});
        let answer = admin
            .post("/v1/webhooks")
            .json(&new)
            .send()
            .await
            .expect(201);
        Self {
            admin,
            id: answer.text_at("/id"),
            secret: answer.text_at("/secret"),
        }
    }

    fn path(&self, rest: &str) -> String {
        format!("/v1/webhooks/{}{rest}", self.id)
    }

    async fn read(&self) -> Answer {
        self.admin.get(self.path("")).send().await.expect(200)
    }

    /// Waits until the newest delivery has this status, and returns it.
    async fn newest(&self, status: &str, attempts: usize) -> Value {
        let started = Instant::now();
        while started.elapsed() < TIMEOUT {
            let page = self
                .admin
                .get(self.path("/deliveries"))
                .send()
                .await
                .expect(200);
            // There is none until the event was delivered to the fan-out.
            let newest = page.json()["items"][0].clone();
            let made = newest["attempts"].as_array().map_or(0, Vec::len);
            if newest["status"] == status && made == attempts {
                return newest;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let page = self.admin.get(self.path("/deliveries")).send().await;
        panic!("no delivery is {status} after {attempts} attempts: {page}");
    }
}

/// Returns the number of live secrets among these that signed the message.
fn signed_by(app: &TestApp, message: &Received, secrets: &[&str]) -> Vec<bool> {
    let check = |secret: &&str| {
        let secret = WebhookSecret::parse(secret).unwrap_or_else(|error| panic!("{error}"));
        let header = |name: &str| message.header(name);
        verify(&[secret], header, &message.body, app.clock().now()).is_ok()
    };
    secrets.iter().map(check).collect()
}

/// Returns the names of the members of an object.
fn members(object: &Value) -> BTreeSet<&str> {
    let all = object.as_object().into_iter().flatten();
    all.map(|(name, _)| name.as_str()).collect()
}

/// Returns the names of the members of `data` in the document, for an event.
fn described_members<'a>(document: &'a Value, event: &Value) -> BTreeSet<&'a str> {
    let resolved = |schema: &'a Value| {
        let name = schema["$ref"]
            .as_str()
            .and_then(|text| text.rsplit('/').next());
        name.map_or(schema, |name| &document["components"]["schemas"][name])
    };
    let event = event.as_str().unwrap_or_default();
    let body = &document["webhooks"][event]["post"]["requestBody"];
    let message = resolved(&body["content"]["application/json"]["schema"]);
    members(&resolved(&message["properties"]["data"])["properties"])
}

fn types(messages: &[Received]) -> Vec<String> {
    let kind = |message: &Received| message.json()["type"].as_str().map(str::to_owned);
    messages.iter().filter_map(kind).collect()
}

#[doyen_test::test]
async fn webhooks_are_managed_by_administrators_alone(app: Helpdesk) {
    let admin = app.as_admin().await;
    let new = json!({
        "url": "https://93.184.216.34/hook",
        "events": ["ticket.solved", "ticket.created"],
        "description": "Chat",
    });
    let made = admin
        .post("/v1/webhooks")
        .json(&new)
        .send()
        .await
        .expect(201);
    assert!(made.text_at("/secret").starts_with("whsec_"));
    assert_eq!(
        made.at("/events"),
        json!(["ticket.created", "ticket.solved"])
    );
    let path = made.location();
    let read = admin.get(&path).send().await.expect(200);
    assert!(read.json().get("secret").is_none(), "{read}");
    assert_eq!(read.text_at("/owner"), admin.id);
    let list = admin.get("/v1/webhooks").send().await.expect(200);
    assert_eq!(list.text_at("/items/0/id"), made.text_at("/id"));
    assert!(!list.text().contains("whsec_"), "{list}");

    let off = json!({"enabled": false, "description": null});
    admin
        .patch(&path)
        .merge_patch(&off)
        .send()
        .await
        .expect(428);
    let stale = admin.patch(&path).if_match("\"7\"").merge_patch(&off);
    stale
        .send()
        .await
        .expect_problem(412, "precondition_failed");
    let edited = admin
        .patch(&path)
        .if_match(read.etag())
        .merge_patch(&off)
        .send()
        .await;
    let edited = edited.expect(200);
    assert_eq!(
        (edited.at("/enabled"), edited.at("/description")),
        (json!(false), Value::Null)
    );
    assert_eq!(edited.at("/version"), 2);
    let test = admin.post(format!("{path}/test")).send().await;
    test.expect_problem(409, "webhook_disabled");

    for person in [app.as_agent().await, app.as_customer().await] {
        person
            .get("/v1/webhooks")
            .send()
            .await
            .expect_problem(403, "forbidden");
        person
            .post("/v1/webhooks")
            .json(&new)
            .send()
            .await
            .expect_problem(403, "forbidden");
        person
            .get(&path)
            .send()
            .await
            .expect_problem(403, "forbidden");
    }
    admin.delete(&path).send().await.expect(204);
    admin
        .get(&path)
        .send()
        .await
        .expect_problem(404, "webhook_not_found");
    assert_eq!(app.count("webhooks").await, 0);
}

#[doyen_test::test]
async fn an_inner_address_is_refused(app: Helpdesk) {
    let admin = app.as_admin().await;
    let inner = UpstreamServer::start();
    for url in [
        inner.url(),
        "http://localhost/hook".to_owned(),
        "https://127.1/".to_owned(),
        "https://0/".to_owned(),
        "https://10.0.0.1/".to_owned(),
        "https://[::1]/".to_owned(),
        "https://[::ffff:127.0.0.1]/".to_owned(),
        "https://[64:ff9b::7f00:1]/".to_owned(),
        "https://2130706433/".to_owned(),
        "http://169.254.169.254/latest/meta-data".to_owned(),
        "https://user:password@example.com/".to_owned(),
        "https://93.184.216.34:22/".to_owned(),
        "file:///etc/passwd".to_owned(),
        "gopher://93.184.216.34/".to_owned(),
        "not a url".to_owned(),
    ] {
        let new = json!({"url": url, "events": ["ticket.created"]});
        let refused = admin.post("/v1/webhooks").json(&new).send().await;
        let refused = refused.expect_problem(422, "forbidden_address");
        assert_eq!(refused.text_at("/errors/0/pointer"), "/url", "{url}");
    }
    let new = json!({"url": "https://93.184.216.34/", "events": ["ticket.created"]});
    let made = admin
        .post("/v1/webhooks")
        .json(&new)
        .send()
        .await
        .expect(201);
    let moved = admin.patch(made.location()).if_match(made.etag());
    let moved = moved.merge_patch(&json!({"url": inner.url()})).send().await;
    moved.expect_problem(422, "forbidden_address");
    assert_eq!((app.count("webhooks").await, inner.connections()), (1, 0));
}

#[doyen_test::test]
async fn each_event_arrives_signed_and_notes_never_leave(app: Open) {
    let upstream = UpstreamServer::start();
    let hook = Hook::new(&app, &upstream, &ALL).await;
    let (ada, grace) = (app.as_customer().await, app.as_agent().await);

    let ticket = ada.opens("The printer is on fire").await.text_at("/id");
    let act = async |action: &str, body: Value| {
        let call = grace.post(format!("/v1/tickets/{ticket}/{action}"));
        let call = if body.is_null() {
            call
        } else {
            call.json(&body)
        };
        let status = call.send().await.status();
        assert!(status < 300, "{action}: {status}");
    };
    let note = json!({"body": "the customer is difficult", "internal": true});
    act("comments", note).await;
    let edit = json!({"priority": "high"});
    let edited = ada
        .patch(format!("/v1/tickets/{ticket}"))
        .if_match("*")
        .merge_patch(&edit);
    edited.send().await.expect(200);
    act("assign", json!({"assignee": grace.id})).await;
    act("solve", Value::Null).await;
    act("close", Value::Null).await;
    act("reopen", Value::Null).await;
    ada.says(&ticket, "It still burns").await.expect(201);

    let messages = arrived(&upstream, ALL.len()).await;
    let mut sent = types(&messages);
    sent.sort();
    let mut expected = ALL.map(str::to_owned);
    expected.sort();
    assert_eq!(sent, expected);
    for message in &messages {
        assert_eq!(
            (message.method.as_str(), message.target.as_str()),
            ("POST", "/hook?k=v")
        );
        assert_eq!(signed_by(&app, message, &[&hook.secret]), [true]);
        assert!(
            message
                .header("webhook-id")
                .is_some_and(|id| id.starts_with("msg_"))
        );
        assert!(message.header("traceparent").is_some());
        let text = String::from_utf8_lossy(&message.body);
        assert!(!text.contains("difficult"), "{text}");
        let body = message.json();
        assert!(body["timestamp"].is_string());
        let data = &body["data"];
        assert_eq!(
            members(data),
            described_members(app.document(), &body["type"])
        );
        if body["type"] == "ticket.commented" {
            assert_eq!(
                (&data["body"], &data["ticket"]),
                (&json!("It still burns"), &json!(ticket))
            );
            assert_eq!(data["author"]["id"], ada.id);
        } else {
            assert_eq!(
                (&data["id"], &data["reporter"]["id"]),
                (&json!(ticket), &json!(ada.id))
            );
            assert!(
                data["comment_count"] == 0 || data["comment_count"] == 1,
                "{data}"
            );
            // The ticket, four actions and an edit: the note has no version.
            let version = data["version"].as_i64();
            assert!(version.is_some_and(|version| version <= 7), "{data}");
        }
    }
    let delivered = hook.newest("delivered", 1).await;
    assert_eq!(delivered["attempts"][0]["response_status"], 200);
    assert!(delivered["next_try_at"].is_null());
}

#[doyen_test::test]
async fn a_webhook_gets_only_what_it_asked_for(app: Open) {
    let (one, other) = (UpstreamServer::start(), UpstreamServer::start());
    let _created = Hook::new(&app, &one, &["ticket.created"]).await;
    let solved = Hook::new(&app, &other, &["ticket.created", "ticket.solved"]).await;
    let off = json!({"enabled": false});
    let (ada, grace) = (app.as_customer().await, app.as_agent().await);
    let ticket = ada.opens("first").await.text_at("/id");
    let same = (arrived(&one, 1).await, arrived(&other, 1).await);
    let id = |messages: &[Received]| messages[0].header("webhook-id").map(str::to_owned);
    assert_eq!(id(&same.0), id(&same.1), "one event is one message");

    let disabled = solved
        .admin
        .patch(solved.path(""))
        .if_match("*")
        .merge_patch(&off);
    disabled.send().await.expect(200);
    grace
        .post(format!("/v1/tickets/{ticket}/solve"))
        .send()
        .await
        .expect(200);
    ada.opens("second").await;
    arrived(&one, 2).await;
    assert_eq!(types(&one.requests()), ["ticket.created", "ticket.created"]);
    assert_eq!(other.requests().len(), 1);
}

#[doyen_test::test]
async fn a_failed_delivery_is_repeated_with_the_same_id(app: Open) {
    let upstream = UpstreamServer::start();
    upstream
        .reply(Reply::status(500))
        .reply(Reply::redirect("/elsewhere"));
    let hook = Hook::new(&app, &upstream, &["ticket.created"]).await;
    app.as_customer().await.opens("once").await;
    let failed = hook.newest("pending", 1).await;
    assert_eq!(failed["attempts"][0]["response_status"], 500);
    assert!(
        failed["next_try_at"].is_string() && hook.read().await.at("/failing_since").is_string()
    );

    app.clock().advance(Duration::from_secs(6));
    let redirected = hook.newest("pending", 2).await;
    assert_eq!(redirected["attempts"][1]["response_status"], 302);
    app.clock().advance(Duration::from_secs(6 * 60));
    hook.newest("delivered", 3).await;
    let messages = upstream.requests();
    assert_eq!(messages.len(), 3);
    for message in &messages {
        assert_eq!(
            message.header("webhook-id"),
            messages[0].header("webhook-id")
        );
        assert_eq!(message.body, messages[0].body);
    }
    // Each attempt has a signature of its own, over its own time.
    assert_ne!(
        messages[0].header("webhook-timestamp"),
        messages[2].header("webhook-timestamp")
    );
    assert_eq!(signed_by(&app, &messages[2], &[&hook.secret]), [true]);
    assert!(hook.read().await.at("/failing_since").is_null());
}

#[doyen_test::test]
async fn a_delivery_can_be_requested_again_and_a_test_be_sent(app: Open) {
    let upstream = UpstreamServer::start();
    let hook = Hook::new(&app, &upstream, &["ticket.created"]).await;
    let test = hook.admin.post(hook.path("/test")).send().await.expect(202);
    let delivered = hook.newest("delivered", 1).await;
    assert_eq!(delivered["id"], test.at("/id"));
    let again = format!("/deliveries/{}/redeliver", test.text_at("/id"));
    hook.admin.post(hook.path(&again)).send().await.expect(202);
    hook.newest("delivered", 2).await;
    let messages = upstream.requests();
    assert_eq!(types(&messages), ["webhook.test", "webhook.test"]);
    assert_eq!(
        messages[0].header("webhook-id"),
        messages[1].header("webhook-id")
    );
    let missing = "/deliveries/dlv_01jd9m3z6veqjsk4dy2hjcg8x4/redeliver";
    let missing = hook.admin.post(hook.path(missing)).send().await;
    missing.expect_problem(404, "delivery_not_found");
}

#[doyen_test::test]
async fn both_secrets_sign_for_a_day(app: Open) {
    let upstream = UpstreamServer::start();
    let hook = Hook::new(&app, &upstream, &["ticket.created"]).await;
    let rotated = hook
        .admin
        .post(hook.path("/secret"))
        .send()
        .await
        .expect(200);
    assert_eq!(rotated.header("cache-control"), Some("no-store"));
    let secrets = [hook.secret.clone(), rotated.text_at("/secret")];
    let secrets = [&*secrets[0], &*secrets[1]];
    assert_ne!(secrets[0], secrets[1]);
    let send = async |number: usize| {
        let hook = Hook {
            admin: hook.admin.again().await,
            id: hook.id.clone(),
            secret: String::new(),
        };
        hook.admin.post(hook.path("/test")).send().await.expect(202);
        // An attempt whose result is not stored when the clock moves would be repeated.
        hook.newest("delivered", 1).await;
        let messages = arrived(&upstream, number).await;
        signed_by(&app, &messages[number - 1], &secrets)
    };
    assert_eq!(send(1).await, [true, true]);
    app.clock().advance(DAY - HOUR);
    assert_eq!(send(2).await, [true, true]);
    app.clock().advance(HOUR);
    assert_eq!(send(3).await, [false, true]);
}

#[doyen_test::test]
async fn a_webhook_that_fails_for_days_is_disabled_and_its_owner_gets_a_mail(app: Open) {
    let upstream = UpstreamServer::start();
    upstream.always(Reply::status(503));
    let hook = Hook::new(&app, &upstream, &["ticket.created"]).await;
    app.as_customer().await.opens("lost").await;
    hook.newest("pending", 1).await;
    let mut attempts = 1;
    for pause in [6, 6 * 60, 34 * 60, 3 * 60 * 60] {
        app.clock().advance(Duration::from_secs(pause));
        attempts += 1;
        let admin = hook.admin.again().await;
        let hook = Hook {
            admin,
            id: hook.id.clone(),
            secret: String::new(),
        };
        let status = if attempts == 5 { "failed" } else { "pending" };
        hook.newest(status, attempts).await;
    }
    let admin = hook.admin.again().await;
    let read = admin.get(hook.path("")).send().await.expect(200);
    assert_eq!(read.at("/enabled"), false);
    let about = |mail: &doyen::domain::Mail| mail.subject() == "A webhook was disabled";
    // The mail is enqueued after the commit that a reader already sees.
    let started = Instant::now();
    let mut mails = app.mails().await;
    while !mails.iter().any(about) && started.elapsed() < TIMEOUT {
        tokio::time::sleep(Duration::from_millis(10)).await;
        mails = app.mails().await;
    }
    mails.retain(about);
    assert_eq!(mails.len(), 1);
    assert_eq!(mails[0].to(), hook.admin.email);
    assert!(mails[0].text().contains(&hook.id));

    // Enabled again, it gets new events.
    upstream.always(Reply::status(204));
    let on = admin
        .patch(hook.path(""))
        .if_match("*")
        .merge_patch(&json!({"enabled": true}));
    on.send().await.expect(200);
    let before = upstream.requests().len();
    admin.post(hook.path("/test")).send().await.expect(202);
    arrived(&upstream, before + 1).await;
}

#[doyen_test::test]
async fn secrets_are_encrypted_in_the_database(app: Open) {
    let upstream = UpstreamServer::start();
    let hook = Hook::new(&app, &upstream, &["ticket.created"]).await;
    let other = Hook::new(&app, &upstream, &["ticket.created"]).await;
    let secret = WebhookSecret::parse(&hook.secret).unwrap_or_else(|error| panic!("{error}"));
    let found = app
        .execute(
            "UPDATE webhooks SET version = version WHERE secret = $1",
            [secret.as_bytes().to_vec().into()],
        )
        .await;
    assert_eq!(found, 0);
    // A row that is moved to another webhook signs nothing: the id is part of what is sealed.
    app.execute(
        "UPDATE webhooks SET secret = (SELECT secret FROM webhooks AS w ORDER BY w.created_at, w.id LIMIT 1)",
        [],
    )
    .await;
    other
        .admin
        .post(other.path("/test"))
        .send()
        .await
        .expect(202);
    hook.admin.post(hook.path("/test")).send().await.expect(202);
    let messages = arrived(&upstream, 1).await;
    assert_eq!(signed_by(&app, &messages[0], &[&hook.secret]), [true]);
    assert_eq!(messages.len(), 1);
}

#[doyen_test::test]
async fn a_webhook_gets_events_in_the_shape_of_its_version(app: Open) {
    let upstream = UpstreamServer::start();
    upstream.always(Reply::status(204));
    let (admin, agent) = (app.as_admin().await, app.as_agent().await);
    let url = |version: &str| format!("{}/{version}", upstream.url());
    for version in ["2026-06-01", "2026-11-01"] {
        let new = json!({"url": url(version), "events": ["ticket.assigned"]});
        let call = admin.post("/v1/webhooks").header("api-version", version);
        let made = call.json(&new).send().await.expect(201);
        assert_eq!(made.at("/api_version"), json!(version));
    }
    let ticket = admin.opens("Printer").await.text_at("/id");
    let assign = admin.post(format!("/v1/tickets/{ticket}/assign"));
    let assign = assign.json(&json!({"assignee": agent.id})).send().await;
    assign.expect(200);
    let messages = arrived(&upstream, 2).await;
    let data = |version: &str| {
        let path = format!("/{version}");
        let of = |message: &&Received| message.target == path;
        let message = messages
            .iter()
            .find(of)
            .unwrap_or_else(|| panic!("{messages:?}"));
        message.json()["data"].clone()
    };
    let (older, newest) = (data("2026-06-01"), data("2026-11-01"));
    assert_eq!(newest["assignee"]["id"], json!(agent.id));
    assert!(newest.get("assignee_id").is_none(), "{newest}");
    assert_eq!(older["assignee_id"], json!(agent.id));
    assert!(older.get("assignee").is_none(), "{older}");
    assert_eq!(older["id"], newest["id"]);
}
