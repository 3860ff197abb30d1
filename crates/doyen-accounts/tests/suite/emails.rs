//! Mails about accounts: the effect of their links, and what they must not disclose.

use std::time::Duration;

use doyen::auth::{AccountMailKind, Accounts, MailText};
use doyen::domain::{Access, Mail};
use doyen_test::{Answer, Setup, TestApp};
use serde_json::json;

use crate::accounts_app::{
    AccountsApp, AccountsExt as _, DEFAULT_SCOPES, MIGRATIONS, PASSWORD, SqlUsers, TestUser,
    accounts_app, default_setup, log_in_with, subject,
};

/// An application in which new users must follow a link before they log in.
pub(crate) struct StrictAccountsApp(TestApp);

use doyen::prelude::*;
use doyen_test::Subject;
use std::ops::Deref;

fn strict() -> Setup {
    default_setup()
        .set("auth.email.verify", "true")
        .set("auth.email.link_base", "https://app.example.com/start/")
}

subject!(StrictAccountsApp, strict());

/// An application with a text of its own for one mail.
pub(crate) struct OwnTextsApp(TestApp);

impl Subject for OwnTextsApp {
    fn app() -> App {
        let accounts = Accounts::of::<SqlUsers>().mail_texts(|mail| {
            (mail.kind == AccountMailKind::Reset).then(|| MailText {
                subject: format!("{}: neues Passwort", mail.service),
                text: format!("{} ({} s)", mail.link, mail.lifetime.as_secs()),
            })
        });
        App::new("porch").migrations(MIGRATIONS).plugin(accounts)
    }
    fn setup() -> Setup {
        strict()
    }
    fn new(app: TestApp) -> Self {
        Self(app)
    }
}

impl Deref for OwnTextsApp {
    type Target = TestApp;
    fn deref(&self) -> &TestApp {
        &self.0
    }
}

const NEW_PASSWORD: &str = "another battery of correct horses";
const OVER_A_MINUTE: Duration = Duration::from_secs(61);

/// The token in the link of a mail.
fn token(mail: &Mail) -> String {
    let (_, rest) = mail
        .text()
        .split_once("#token=")
        .unwrap_or_else(|| panic!("no link: {}", mail.text()));
    rest.chars().take_while(|c| !c.is_whitespace()).collect()
}

/// The last mail to this address.
async fn last(app: &TestApp, to: &str) -> Mail {
    let mails = app.mails().await;
    let mail = mails.into_iter().rev().find(|mail| mail.to() == to);
    mail.unwrap_or_else(|| panic!("no mail to {to}"))
}

async fn count(app: &TestApp, to: &str) -> usize {
    let mails = app.mails().await;
    mails.iter().filter(|mail| mail.to() == to).count()
}

async fn forgot(app: &TestApp, email: &str) -> Answer {
    app.post("/v1/auth/forgot-password")
        .json(&json!({"email": email}))
        .send()
        .await
}

async fn reset(app: &TestApp, token: &str, password: &str) -> Answer {
    app.post("/v1/auth/reset-password")
        .json(&json!({"token": token, "password": password}))
        .send()
        .await
}

async fn follow(app: &TestApp, route: &str, token: &str) -> Answer {
    app.post(format!("/v1/auth/{route}"))
        .json(&json!({"token": token}))
        .send()
        .await
}

async fn resend(app: &TestApp, email: &str) -> Answer {
    app.post("/v1/auth/verify-email/resend")
        .json(&json!({"email": email}))
        .send()
        .await
}

async fn change(app: &TestApp, access: &str, email: &str, password: &str) -> Answer {
    app.post("/v1/me/email")
        .bearer(access)
        .json(&json!({"email": email, "password": password}))
        .send()
        .await
}

/// The parts of a response that could distinguish it.
fn looks(answer: &Answer) -> (u16, Vec<(String, String)>, String) {
    let headers = answer
        .headers()
        .iter()
        .filter(|(name, _)| !matches!(name.as_str(), "x-request-id" | "date" | "traceparent"))
        // The state of the limit depends on the order of the requests.
        .filter(|(name, _)| !name.as_str().starts_with("ratelimit"))
        .map(|(name, value)| {
            (
                name.to_string(),
                String::from_utf8_lossy(value.as_bytes()).into_owned(),
            )
        })
        .collect();
    let mut text = answer.text();
    if let Ok(mut json) = serde_json::from_str::<serde_json::Value>(&text)
        && let Some(object) = json.as_object_mut()
    {
        object.remove("request_id");
        text = json.to_string();
    }
    (answer.status(), headers, text)
}

#[doyen_test::test(sqlite)]
async fn an_application_replaces_the_text_of_a_mail(app: OwnTextsApp) {
    let ann = app.new_user(DEFAULT_SCOPES).await;
    forgot(&app, &ann.email).await.expect(202);
    let mail = last(&app, &ann.email).await;
    assert_eq!(mail.subject(), "porch: neues Passwort");
    let start = "https://app.example.com/start/reset-password#token=";
    assert!(mail.text().starts_with(start), "{}", mail.text());
    assert!(mail.text().ends_with(" (1800 s)"), "{}", mail.text());
    reset(&app, &token(&mail), NEW_PASSWORD).await.expect(204);
    let notice = last(&app, &ann.email).await;
    assert!(notice.subject().contains("your password was changed"));
}

/// Without the plugin `jobs`, mails wait in memory after the commit.
#[doyen_test::test(sqlite)]
async fn mails_are_sent_without_jobs(app: AccountsApp) {
    let setup = default_setup().edit(|app| app.without("jobs"));
    let app = app.another(setup).await;
    let ann = app.new_user(DEFAULT_SCOPES).await;
    forgot(&app, &ann.email).await.expect(202);
    let link = token(&last(&app, &ann.email).await);
    reset(&app, &link, NEW_PASSWORD).await.expect(204);
    assert_eq!(count(&app, &ann.email).await, 2);
    // A rejected link sends nothing.
    reset(&app, &link, PASSWORD)
        .await
        .expect_problem(400, "invalid_link");
    assert_eq!(count(&app, &ann.email).await, 2);
}

#[doyen_test::test]
async fn p3_a_forgotten_password_is_set_by_the_link_in_a_mail(app: AccountsApp) {
    let ann = app.new_user(DEFAULT_SCOPES).await;
    let tokens = app.log_in(&ann).await;
    forgot(&app, &ann.email.to_uppercase()).await.expect(202);
    let mail = last(&app, &ann.email).await;
    let link = token(&mail);
    assert_eq!(link.len(), 43);
    reset(&app, &link, NEW_PASSWORD).await.expect(204);
    // The sessions and the old password are invalid, and the new password is valid.
    assert_eq!(app.status(&tokens.access).await, 401);
    app.refresh(&tokens.refresh)
        .await
        .expect_problem(400, "invalid_grant");
    log_in_with(&app, &ann.email, PASSWORD)
        .await
        .expect_problem(401, "invalid_credentials");
    log_in_with(&app, &ann.email, NEW_PASSWORD)
        .await
        .expect(200);
    // The link is single-use, and the owner is notified.
    reset(&app, &link, PASSWORD)
        .await
        .expect_problem(400, "invalid_link");
    assert!(
        last(&app, &ann.email)
            .await
            .subject()
            .contains("was changed")
    );
    assert_eq!(app.events("password.reset").await.len(), 1);
    assert_eq!(app.events("password.reset_asked").await.len(), 1);
}

#[doyen_test::test]
async fn a7_answers_for_a_known_and_an_unknown_address_are_the_same(app: StrictAccountsApp) {
    let known = app.new_user(DEFAULT_SCOPES).await;
    let unverified = app.new_user(DEFAULT_SCOPES).await;
    app.set_column(&unverified, "verified", 0.into()).await;
    let disabled = app.new_user(DEFAULT_SCOPES).await;
    app.set_column(&disabled, "disabled", 1.into()).await;
    let mut all = Vec::new();
    for email in [
        &known.email,
        &unverified.email,
        &disabled.email,
        "unknown@example.com",
    ] {
        all.push([
            looks(&forgot(&app, email).await.expect(202)),
            looks(&resend(&app, email).await.expect(202)),
            looks(
                &log_in_with(&app, email, "a wrong password")
                    .await
                    .expect(401),
            ),
        ]);
    }
    assert!(all.windows(2).all(|pair| pair[0] == pair[1]), "{all:#?}");
    // Each address got the right mail.
    assert_eq!(count(&app, &known.email).await, 1);
    assert_eq!(count(&app, &unverified.email).await, 2);
    assert_eq!(count(&app, &disabled.email).await, 0);
    assert_eq!(count(&app, "unknown@example.com").await, 0);
}

#[doyen_test::test]
async fn a7_a_change_of_address_does_not_disclose_accounts(app: AccountsApp) {
    let (ann, ben, bob) = (
        app.new_user(DEFAULT_SCOPES).await,
        app.new_user(DEFAULT_SCOPES).await,
        app.new_user(DEFAULT_SCOPES).await,
    );
    let (first, second) = (app.log_in(&ann).await, app.log_in(&ben).await);
    let taken = change(&app, &first.access, &bob.email, PASSWORD)
        .await
        .expect(202);
    let free = change(&app, &second.access, "free@example.com", PASSWORD)
        .await
        .expect(202);
    assert_eq!(looks(&taken), looks(&free));
    // Bob is notified, without a link. The requester gets the same response in both cases.
    assert!(!last(&app, &bob.email).await.text().contains("#token="));
    assert!(
        last(&app, "free@example.com")
            .await
            .text()
            .contains("#token=")
    );
    for user in [&ann, &ben] {
        assert!(!last(&app, &user.email).await.text().contains("#token="));
    }
}

#[doyen_test::test]
async fn a45_one_of_fifty_concurrent_uses_of_a_link_succeeds(app: AccountsApp) {
    let ann = app.new_user(DEFAULT_SCOPES).await;
    forgot(&app, &ann.email).await.expect(202);
    let link = token(&last(&app, &ann.email).await);
    let mut tasks = Vec::new();
    for n in 0..50 {
        let (app, link) = ((*app).clone(), link.clone());
        tasks.push(tokio::spawn(async move {
            loop {
                let answer = reset(&app, &link, &format!("{NEW_PASSWORD} {n}")).await;
                // More than may wait for a hash: retried, as a client would.
                if answer.status() != 503 {
                    return answer.status();
                }
            }
        }));
    }
    let mut statuses = Vec::new();
    for task in tasks {
        statuses.push(task.await.unwrap());
    }
    statuses.sort_unstable();
    assert_eq!(statuses[0], 204);
    assert!(
        statuses[1..].iter().all(|status| *status == 400),
        "{statuses:?}"
    );
}

#[doyen_test::test]
async fn a_link_expires_and_a_newer_one_replaces_it(app: AccountsApp) {
    let ann = app.new_user(DEFAULT_SCOPES).await;
    forgot(&app, &ann.email).await.expect(202);
    let first = token(&last(&app, &ann.email).await);
    // A second request at once sends no mail, so that a mailbox cannot be flooded.
    for _ in 0..5 {
        forgot(&app, &ann.email).await.expect(202);
    }
    assert_eq!(count(&app, &ann.email).await, 1);
    app.clock().advance(OVER_A_MINUTE);
    forgot(&app, &ann.email).await.expect(202);
    let second = token(&last(&app, &ann.email).await);
    assert_ne!(first, second);
    reset(&app, &first, NEW_PASSWORD)
        .await
        .expect_problem(400, "invalid_link");
    app.clock().advance(Duration::from_secs(30 * 60 - 1));
    // A refused password does not use up the link.
    let weak = reset(&app, &second, "password1").await.expect(422);
    assert_eq!(weak.failures(), ["/password common_password"]);
    let personal = reset(&app, &second, &format!("{}!", ann.email))
        .await
        .expect(422);
    assert_eq!(personal.failures(), ["/password personal_password"]);
    app.clock().advance(Duration::from_secs(1));
    reset(&app, &second, NEW_PASSWORD)
        .await
        .expect_problem(400, "invalid_link");
}

#[doyen_test::test]
async fn t8_a_token_of_a_mail_has_one_purpose(app: StrictAccountsApp) {
    let ann = app.new_user(DEFAULT_SCOPES).await;
    let tokens = app.log_in(&ann).await;
    forgot(&app, &ann.email).await.expect(202);
    let link = token(&last(&app, &ann.email).await);
    change(&app, &tokens.access, "new@example.com", PASSWORD)
        .await
        .expect(202);
    let other = token(&last(&app, "new@example.com").await);
    for (route, wrong) in [
        ("verify-email", &link),
        ("confirm-email", &link),
        ("verify-email", &other),
        ("confirm-email", &tokens.access[..43].to_owned()),
        ("verify-email", &"x".repeat(256)),
        ("verify-email", &"'; DROP TABLE people; --".to_owned()),
    ] {
        follow(&app, route, wrong)
            .await
            .expect_problem(400, "invalid_link");
    }
    for wrong in [&other, &tokens.refresh, &"A".repeat(43)] {
        reset(&app, wrong, NEW_PASSWORD)
            .await
            .expect_problem(400, "invalid_link");
    }
    app.refresh(&link)
        .await
        .expect_problem(400, "invalid_grant");
    assert_eq!(app.status(&link).await, 401);
    // None of these used up the links.
    reset(&app, &link, NEW_PASSWORD).await.expect(204);
}

#[doyen_test::test]
async fn o5_the_table_holds_nothing_that_could_be_sent(app: AccountsApp) {
    use doyen::data::sea_orm::{ConnectionTrait as _, Statement};
    let ann = app.new_user(DEFAULT_SCOPES).await;
    forgot(&app, &ann.email).await.expect(202);
    let link = token(&last(&app, &ann.email).await);
    let session = app.database().session(Access::Read);
    let sql = "SELECT hash, subject, purpose, data FROM auth_one_time";
    let statement = Statement::from_string(app.database().backend(), sql);
    let row = session.query_one_raw(statement).await.unwrap().unwrap();
    let hash: Vec<u8> = row.try_get_by_index(0).unwrap();
    assert_eq!(hash.len(), 32);
    for place in 1..4 {
        let text: String = row.try_get_by_index(place).unwrap();
        assert!(!text.contains(&link));
    }
    // The stored value is not a token.
    use base64::Engine as _;
    let found = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(&hash);
    reset(&app, &found, NEW_PASSWORD)
        .await
        .expect_problem(400, "invalid_link");
}

#[doyen_test::test]
async fn a46_a_link_leads_where_the_settings_say(app: StrictAccountsApp) {
    let ann = app.new_user(DEFAULT_SCOPES).await;
    app.post("/v1/auth/forgot-password")
        .header("host", "evil.example.com")
        .header("x-forwarded-host", "evil.example.com")
        .header("origin", "https://evil.example.com")
        .json(&json!({"email": ann.email}))
        .send()
        .await
        .expect(202);
    let text = last(&app, &ann.email).await.text().to_owned();
    assert!(
        text.contains("\nhttps://app.example.com/start/reset-password#token="),
        "{text}"
    );
    assert!(!text.contains("evil"), "{text}");
}

#[doyen_test::test]
async fn a_new_account_waits_for_its_link(app: StrictAccountsApp) {
    let ann = app.new_user(DEFAULT_SCOPES).await;
    app.set_column(&ann, "verified", 0.into()).await;
    // Only a caller with the password learns that the address is not verified.
    log_in_with(&app, &ann.email, "a wrong password")
        .await
        .expect_problem(401, "invalid_credentials");
    log_in_with(&app, &ann.email, PASSWORD)
        .await
        .expect_problem(403, "email_not_verified");
    resend(&app, &ann.email).await.expect(202);
    let link = token(&last(&app, &ann.email).await);
    app.clock().advance(Duration::from_secs(24 * 60 * 60 - 1));
    follow(&app, "verify-email", &link).await.expect(204);
    log_in_with(&app, &ann.email, PASSWORD).await.expect(200);
    follow(&app, "verify-email", &link)
        .await
        .expect_problem(400, "invalid_link");
    // Nothing is left to verify, and no mail is sent.
    app.clock().advance(OVER_A_MINUTE);
    resend(&app, &ann.email).await.expect(202);
    assert_eq!(count(&app, &ann.email).await, 1);
    assert_eq!(app.events("email.verified").await.len(), 1);
}

#[doyen_test::test]
async fn an_address_is_changed_by_the_link_in_the_mail_to_the_new_one(app: AccountsApp) {
    let ann = app.new_user(DEFAULT_SCOPES).await;
    let tokens = app.log_in(&ann).await;
    change(&app, &tokens.access, "ann@new.example", "a wrong password")
        .await
        .expect_problem(403, "wrong_password");
    assert_eq!(count(&app, "ann@new.example").await, 0);
    forgot(&app, &ann.email).await.expect(202);
    let old_link = token(&last(&app, &ann.email).await);
    change(&app, &tokens.access, "Ann@New.example", PASSWORD)
        .await
        .expect(202);
    change(&app, &tokens.access, "ann@newer.example", PASSWORD)
        .await
        .expect_problem(429, "mail_too_soon");
    let link = token(&last(&app, "ann@new.example").await);
    // Until then nothing has changed.
    log_in_with(&app, "ann@new.example", PASSWORD)
        .await
        .expect(401);
    follow(&app, "confirm-email", &link).await.expect(204);
    log_in_with(&app, "ann@new.example", PASSWORD)
        .await
        .expect(200);
    log_in_with(&app, &ann.email, PASSWORD)
        .await
        .expect_problem(401, "invalid_credentials");
    // All sessions are ended, the links to the old address are dead, and the old address is
    // notified.
    assert_eq!(app.status(&tokens.access).await, 401);
    reset(&app, &old_link, NEW_PASSWORD)
        .await
        .expect_problem(400, "invalid_link");
    assert!(
        last(&app, &ann.email)
            .await
            .subject()
            .contains("was changed")
    );
    assert_eq!(app.events("email.changed").await.len(), 1);
}

#[doyen_test::test]
async fn another_password_ends_the_links_that_are_open(app: AccountsApp) {
    let ann = app.new_user(DEFAULT_SCOPES).await;
    let tokens = app.log_in(&ann).await;
    forgot(&app, &ann.email).await.expect(202);
    let link = token(&last(&app, &ann.email).await);
    app.post("/v1/me/password")
        .bearer(&tokens.access)
        .json(&json!({"current_password": PASSWORD, "new_password": NEW_PASSWORD}))
        .send()
        .await
        .expect(200);
    reset(&app, &link, PASSWORD)
        .await
        .expect_problem(400, "invalid_link");
}

#[doyen_test::test]
async fn a9_a_disabled_account_has_no_way_back_in_by_mail(app: AccountsApp) {
    let ann: TestUser = app.new_user(DEFAULT_SCOPES).await;
    forgot(&app, &ann.email).await.expect(202);
    let link = token(&last(&app, &ann.email).await);
    app.set_column(&ann, "disabled", 1.into()).await;
    reset(&app, &link, NEW_PASSWORD)
        .await
        .expect_problem(400, "invalid_link");
}

/// The request waits for the row until after the token has expired.
#[doyen_test::test]
async fn a_link_that_expires_while_the_request_waits_is_refused(app: AccountsApp) {
    let ann = app.new_user(DEFAULT_SCOPES).await;
    forgot(&app, &ann.email).await.expect(202);
    let token = token(&last(&app, &ann.email).await);
    let other = app.database().session(Access::Write);
    other
        .execute_sql("UPDATE auth_one_time SET data = data", [])
        .await
        .unwrap();
    let (client, sent) = ((*app).clone(), token.clone());
    let waiting = tokio::spawn(async move { reset(&client, &sent, NEW_PASSWORD).await });
    tokio::time::sleep(Duration::from_millis(800)).await;
    assert!(!waiting.is_finished());
    app.clock().advance(Duration::from_secs(31 * 60));
    other.commit().await.unwrap();
    waiting.await.unwrap().expect_problem(400, "invalid_link");
    log_in_with(&app, &ann.email, PASSWORD).await.expect(200);
}
