//! Every route, called anonymously, by another customer and with the wrong scope.
//!
//! The routes are read from the running service, so that a new route is tested at once. A public
//! route fails here until it is in the list of exceptions. A route with a body or a new parameter
//! fails until the test knows a value for it.

use doyen::domain::Scope as _;
use doyen::schema::contract::Operation;
use helpdesk::access::{Role, Scope};
use serde_json::{Value, json};

use crate::support::people::{ATTACHMENT, PASSWORD, attachment};
use crate::support::{Helpdesk, Join as _, Person};

/// Public routes. This list may only shrink: an entry that is not needed fails the test.
const PUBLIC: [&str; 18] = [
    "GET /.well-known/jwks.json",
    "GET /.well-known/oauth-authorization-server",
    "GET /asyncapi.json",
    "GET /docs",
    "GET /docs/assets/{file}",
    "GET /livez",
    "GET /openapi.json",
    "GET /problems/{code}",
    "GET /readyz",
    "POST /v1/auth/confirm-email",
    "POST /v1/auth/forgot-password",
    "POST /v1/auth/login",
    "POST /v1/auth/refresh",
    "POST /v1/auth/register",
    "POST /v1/auth/reset-password",
    "POST /v1/auth/verify-email",
    "POST /v1/auth/verify-email/resend",
    "POST /v1/oauth/token",
];

/// Ids of the owner, which the other customer uses.
struct Theirs {
    owner: Person,
    ticket: String,
    attachment: String,
    upload: String,
    key: String,
    session: String,
}

fn name(operation: &Operation) -> String {
    format!("{} {}", operation.method, operation.path)
}

/// Returns the path of a route with ids of the owner.
fn path(operation: &Operation, theirs: &Theirs) -> String {
    let whose = |text: &str| match text {
        path if path.starts_with("/v1/tickets/") => theirs.ticket.clone(),
        path if path.starts_with("/v1/attachments/") => theirs.attachment.clone(),
        path if path.starts_with("/v1/uploads/") => theirs.upload.clone(),
        path if path.starts_with("/v1/users/") => theirs.owner.id.clone(),
        path if path.starts_with("/v1/me/sessions/") => theirs.session.clone(),
        path if path.starts_with("/v1/me/api-keys/") => theirs.key.clone(),
        path if path.starts_with("/v1/jobs/") => "job_01jd9m3z6veqjsk4dy2hjcg8x4".to_owned(),
        path if path.starts_with("/v1/webhooks/") => "whk_01jd9m3z6veqjsk4dy2hjcg8x4".to_owned(),
        path if path.starts_with("/v1/clients/") => "cli_01jd9m3z6veqjsk4dy2hjcg8x4".to_owned(),
        path => panic!("add values for the parameters of {path} to `access.rs`"),
    };
    match operation.path.matches('{').count() {
        0 => operation.path.clone(),
        1 => operation.path.replace("{id}", &whose(&operation.path)),
        2 if operation.path.contains("{delivery}") => operation
            .path
            .replace("{id}", &whose(&operation.path))
            .replace("{delivery}", "dlv_01jd9m3z6veqjsk4dy2hjcg8x4"),
        _ => panic!(
            "add values for the parameters of {} to `access.rs`",
            operation.path
        ),
    }
}

/// Returns a body that the route accepts.
fn body(operation: &Operation) -> Option<Value> {
    operation.body.as_ref()?;
    Some(match operation.id.as_str() {
        "tickets_create" => json!({"subject": "mine", "body": "mine"}),
        "tickets_import" => json!({"tickets": [{"subject": "mine", "body": "mine"}]}),
        "tickets_edit" => json!({"subject": "stolen"}),
        "tickets_assign" => json!({"assignee": "usr_01jd9m3z6veqjsk4dy2hjcg8x4"}),
        "tickets_add_comment" => json!({"body": "a stranger's words"}),
        "accounts_edit" | "accounts_edit_me" => json!({"name": "Stranger"}),
        "auth_name_session" => json!({"name": "Stranger"}),
        "auth_change_password" => {
            json!({"current_password": PASSWORD, "new_password": PASSWORD})
        }
        "auth_change_email" => json!({"email": "new@example.com", "password": PASSWORD}),
        "auth_begin_totp" => json!({"password": PASSWORD}),
        "auth_confirm_totp" => json!({"code": "123456"}),
        "auth_disable_totp" => json!({"password": PASSWORD, "code": "123456"}),
        "auth_create_api_key" => json!({"name": "a program", "scopes": ["profile"]}),
        "auth_create_client" => json!({"name": "a machine", "scopes": ["profile"]}),
        "webhooks_create" => {
            json!({"url": "https://93.184.216.34/", "events": ["ticket.created"]})
        }
        "webhooks_edit" => json!({"enabled": false}),
        id => panic!("add a body for {id} to `access.rs`"),
    })
}

fn call(person: &Person, operation: &Operation, theirs: &Theirs) -> doyen_test::Call {
    let call = person.request(operation.method, path(operation, theirs));
    let call = if operation.method == "PATCH" {
        call.if_match("*")
    } else {
        call
    };
    if operation.id == "tickets_attach" {
        return call.body(
            ATTACHMENT.0,
            attachment("a.txt", "text/plain", b"a stranger's words"),
        );
    }
    if operation.id.starts_with("uploads_") {
        let call = call.header("tus-resumable", "1.0.0");
        let call = call
            .header("upload-length", "4")
            .header("upload-offset", "0");
        return match operation.body {
            Some(_) => call.body("application/offset+octet-stream", "text"),
            None => call,
        };
    }
    match body(operation) {
        Some(body) => call.json(&body),
        None => call,
    }
}

fn guarded(app: &Helpdesk) -> Vec<Operation> {
    app.operations()
        .iter()
        .filter(|operation| !operation.allow.is_public())
        .cloned()
        .collect()
}

async fn theirs(app: &Helpdesk) -> Theirs {
    let owner = app.as_customer().await;
    let ticket = owner.opens("private ticket").await.text_at("/id");
    let attachment = owner
        .attaches(&ticket, "private.txt", "text/plain", b"private")
        .await;
    let attachment = attachment.expect(201).text_at("/id");
    let upload = owner.post("/v1/uploads").header("tus-resumable", "1.0.0");
    let upload = upload.header("upload-length", "4").send().await;
    let upload = upload.expect(201).text_at("/id");
    let new = json!({"name": "private key", "scopes": ["profile"]});
    let key = owner.post("/v1/me/api-keys").json(&new).send().await;
    let key = key.expect(201).text_at("/id");
    let sessions = owner.again().await.get("/v1/me/sessions").send().await;
    let session = sessions.expect(200).text_at("/items/0/id");
    Theirs {
        owner,
        ticket,
        attachment,
        upload,
        key,
        session,
    }
}

#[doyen_test::test]
async fn public_routes_are_on_the_list(app: Helpdesk) {
    let mut public: Vec<String> = app
        .operations()
        .iter()
        .filter(|operation| operation.allow.is_public())
        .map(name)
        .collect();
    public.sort();
    assert_eq!(
        public, PUBLIC,
        "the list must have exactly the public routes"
    );
}

#[doyen_test::test]
async fn anonymous_calls_are_refused(app: Helpdesk) {
    let theirs = theirs(&app).await;
    for operation in guarded(&app) {
        let answer = app
            .request(operation.method, path(&operation, &theirs))
            .send()
            .await
            .expect_problem(401, "unauthenticated");
        assert_eq!(
            answer.header("www-authenticate"),
            Some("Bearer realm=\"api\", ApiKey realm=\"api\""),
            "{answer}"
        );
        // A malformed token and a token with a foreign signature get the same response.
        for token in [
            "",
            "x",
            "a.b.c",
            "eyJhbGciOiJub25lIn0.eyJzdWIiOiJ1c3JfMSJ9.",
        ] {
            let answer = app
                .request(operation.method, path(&operation, &theirs))
                .bearer(token)
                .send()
                .await
                .expect(401);
            assert!(
                answer
                    .header("www-authenticate")
                    .is_some_and(|field| field.starts_with("Bearer")),
                "{answer}"
            );
        }
    }
}

#[doyen_test::test]
async fn the_wrong_scopes_are_refused_by_name(app: Helpdesk) {
    let (theirs, admin) = (theirs(&app).await, app.as_admin().await);
    for operation in guarded(&app) {
        let needed = operation
            .allow
            .scope()
            .unwrap_or_else(|| panic!("{} requires no scope", name(&operation)))
            .to_owned();
        let others: Vec<Scope> = Scope::all()
            .into_iter()
            .filter(|scope| scope.name() != needed)
            .collect();
        let answer = call(&admin.only(Role::Admin, &others).await, &operation, &theirs)
            .send()
            .await
            .expect_problem(403, "forbidden");
        let challenge = answer.header("www-authenticate").unwrap().to_owned();
        assert!(
            challenge.contains("insufficient_scope")
                && challenge.contains(&format!("scope=\"{needed}\"")),
            "{answer}"
        );
    }
}

#[doyen_test::test]
async fn the_wrong_role_is_refused(app: Helpdesk) {
    let theirs = theirs(&app).await;
    for operation in guarded(&app) {
        let roles: Vec<&str> = operation.allow.roles().collect();
        for role in Role::ALL {
            use doyen::domain::Role as _;
            if roles.is_empty() || roles.contains(&role.name()) {
                continue;
            }
            // Even with every scope, and with their own ticket.
            let person = theirs.owner.only(role, &Scope::all()).await;
            call(&person, &operation, &theirs)
                .send()
                .await
                .expect_problem(403, "forbidden");
        }
    }
}

/// No response to another customer has data of the owner, and the owner's data is unchanged.
#[doyen_test::test]
async fn another_customer_gets_and_changes_nothing(app: Helpdesk) {
    let (theirs, stranger) = (theirs(&app).await, app.as_customer().await);
    let before = (
        theirs.owner.sees(&theirs.ticket).await.bytes().to_vec(),
        theirs.owner.get("/v1/me").send().await.bytes().to_vec(),
    );
    for operation in guarded(&app) {
        // Some of these end the session they use.
        let stranger = stranger.again().await;
        let answer = call(&stranger, &operation, &theirs).send().await;
        // The code is unknown: the response is that of wrong credentials.
        if operation.path.starts_with("/v1/me/totp/") {
            assert!(matches!(answer.status(), 401 | 409), "{answer}");
            continue;
        }
        assert!(
            matches!(
                (answer.status(), operation.path.contains('{')),
                // Without a connection to take over, a socket is a 426.
                (403 | 404, true) | (200..=299 | 403 | 409 | 426, false)
            ),
            "{} of another user must be 403 or 404\n\n{answer}",
            name(&operation)
        );
        if answer.status() < 300 {
            let text = answer.text();
            for secret in [
                &theirs.ticket,
                &theirs.attachment,
                &theirs.upload,
                &theirs.key,
                &theirs.session,
                &theirs.owner.id,
                &theirs.owner.email,
                "private ticket",
            ] {
                assert!(
                    !text.contains(secret),
                    "{} shows a stranger `{secret}`\n\n{answer}",
                    name(&operation)
                );
            }
        }
    }
    let after = (
        theirs.owner.sees(&theirs.ticket).await.bytes().to_vec(),
        theirs.owner.get("/v1/me").send().await.bytes().to_vec(),
    );
    assert_eq!(before, after);
}

/// The requests above are valid: with their own ids they succeed.
#[doyen_test::test]
async fn the_same_requests_work_for_the_owner(app: Helpdesk) {
    let may = |operation: &Operation| {
        let own = Role::Customer.scopes();
        operation.allow.roles().next().is_none()
            && operation
                .allow
                .scope()
                .is_none_or(|scope| own.iter().any(|own| own.name() == scope))
    };
    // A user without a second factor cannot confirm or remove one. A stream has no end, and a
    // socket needs a connection: `live` opens both.
    let later = |operation: &Operation| {
        ![
            "auth_confirm_totp",
            "auth_disable_totp",
            "tickets_watch",
            "tickets_socket",
        ]
        .contains(&operation.id.as_str())
    };
    for operation in guarded(&app).into_iter().filter(may).filter(later) {
        // Some of these remove what others need.
        let theirs = theirs(&app).await;
        let answer = call(&theirs.owner, &operation, &theirs).send().await;
        assert!(answer.status() < 300, "{answer}");
    }
}
