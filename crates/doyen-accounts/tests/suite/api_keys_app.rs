//! A small application for programs: callers with a key or a client may read and write things.

use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use doyen::auth::{Accounts, Tokens, UserRecord, Users};
use doyen::data::sea_orm::{self, FromQueryResult};
use doyen::data::{Migration, Migrations};
use doyen::prelude::*;
use doyen_test::{Answer, Call, Setup, Subject, TestApp};
use serde_json::{Value, json};

pub(crate) struct ApiKeysApp(TestApp);

impl Subject for ApiKeysApp {
    fn app() -> App {
        App::new("house")
            .migrations(MIGRATIONS)
            .plugin(
                Accounts::of::<SqlUsers>()
                    .own(Scope::Profile)
                    .admin(Scope::Keep)
                    .openid(),
            )
            .module(module())
    }

    fn setup() -> Setup {
        setup()
    }

    fn new(app: TestApp) -> Self {
        Self(app)
    }
}

/// Tests check responses, not times.
pub(crate) fn setup() -> Setup {
    Setup::new()
        .set("database.acquire_timeout", "30s")
        .set("database.lock_timeout", "30s")
        .set("database.statement_timeout", "30s")
        .set("auth.key.per_user", "5")
}

impl Deref for ApiKeysApp {
    type Target = TestApp;
    fn deref(&self) -> &TestApp {
        &self.0
    }
}

const USERS_TABLE: Migration = Migration {
    version: 1,
    name: "people",
    up: "CREATE TABLE people (subject text PRIMARY KEY NOT NULL, email text NOT NULL UNIQUE, scopes text NOT NULL, roles text NOT NULL, \
         verified integer NOT NULL, disabled integer NOT NULL);",
    down: "DROP TABLE people;",
};
const MIGRATIONS: Migrations = Migrations {
    folder: None,
    sqlite: &[USERS_TABLE],
    postgres: &[USERS_TABLE],
};

/// The scopes.
#[derive(Clone, Copy, doyen::domain::Scope)]
pub(crate) enum Scope {
    /// Read things.
    #[scope("things:read")]
    Read,
    /// Write things.
    #[scope("things:write")]
    Write,
    /// Your own account.
    #[scope("profile")]
    Profile,
    /// Administer the application.
    #[scope("house:keep")]
    Keep,
}

fn module() -> Module {
    Module::new("house")
        .describe("Things.")
        .routes(routes![who, open, read, write])
}

/// Who calls.
#[derive(Output)]
struct Who {
    /// Their id.
    subject: Option<String>,
    /// What they may do.
    scopes: Vec<String>,
    /// What they are.
    roles: Vec<String>,
    /// What they came with.
    key: Option<String>,
    /// In which session.
    session: Option<String>,
}

fn shown(caller: Option<Caller>) -> Json<Who> {
    let text = |all: &[Arc<str>]| all.iter().map(ToString::to_string).collect();
    Json(Who {
        subject: caller.as_ref().map(|caller| caller.subject.to_string()),
        scopes: caller
            .as_ref()
            .map_or_else(Vec::new, |caller| text(&caller.scopes)),
        roles: caller
            .as_ref()
            .map_or_else(Vec::new, |caller| text(&caller.roles)),
        key: caller
            .as_ref()
            .and_then(|caller| caller.key.as_ref().map(ToString::to_string)),
        session: caller.and_then(|caller| caller.session.map(|session| session.to_string())),
    })
}

#[get("/who", allow = signed_in)]
async fn who(caller: Caller) -> Json<Who> {
    shown(Some(caller))
}

#[get("/open", allow = anyone)]
async fn open(caller: Option<Caller>) -> Json<Who> {
    shown(caller)
}

#[get("/things", allow = Scope::Read)]
async fn read() -> Text {
    Text("things".to_owned())
}

#[post("/things", allow = Scope::Write)]
async fn write() -> NoContent {
    NoContent
}

#[derive(FromQueryResult, doyen::data::Row)]
struct Row {
    subject: String,
    email: String,
    scopes: String,
    roles: String,
    verified: i32,
    disabled: i32,
}

#[derive(Clone, Inject)]
pub(crate) struct SqlUsers {
    session: Session,
}

impl SqlUsers {
    async fn one(&self, column: &str, value: &str) -> Result<Option<UserRecord>, Unexpected> {
        let sql = format!(
            "SELECT subject, email, scopes, roles, verified, disabled FROM people WHERE {column} = $1"
        );
        let row: Option<Row> = self.session.query_one_as(&sql, [value.into()]).await?;
        let words = |text: &str| text.split_whitespace().map(Arc::from).collect();
        Ok(row.map(|row| UserRecord {
            subject: row.subject.as_str().into(),
            email: row.email,
            password_hash: None,
            scopes: words(&row.scopes),
            roles: words(&row.roles),
            verified: row.verified != 0,
            disabled: row.disabled != 0,
        }))
    }
}

#[port]
impl Users for SqlUsers {
    async fn by_email(&self, email: &str) -> Result<Option<UserRecord>, Unexpected> {
        self.one("email", email).await
    }
    async fn by_subject(&self, subject: &str) -> Result<Option<UserRecord>, Unexpected> {
        self.one("subject", subject).await
    }
    async fn set_password(&self, _: &str, _: &str) -> Result<(), Unexpected> {
        Ok(())
    }
    async fn set_email(&self, _: &str, _: &str) -> Result<bool, Unexpected> {
        Ok(true)
    }
    async fn set_verified(&self, _: &str) -> Result<(), Unexpected> {
        Ok(())
    }
}

/// The scopes of a user by default.
pub(crate) const DEFAULT_SCOPES: &str = "things:read things:write profile";

/// A user who is logged in.
#[derive(Clone)]
pub(crate) struct KeyOwner {
    pub(crate) app: TestApp,
    pub(crate) subject: String,
    pub(crate) email: String,
    pub(crate) token: String,
}

static NEXT: AtomicU32 = AtomicU32::new(1);

/// Creates users.
pub(crate) trait SignUp {
    async fn sign_up(&self, scopes: &str) -> KeyOwner;
}

impl SignUp for TestApp {
    async fn sign_up(&self, scopes: &str) -> KeyOwner {
        let n = NEXT.fetch_add(1, Ordering::Relaxed);
        let (subject, email) = (format!("usr_{n}"), format!("person{n}@example.com"));
        self.execute(
            "INSERT INTO people (subject, email, scopes, roles, verified, disabled) VALUES ($1, $2, $3, 'user', 1, 0)",
            [subject.clone().into(), email.clone().into(), scopes.into()],
        )
        .await;
        let mut caller = Caller::new(&subject);
        caller.scopes = scopes.split_whitespace().map(Arc::from).collect();
        caller.session = Some(format!("ses_{n}").into());
        let token = issue(self, &caller).await;
        KeyOwner {
            app: self.clone(),
            subject,
            email,
            token,
        }
    }
}

/// A token for this caller.
pub(crate) async fn issue(app: &TestApp, caller: &Caller) -> String {
    let context = app.service().container().context();
    let Ok(tokens) = context.get::<Arc<Tokens>>().await else {
        panic!("there are no tokens")
    };
    let Ok(issued) = tokens.issue(caller) else {
        panic!("no token was issued")
    };
    context.close().await;
    issued.token
}

impl KeyOwner {
    pub(crate) fn request(&self, method: &str, target: impl AsRef<str>) -> Call {
        self.app.request(method, target).bearer(&self.token)
    }

    /// Creates a key.
    pub(crate) async fn make(&self, scopes: &[&str]) -> Answer {
        self.make_with(json!({"name": "a program", "scopes": scopes}))
            .await
    }

    pub(crate) async fn make_with(&self, key: Value) -> Answer {
        self.request("POST", "/v1/me/api-keys")
            .json(&key)
            .send()
            .await
    }

    pub(crate) async fn keys(&self) -> Vec<Value> {
        let list = self
            .request("GET", "/v1/me/api-keys")
            .send()
            .await
            .expect(200);
        list.at("/items").as_array().cloned().unwrap()
    }

    pub(crate) async fn revoke(&self, id: &str) -> Answer {
        self.request("DELETE", format!("/v1/me/api-keys/{id}"))
            .send()
            .await
    }

    /// Changes the scopes of the user in the application.
    pub(crate) async fn set_column(&self, column: &str, value: impl Into<sea_orm::Value>) {
        let sql = format!("UPDATE people SET {column} = $1 WHERE subject = $2");
        let changed = self
            .app
            .execute(&sql, [value.into(), self.subject.clone().into()])
            .await;
        assert_eq!(changed, 1);
    }
}

/// Returns the security events of this name.
pub(crate) async fn events(app: &TestApp, name: &str) -> Vec<Value> {
    let administrator = app.sign_up("house:keep").await;
    let list = administrator
        .request("GET", format!("/v1/security-events?name={name}&limit=100"))
        .send()
        .await
        .expect(200);
    list.at("/items").as_array().cloned().unwrap()
}
