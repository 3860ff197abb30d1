//! Machine clients: id and secret for a token, and the rights of the token.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use doyen_test::{Answer, TestApp};
use serde_json::{Value, json};

use crate::api_keys_app::{ApiKeysApp, KeyOwner, SignUp as _, events, setup};

const FORM: &str = "application/x-www-form-urlencoded";
const ADMIN_SCOPES: &str = "things:read things:write house:keep profile";

/// A client as its program has it.
struct Program {
    app: TestApp,
    id: String,
    secret: String,
}

async fn client(admin: &KeyOwner, scopes: &[&str]) -> Program {
    let new = json!({"name": "billing", "scopes": scopes});
    let made = admin
        .request("POST", "/v1/clients")
        .json(&new)
        .send()
        .await
        .expect(201);
    assert_eq!(made.header("cache-control"), Some("no-store"));
    Program {
        app: admin.app.clone(),
        id: made.text_at("/client_id"),
        secret: made.text_at("/client_secret"),
    }
}

fn basic(id: &str, secret: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{id}:{secret}")))
}

impl Program {
    /// Sends this form with HTTP Basic.
    async fn asks(&self, form: &str) -> Answer {
        let call = self.app.post("/v1/oauth/token").body(FORM, form);
        call.header("authorization", basic(&self.id, &self.secret))
            .send()
            .await
    }

    /// Sends id and secret in the form.
    async fn asks_in_the_form(&self, more: &str) -> Answer {
        let form = format!(
            "grant_type=client_credentials&client_id={}&client_secret={}{more}",
            self.id, self.secret
        );
        self.app
            .post("/v1/oauth/token")
            .body(FORM, form)
            .send()
            .await
    }

    async fn token(&self) -> String {
        let answer = self.asks("grant_type=client_credentials").await.expect(200);
        answer.text_at("/access_token")
    }
}

/// A refusal as in RFC 6749 section 5.2, inside a problem.
#[track_caller]
fn refused(answer: Answer, status: u16, error: &str) -> Answer {
    let answer = answer.expect_problem(status, error);
    assert_eq!(answer.text_at("/error"), error);
    let description = answer.text_at("/error_description");
    let plain = |c: char| matches!(c, ' '..='!' | '#'..='[' | ']'..='~');
    assert!(
        !description.is_empty() && description.chars().all(plain),
        "{description}"
    );
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    answer
}

async fn things(app: &TestApp, token: &str) -> u16 {
    app.get("/things").bearer(token).send().await.status()
}

#[doyen_test::test]
async fn t14_a_client_gets_a_token_with_no_store(app: ApiKeysApp) {
    let admin = app.sign_up(ADMIN_SCOPES).await;
    let program = client(&admin, &["things:read"]).await;
    for answer in [
        program.asks("grant_type=client_credentials").await,
        program.asks_in_the_form("").await,
        // Unknown parameters are ignored (RFC 6749 section 3.2), and an empty one counts as absent.
        program
            .asks("grant_type=client_credentials&resource=x&scope=&audience=a&audience=b")
            .await,
    ] {
        let answer = answer.expect(200);
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        let body = answer.json();
        assert_eq!(body["token_type"], "Bearer");
        assert_eq!(body["expires_in"], 900);
        assert_eq!(body["scope"], "things:read");
        assert_eq!(body.get("refresh_token"), None);
        let token = answer.text_at("/access_token");
        let who = app.get("/who").bearer(&token).send().await.expect(200);
        assert_eq!(
            who.json(),
            json!({"subject": program.id, "scopes": ["things:read"], "roles": [], "key": program.id, "session": null})
        );
        assert_eq!(things(&app, &token).await, 200);
        app.post("/things")
            .bearer(&token)
            .send()
            .await
            .expect_problem(403, "forbidden");
    }
    // O5: the secret is not in the list and not in the table.
    let list = admin.request("GET", "/v1/clients").send().await.expect(200);
    assert!(!list.text().contains(&program.secret[6..]));
    assert_eq!(
        list.text_at("/items/0/last_used_at"),
        "2026-11-22T08:30:00.000000Z"
    );
    let secret = &program.secret[6..];
    let place = format!(
        "auth_clients WHERE name LIKE '%{secret}%' OR scopes LIKE '%{secret}%' OR created_by LIKE '%{secret}%'"
    );
    assert_eq!(app.count(&place).await, 0);
}

/// O4: a client gets the requested scopes, and never more than it has.
#[doyen_test::test]
async fn o4_narrower_scopes_are_granted_and_wider_ones_refused(app: ApiKeysApp) {
    let admin = app.sign_up(ADMIN_SCOPES).await;
    let program = client(&admin, &["things:read", "things:write"]).await;
    let answer = program
        .asks("grant_type=client_credentials&scope=things%3Aread")
        .await
        .expect(200);
    assert_eq!(answer.text_at("/scope"), "things:read");
    let token = answer.text_at("/access_token");
    app.post("/things")
        .bearer(&token)
        .send()
        .await
        .expect_problem(403, "forbidden");
    let both = "grant_type=client_credentials&scope=things:write+things:read";
    assert_eq!(
        program.asks(both).await.expect(200).text_at("/scope"),
        "things:read things:write"
    );
    for wider in [
        "house:keep",
        "things:read house:keep",
        "THINGS:READ",
        "things:read,things:write",
        "*",
    ] {
        let form = format!(
            "grant_type=client_credentials&scope={}",
            wider.replace(' ', "+")
        );
        refused(program.asks(&form).await, 400, "invalid_scope");
    }
}

/// O9: there is no password grant, no code, no implicit grant, and the document says so.
#[doyen_test::test]
async fn o9_other_grants_are_refused(app: ApiKeysApp) {
    let admin = app.sign_up(ADMIN_SCOPES).await;
    let program = client(&admin, &["things:read"]).await;
    for grant in [
        "password&username=ada&password=x",
        "authorization_code&code=x",
        "refresh_token&refresh_token=x",
        "implicit",
        "urn:ietf:params:oauth:grant-type:device_code",
        "CLIENT_CREDENTIALS",
        "client_credentials%20",
    ] {
        refused(
            program.asks(&format!("grant_type={grant}")).await,
            400,
            "unsupported_grant_type",
        );
    }
    refused(
        program.asks("scope=things:read").await,
        400,
        "invalid_request",
    );
    let metadata = app
        .get("/.well-known/oauth-authorization-server")
        .send()
        .await
        .expect(200);
    let metadata = metadata.json();
    assert_eq!(
        metadata["grant_types_supported"],
        json!(["client_credentials"])
    );
    assert_eq!(metadata["response_types_supported"], json!([]));
    assert_eq!(metadata.get("authorization_endpoint"), None);
    // Addresses come from the settings, whatever the `Host` (A33).
    assert_eq!(metadata["issuer"], "http://localhost");
    assert_eq!(
        metadata["token_endpoint"],
        "http://localhost/v1/oauth/token"
    );
    let evil = app
        .get("/.well-known/oauth-authorization-server")
        .header("host", "evil.example")
        .header("x-forwarded-host", "evil.example")
        .send()
        .await
        .expect(200);
    assert!(!evil.text().contains("evil"));
    let keys = metadata["jwks_uri"].as_str().unwrap();
    app.get(keys.strip_prefix("http://localhost").unwrap())
        .send()
        .await
        .expect(200);
}

#[doyen_test::test]
async fn o4_an_unauthenticated_client_gets_no_token(app: ApiKeysApp) {
    let admin = app.sign_up(ADMIN_SCOPES).await;
    let (program, other) = (
        client(&admin, &["things:read"]).await,
        client(&admin, &["things:read"]).await,
    );
    let wrong = |id: &str, secret: &str| Program {
        app: program.app.clone(),
        id: id.to_owned(),
        secret: secret.to_owned(),
    };
    let form = "grant_type=client_credentials";
    let mut bodies: Vec<Value> = Vec::new();
    for one in [
        wrong(&program.id, "x"),
        wrong(&program.id, ""),
        wrong(&program.id, &other.secret),
        wrong(&program.id, &program.secret[..program.secret.len() - 1]),
        wrong("cli_01jd9m3z6veqjsk4dy2hjcg8x4", &program.secret),
        wrong("", &program.secret),
        wrong("' or 1=1--", &program.secret),
    ] {
        for answer in [one.asks(form).await, one.asks_in_the_form("").await] {
            let answer = refused(answer, 401, "invalid_client");
            assert_eq!(
                answer.header("www-authenticate"),
                Some("Basic realm=\"api\"")
            );
            let mut body = answer.json();
            body["request_id"] = Value::Null;
            bodies.push(body);
        }
    }
    // A7: an unknown client gets the same response.
    assert!(bodies.windows(2).all(|pair| pair[0] == pair[1]));
    for authorization in ["Basic", "Basic !", "Basic eA==", "Bearer x", "Digest x"] {
        let call = app.post("/v1/oauth/token").body(FORM, form);
        let answer = call.header("authorization", authorization).send().await;
        refused(answer, 401, "invalid_client");
    }
    let call = app.post("/v1/oauth/token").body(FORM, form).send().await;
    refused(call, 401, "invalid_client");
    let refusals = events(&app, "client.refused").await;
    assert!(!refusals.is_empty());
    assert!(refusals.iter().all(|event| {
        event["subject"]
            .as_str()
            .is_none_or(|who| who.starts_with("cli_"))
    }));
}

#[doyen_test::test]
async fn t12_a_client_authenticates_with_one_method(app: ApiKeysApp) {
    let admin = app.sign_up(ADMIN_SCOPES).await;
    let program = client(&admin, &["things:read"]).await;
    let other = client(&admin, &["things:read"]).await;
    let id = &program.id;
    let secret = &program.secret;
    for form in [
        format!("grant_type=client_credentials&client_id={id}&client_secret={secret}"),
        format!("grant_type=client_credentials&client_secret={secret}"),
        format!("grant_type=client_credentials&client_id={}", other.id),
        "grant_type=client_credentials&grant_type=client_credentials".to_owned(),
        "grant_type=client_credentials&scope=a&scope=b".to_owned(),
    ] {
        refused(program.asks(&form).await, 400, "invalid_request");
    }
    // The client id alone, next to Basic, is not a second method.
    let same = format!("grant_type=client_credentials&client_id={id}");
    program.asks(&same).await.expect(200);
    let twice = app
        .post("/v1/oauth/token")
        .body(FORM, "grant_type=client_credentials")
        .header("authorization", basic(id, secret))
        .header("authorization", basic(id, secret));
    refused(twice.send().await, 400, "invalid_request");
    // Other media types are refused.
    let json = app
        .post("/v1/oauth/token")
        .json(&json!({"grant_type": "client_credentials"}));
    json.send().await.expect(415);
    let query = format!("/v1/oauth/token?client_id={id}&client_secret={secret}");
    app.post(query)
        .body(FORM, "grant_type=client_credentials")
        .send()
        .await
        .expect(422);
}

#[doyen_test::test]
async fn t15_a_revoked_client_is_refused_with_its_tokens(app: ApiKeysApp) {
    let admin = app.sign_up(ADMIN_SCOPES).await;
    let program = client(&admin, &["things:read"]).await;
    let other = client(&admin, &["things:read"]).await;
    let (token, others) = (program.token().await, other.token().await);
    assert_eq!(things(&app, &token).await, 200);
    let path = format!("/v1/clients/{}", program.id);
    admin.request("DELETE", &path).send().await.expect(204);
    assert_eq!(things(&app, &token).await, 401);
    // A node that starts now knows the revocation too.
    let node = app.another(setup()).await;
    assert_eq!(things(&node, &token).await, 401);
    refused(
        program.asks("grant_type=client_credentials").await,
        401,
        "invalid_client",
    );
    assert_eq!(
        (things(&app, &others).await, things(&node, &others).await),
        (200, 200)
    );
    admin
        .request("DELETE", &path)
        .send()
        .await
        .expect_problem(404, "client_not_found");
    let changed = events(&app, "client.changed").await;
    let whats: Vec<&str> = changed
        .iter()
        .filter_map(|event| event["details"]["what"].as_str())
        .collect();
    assert_eq!(whats, ["revoked", "created", "created"]);
    assert_eq!(changed[0]["actor"], json!(admin.subject));
}

#[doyen_test::test]
async fn t15_another_secret_ends_the_old_one_and_its_tokens(app: ApiKeysApp) {
    let admin = app.sign_up(ADMIN_SCOPES).await;
    let old = client(&admin, &["things:read"]).await;
    let token = old.token().await;
    let path = format!("/v1/clients/{}/secret", old.id);
    let answer = admin.request("POST", &path).send().await.expect(200);
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let new = Program {
        app: old.app.clone(),
        id: answer.text_at("/client_id"),
        secret: answer.text_at("/client_secret"),
    };
    assert_eq!(things(&app, &token).await, 401);
    refused(
        old.asks("grant_type=client_credentials").await,
        401,
        "invalid_client",
    );
    assert_eq!(things(&app, &new.token().await).await, 200);
}

#[doyen_test::test]
async fn z1_only_an_administrator_who_logged_in_manages_clients(app: ApiKeysApp) {
    let admin = app.sign_up(ADMIN_SCOPES).await;
    let program = client(&admin, &["things:read", "house:keep"]).await;
    let (token, key) = (
        program.token().await,
        admin
            .make(&["house:keep"])
            .await
            .expect(201)
            .text_at("/key"),
    );
    let ada = app.sign_up("things:read profile").await;
    for (method, target) in [
        ("POST", "/v1/clients".to_owned()),
        ("GET", "/v1/clients".to_owned()),
        ("DELETE", format!("/v1/clients/{}", program.id)),
        ("POST", format!("/v1/clients/{}/secret", program.id)),
    ] {
        let call = || {
            let call = app.request(method, &target);
            if target == "/v1/clients" && method == "POST" {
                call.json(&json!({"name": "more", "scopes": ["things:read"]}))
            } else {
                call
            }
        };
        call().send().await.expect_problem(401, "unauthenticated");
        call()
            .bearer(&ada.token)
            .send()
            .await
            .expect_problem(403, "forbidden");
        call()
            .bearer(&token)
            .send()
            .await
            .expect_problem(403, "session_required");
        call()
            .header("x-api-key", &key)
            .send()
            .await
            .expect_problem(403, "session_required");
    }
    // A user cannot give a client scopes that the user does not have.
    let new = json!({"name": "more", "scopes": ["things:read", "tickets:read"]});
    let answer = admin.request("POST", "/v1/clients").json(&new).send().await;
    assert_eq!(answer.expect(422).failures(), ["/scopes/1 scope"]);
}
