//! A small application with accounts.

use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use doyen::auth::sessions::SessionId;
use doyen::auth::{Accounts, Passwords, Sessions, UserRecord, Users};
use doyen::data::sea_orm::{self, FromQueryResult};
use doyen::data::{Migration, Migrations};
use doyen::prelude::*;
use doyen_test::{Answer, Call, Setup, Subject, TestApp};
use serde_json::{Value, json};

/// The password of every test user.
pub(crate) const PASSWORD: &str = "correct horse battery staple";

/// The application.
pub(crate) struct AccountsApp(TestApp);

/// The same application, where a login returns a cookie or tokens, as requested.
pub(crate) struct CookieAccountsApp(TestApp);

macro_rules! subject {
    ($name:ident, $setup:expr) => {
        impl Subject for $name {
            fn app() -> App {
                accounts_app()
            }
            fn setup() -> Setup {
                $setup
            }
            fn new(app: TestApp) -> Self {
                Self(app)
            }
        }

        impl Deref for $name {
            type Target = TestApp;
            fn deref(&self) -> &TestApp {
                &self.0
            }
        }
    };
}

pub(crate) use subject;

subject!(AccountsApp, default_setup());
subject!(
    CookieAccountsApp,
    default_setup().set("auth.session.transport", "both")
);

pub(crate) fn accounts_app() -> App {
    App::new("porch")
        .migrations(MIGRATIONS)
        .plugin(
            Accounts::of::<SqlUsers>()
                .own(Scope::Profile)
                .admin(Scope::Keep),
        )
        .module(module())
}

/// Tests check responses, not times.
pub(crate) fn default_setup() -> Setup {
    Setup::new()
        .set("database.acquire_timeout", "30s")
        .set("database.lock_timeout", "30s")
        .set("database.statement_timeout", "30s")
}

const USERS_TABLE: Migration = Migration {
    version: 1,
    name: "people",
    up: "CREATE TABLE people (subject text PRIMARY KEY NOT NULL, email text NOT NULL UNIQUE, password_hash text, \
         scopes text NOT NULL, roles text NOT NULL, verified integer NOT NULL, disabled integer NOT NULL);",
    down: "DROP TABLE people;",
};
pub(crate) const MIGRATIONS: Migrations = Migrations {
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
    /// Your own account.
    #[scope("profile")]
    Profile,
    /// Administer the application.
    #[scope("house:keep")]
    Keep,
}

fn module() -> Module {
    Module::new("porch")
        .describe("Things.")
        .routes(routes![who, things, knock, changed, gone])
}

/// Who calls.
#[derive(Output)]
struct Who {
    /// Their id.
    subject: String,
    /// What they are.
    roles: Vec<String>,
    /// In which session.
    session: Option<String>,
}

#[get("/who", allow = signed_in)]
async fn who(caller: Caller) -> Json<Who> {
    Json(Who {
        subject: caller.subject.to_string(),
        roles: caller.roles.iter().map(ToString::to_string).collect(),
        session: caller.session.map(|session| session.to_string()),
    })
}

#[get("/things", allow = Scope::Read)]
async fn things() -> Text {
    Text("things".to_owned())
}

/// Does something.
#[post("/knock", allow = signed_in)]
async fn knock() -> NoContent {
    NoContent
}

/// The target of an administrative route.
#[derive(Input)]
struct TargetUser {
    /// Their id.
    subject: String,
}

/// Changes the scopes of a user.
#[post("/changed", allow = Scope::Keep)]
async fn changed(
    sessions: Sessions,
    Json(target): Json<TargetUser>,
) -> Result<NoContent, Unexpected> {
    sessions.refresh_rights(&target.subject).await?;
    Ok(NoContent)
}

/// Disables the account of a user.
#[post("/gone", allow = Scope::Keep)]
async fn gone(sessions: Sessions, Json(target): Json<TargetUser>) -> Result<NoContent, Unexpected> {
    sessions.end_all(&target.subject).await?;
    Ok(NoContent)
}

#[derive(FromQueryResult, doyen::data::Row)]
struct Row {
    subject: String,
    email: String,
    password_hash: Option<String>,
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
    async fn one(
        session: &Session,
        column: &str,
        value: &str,
    ) -> Result<Option<UserRecord>, Unexpected> {
        let sql = format!(
            "SELECT subject, email, password_hash, scopes, roles, verified, disabled FROM people WHERE {column} = $1"
        );
        let row: Option<Row> = session.query_one_as(&sql, [value.into()]).await?;
        let words = |text: &str| text.split_whitespace().map(Arc::from).collect();
        Ok(row.map(|row| UserRecord {
            subject: row.subject.as_str().into(),
            email: row.email,
            password_hash: row.password_hash,
            scopes: words(&row.scopes),
            roles: words(&row.roles),
            verified: row.verified != 0,
            disabled: row.disabled != 0,
        }))
    }

    async fn set(
        &self,
        column: &str,
        value: sea_orm::Value,
        subject: &str,
    ) -> Result<(), Unexpected> {
        let sql = format!("UPDATE people SET {column} = $1 WHERE subject = $2");
        self.session
            .execute_sql(&sql, [value, subject.into()])
            .await?;
        Ok(())
    }
}

#[port]
impl Users for SqlUsers {
    async fn by_email(&self, email: &str) -> Result<Option<UserRecord>, Unexpected> {
        Self::one(&self.session.autocommit(), "email", email).await
    }
    async fn by_subject(&self, subject: &str) -> Result<Option<UserRecord>, Unexpected> {
        Self::one(&self.session, "subject", subject).await
    }
    async fn set_password(&self, subject: &str, hash: &str) -> Result<(), Unexpected> {
        self.set("password_hash", hash.into(), subject).await
    }
    async fn set_email(&self, subject: &str, email: &str) -> Result<bool, Unexpected> {
        self.set("email", email.into(), subject)
            .await
            .map(|()| true)
    }
    async fn set_verified(&self, subject: &str) -> Result<(), Unexpected> {
        self.set("verified", 1.into(), subject).await
    }
}

/// The scopes of a user by default.
pub(crate) const DEFAULT_SCOPES: &str = "things:read profile";

/// A user with an account.
#[derive(Clone)]
pub(crate) struct TestUser {
    pub(crate) subject: String,
    pub(crate) email: String,
}

/// The response to a login.
#[derive(Clone, Debug)]
pub(crate) struct Tokens {
    pub(crate) access: String,
    pub(crate) refresh: String,
}

static NEXT: AtomicU32 = AtomicU32::new(1);

/// Operations of the tests on an application with these users.
pub(crate) trait AccountsExt {
    /// Creates a user with these scopes.
    async fn new_user(&self, scopes: &str) -> TestUser;
    async fn log_in(&self, user: &TestUser) -> Tokens;
    async fn refresh(&self, token: &str) -> Answer;
    /// Returns the status of a call with this access token.
    async fn status(&self, access: &str) -> u16;
    /// Returns the security events of this name.
    async fn events(&self, name: &str) -> Vec<Value>;
    async fn set_column(&self, user: &TestUser, column: &str, value: sea_orm::Value);
    /// Calls an administrative route about a user.
    async fn as_admin(&self, path: &str, about: &TestUser) -> Answer;
}

impl AccountsExt for TestApp {
    async fn new_user(&self, scopes: &str) -> TestUser {
        let n = NEXT.fetch_add(1, Ordering::Relaxed);
        // Unique everywhere: concurrent tests share one Redis.
        let subject = format!("usr_{}", SessionId::new());
        let email = format!("person{n}@example.com");
        let hash = hash(self, PASSWORD).await;
        self.execute(
            "INSERT INTO people (subject, email, password_hash, scopes, roles, verified, disabled) VALUES ($1, $2, $3, $4, 'user', 1, 0)",
            [
                subject.clone().into(),
                email.clone().into(),
                hash.into(),
                scopes.into(),
            ],
        )
        .await;
        TestUser { subject, email }
    }

    async fn log_in(&self, user: &TestUser) -> Tokens {
        tokens(&log_in_with(self, &user.email, PASSWORD).await.expect(200))
    }

    async fn refresh(&self, token: &str) -> Answer {
        self.post("/v1/auth/refresh")
            .json(&json!({"refresh_token": token}))
            .send()
            .await
    }

    async fn status(&self, access: &str) -> u16 {
        self.get("/who").bearer(access).send().await.status()
    }

    async fn events(&self, name: &str) -> Vec<Value> {
        let administrator = self.new_user("house:keep").await;
        let tokens = self.log_in(&administrator).await;
        let list = self
            .get(format!("/v1/security-events?name={name}&limit=100"))
            .bearer(&tokens.access)
            .send()
            .await
            .expect(200);
        list.at("/items").as_array().cloned().unwrap()
    }

    async fn set_column(&self, user: &TestUser, column: &str, value: sea_orm::Value) {
        let sql = format!("UPDATE people SET {column} = $1 WHERE subject = $2");
        let changed = self
            .execute(&sql, [value, user.subject.clone().into()])
            .await;
        assert_eq!(changed, 1);
    }

    async fn as_admin(&self, path: &str, about: &TestUser) -> Answer {
        let administrator = self.new_user("house:keep").await;
        let tokens = self.log_in(&administrator).await;
        self.post(path)
            .bearer(&tokens.access)
            .json(&json!({"subject": about.subject}))
            .send()
            .await
    }
}

/// Returns the hash of a password.
pub(crate) async fn hash(app: &TestApp, password: &str) -> String {
    let context = app.service().container().context();
    let Ok(passwords) = context.get::<Arc<Passwords>>().await else {
        panic!("there are no passwords")
    };
    let password = password.parse().unwrap_or_else(|error| panic!("{error}"));
    let hash = passwords.hash(password).await;
    context.close().await;
    hash.unwrap_or_else(|error| panic!("{}", error.error()))
}

/// The response to a login.
pub(crate) async fn log_in_with(app: &TestApp, email: &str, password: &str) -> Answer {
    app.post("/v1/auth/login")
        .json(&json!({"email": email, "password": password}))
        .send()
        .await
}

/// The members in the response to a login or a refresh.
pub(crate) fn tokens(answer: &Answer) -> Tokens {
    Tokens {
        access: answer.text_at("/access_token"),
        refresh: answer.text_at("/refresh_token"),
    }
}

/// A browser, with regard to cookies: it sends its cookie, with the headers of a page of this site.
#[derive(Clone)]
pub(crate) struct Browser {
    app: TestApp,
    pub(crate) cookie: String,
    pub(crate) csrf: String,
}

impl Browser {
    /// Logs in and stores the cookie.
    pub(crate) async fn log_in(app: &TestApp, user: &TestUser) -> Self {
        Self::of(app, &Self::answer(app, user).await)
    }

    pub(crate) async fn answer(app: &TestApp, user: &TestUser) -> Answer {
        app.post("/v1/auth/login")
            .header("sec-fetch-site", "same-origin")
            .json(&json!({"email": user.email, "password": PASSWORD, "transport": "cookie"}))
            .send()
            .await
            .expect(200)
    }

    pub(crate) fn of(app: &TestApp, answer: &Answer) -> Self {
        let set = answer.header("set-cookie").unwrap();
        let pair = set.split(';').next().unwrap();
        Self {
            app: app.clone(),
            cookie: pair.to_owned(),
            csrf: answer.text_at("/csrf_token"),
        }
    }

    pub(crate) fn get(&self, target: &str) -> Call {
        self.app.get(target).header("cookie", &self.cookie)
    }

    /// A request for a change, with the headers that a page of this site sends.
    pub(crate) fn request(&self, method: &str, target: &str) -> Call {
        self.app
            .request(method, target)
            .header("cookie", &self.cookie)
            .header("sec-fetch-site", "same-origin")
            .header("x-csrf-token", &self.csrf)
    }
}

/// A member of each session in a list.
pub(crate) fn fields(items: &Value, name: &str) -> Vec<Value> {
    let items = items.as_array().cloned().unwrap();
    let read = |item: Value| item.get(name).cloned().unwrap();
    items.into_iter().map(read).collect()
}

/// Waits for a condition, such as a revocation on another node. Fails after twenty seconds.
pub(crate) async fn wait_until<F: AsyncFnMut() -> bool>(what: &str, mut so: F) {
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(20);
    while !so().await {
        assert!(std::time::Instant::now() < deadline, "never: {what}");
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}
