//! Routes and bodies of an application on the engines of accounts, and the settings that relax the
//! rules.

use std::ops::Deref;
use std::sync::Arc;

use doyen::Overrides;
use doyen::auth::{
    AccountRoutes, Accounts, LogIn, PasswordLogin, PasswordRules, Passwords, TokenPair, Users,
};
use doyen::prelude::*;
use doyen::web::Client;
use doyen_test::{Setup, Subject, TestApp};
use serde_json::json;

use crate::accounts_app::{
    AccountsExt as _, DEFAULT_SCOPES, MIGRATIONS, PASSWORD, Scope, SqlUsers, default_setup, subject,
};

struct OwnRoutesApp(TestApp);

subject!(
    OwnRoutesApp,
    default_setup()
        .set("auth.password.min_length", "5")
        .set("auth.password.refuse_common", "false")
);

/// An application with routes of its own, which keeps those for sessions.
fn accounts_app() -> App {
    App::new("conduit")
        .migrations(MIGRATIONS)
        .plugin(
            Accounts::of::<SqlUsers>()
                .admin(Scope::Keep)
                .routes([AccountRoutes::Sessions]),
        )
        .module(Module::new("users").routes(routes![log_in, import, me]))
}

/// A login.
#[derive(Input)]
struct LoginBody {
    user: LoginFields,
}

/// The credentials.
#[derive(Input)]
struct LoginFields {
    email: String,
    password: Secret<String>,
}

/// A user and its tokens.
#[derive(Output)]
struct UserBody {
    user: UserFields,
}

/// A user.
#[derive(Output)]
struct UserFields {
    email: String,
    token: String,
    refresh: String,
}

impl From<TokenPair> for UserBody {
    fn from(tokens: TokenPair) -> Self {
        Self {
            user: UserFields {
                email: tokens.user.email,
                token: tokens.access_token,
                refresh: tokens.refresh_token,
            },
        }
    }
}

/// Log in
#[post("/api/users/login", allow = anyone)]
async fn log_in(
    login: PasswordLogin,
    client: Client,
    Json(body): Json<LoginBody>,
) -> Result<NoStore<UserBody>, LogIn> {
    let email = body.user.email.to_lowercase();
    let tokens = login
        .log_in(&email, body.user.password, None, &client)
        .await?;
    Ok(NoStore(tokens.into()))
}

/// Import the password of a user
#[post("/api/users/import", allow = anyone)]
async fn import(
    users: Arc<dyn Users>,
    passwords: Arc<Passwords>,
    rules: Arc<PasswordRules>,
    login: PasswordLogin,
    client: Client,
    Json(body): Json<LoginBody>,
) -> Result<NoStore<UserBody>, Unexpected> {
    assert_eq!(rules.min_chars, 5);
    let user = users.by_email(&body.user.email).await?;
    let user = user.ok_or_else(|| Unexpected::new("no such user"))?;
    let hash = passwords.hash_unchecked(body.user.password).await?;
    users.set_password(&user.subject, &hash).await?;
    let user = users.by_subject(&user.subject).await?;
    let user = user.ok_or_else(|| Unexpected::new("no such user"))?;
    let tokens = login.open(&user, &client).await?;
    let tokens = tokens.ok_or_else(|| Unexpected::new("disabled"))?;
    Ok(NoStore(tokens.into()))
}

/// Get the caller
#[get("/api/user", allow = signed_in)]
async fn me(caller: Caller) -> Text {
    Text(caller.subject.to_string())
}

fn body(email: &str, password: &str) -> serde_json::Value {
    json!({"user": {"email": email, "password": password}})
}

#[doyen_test::test]
async fn a_login_of_the_application_is_a_session_that_can_be_revoked(app: OwnRoutesApp) {
    let ada = app.new_user(DEFAULT_SCOPES).await;
    let call = app
        .post("/api/users/login")
        .json(&body(&ada.email, PASSWORD));
    let user = call.send().await.expect(200);
    let token = user.text_at("/user/token");
    let me = app.get("/api/user").bearer(&token).send().await.expect(200);
    assert_eq!(me.text(), ada.subject);
    // The routes that the application kept use the same sessions.
    let refreshed = app
        .refresh(&user.text_at("/user/refresh"))
        .await
        .expect(200);
    assert!(refreshed.at("/access_token").is_string());
    app.post("/v1/auth/logout")
        .bearer(&token)
        .send()
        .await
        .expect(204);
    let ended = app.get("/api/user").bearer(&token).send().await;
    ended.expect_problem(401, "invalid_token");
}

#[doyen_test::test]
async fn a_login_of_the_application_is_throttled(app: OwnRoutesApp) {
    let ada = app.new_user(DEFAULT_SCOPES).await;
    let mut statuses = Vec::new();
    for _ in 0..20 {
        let call = app
            .post("/api/users/login")
            .json(&body(&ada.email, "wrong"));
        statuses.push(call.from_address([192, 0, 2, 1]).send().await.status());
    }
    assert_eq!(statuses.first(), Some(&401));
    assert_eq!(statuses.last(), Some(&429), "{statuses:?}");
}

#[doyen_test::test]
async fn an_imported_password_is_checked_by_no_rule(app: OwnRoutesApp) {
    let ada = app.new_user(DEFAULT_SCOPES).await;
    let call = app.post("/api/users/import").json(&body(&ada.email, "a"));
    let user = call.send().await.expect(200);
    app.get("/api/user")
        .bearer(user.text_at("/user/token"))
        .send()
        .await
        .expect(200);
    let call = app.post("/api/users/login").json(&body(&ada.email, "a"));
    call.send().await.expect(200);
}

#[doyen_test::test(sqlite)]
async fn routes_that_are_left_out_do_not_exist(app: OwnRoutesApp) {
    for path in [
        "/v1/auth/login",
        "/v1/auth/forgot-password",
        "/v1/oauth/token",
    ] {
        let call = app.post(path).json(&json!({}));
        call.send().await.expect_problem(404, "not_found");
    }
    let paths: Vec<&str> = app
        .operations()
        .iter()
        .map(|one| one.path.as_str())
        .collect();
    assert!(paths.contains(&"/v1/me/sessions"), "{paths:?}");
    assert!(
        !paths.iter().any(|path| path.contains("api-keys")),
        "{paths:?}"
    );
}

async fn refused(key: &str, value: &str) -> String {
    use doyen::settings::{Environment, Loader};
    let loader = Loader::new("APP")
        .env(std::iter::empty::<(String, String)>())
        .environment(Environment::Test)
        .set("database.url", "sqlite://never-opened.db")
        .set("auth.signing_key", doyen_test::SIGNING_KEY)
        .set(key, value);
    let built = App::new("conduit").build(loader, Overrides::default());
    built.map(|_| ()).expect_err("it is accepted").to_string()
}

#[tokio::test]
async fn a_long_lifetime_needs_an_explicit_choice() {
    let message = refused("auth.access_lifetime", "25h").await;
    assert!(
        message.contains("auth.long_access_tokens = true"),
        "{message}"
    );
    let message = refused("auth.access_lifetime", "9000h").await;
    assert!(message.contains("auth.access_lifetime"), "{message}");
    let message = refused("auth.password.min_length", "0").await;
    assert!(message.contains("auth.password.min_length"), "{message}");
}
