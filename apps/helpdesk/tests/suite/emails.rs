//! Registration with verified addresses, and the mails about it.

use std::ops::Deref;
use std::time::Duration;

use doyen::domain::Mail;
use doyen_test::{Answer, Setup, Subject, TestApp};
use serde_json::json;

use crate::support::people::login;
use crate::support::{Helpdesk, patient};

/// The helpdesk as in production, with regard to registration.
pub(crate) struct Strict(TestApp);

impl Subject for Strict {
    fn app() -> doyen::App {
        helpdesk::app()
    }

    fn setup() -> Setup {
        patient()
            .set("auth.email.verify", "true")
            .set("auth.email.link_base", "https://help.example.com")
    }

    fn new(app: TestApp) -> Self {
        Self(app)
    }
}

impl Deref for Strict {
    type Target = TestApp;
    fn deref(&self) -> &TestApp {
        &self.0
    }
}

const PASSWORD: &str = "correct horse battery staple";
const OTHER: &str = "another battery of correct horses";

async fn register(app: &TestApp, email: &str, password: &str) -> Answer {
    app.post("/v1/auth/register")
        .json(&json!({"email": email, "password": password, "name": "Ann"}))
        .send()
        .await
}

async fn last(app: &TestApp, to: &str) -> Mail {
    let mails = app.mails().await;
    let mail = mails.into_iter().rev().find(|mail| mail.to() == to);
    mail.unwrap_or_else(|| panic!("no mail to {to}"))
}

fn token(mail: &Mail) -> String {
    let (_, rest) = mail
        .text()
        .split_once("#token=")
        .unwrap_or_else(|| panic!("no link: {}", mail.text()));
    rest.chars().take_while(|c| !c.is_whitespace()).collect()
}

async fn follow(app: &TestApp, link: &str) -> Answer {
    app.post("/v1/auth/verify-email")
        .json(&json!({"token": link}))
        .send()
        .await
}

#[doyen_test::test]
async fn p3_a_new_user_follows_a_link_and_then_logs_in(helpdesk: Strict) {
    register(&helpdesk, "Ann@Example.com", PASSWORD)
        .await
        .expect(202);
    login(&helpdesk, "ann@example.com", "not the password")
        .await
        .expect_problem(401, "invalid_credentials");
    login(&helpdesk, "ann@example.com", PASSWORD)
        .await
        .expect_problem(403, "email_not_verified");
    let mail = last(&helpdesk, "ann@example.com").await;
    assert!(
        mail.text()
            .contains("https://help.example.com/verify-email#token="),
        "{}",
        mail.text()
    );
    assert!(mail.subject().starts_with("Helpdesk"), "{}", mail.subject());
    follow(&helpdesk, &token(&mail)).await.expect(204);
    login(&helpdesk, "ann@example.com", PASSWORD)
        .await
        .expect(200);
}

/// A process that is killed after the commit loses no mail: another one delivers it.
#[doyen_test::test]
async fn a_mail_is_a_job_of_its_change(helpdesk: Strict) {
    helpdesk.runtime().stop().await;
    let idle = Strict::setup().set("jobs.work", "false");
    let idle = helpdesk.another(idle).await;
    register(&idle, "ann@example.com", PASSWORD)
        .await
        .expect(202);
    let sql = "SELECT payload FROM jobs WHERE name = 'mail.deliver'";
    let waiting = idle.rows(sql, []).await;
    assert_eq!(waiting.len(), 1);
    let payload = waiting[0].to_string();
    assert!(
        !payload.contains("ann@") && !payload.contains("token"),
        "{payload}"
    );
    idle.runtime().stop().await;
    let next = helpdesk.another(Strict::setup()).await;
    let link = token(&last(&next, "ann@example.com").await);
    follow(&next, &link).await.expect(204);
}

#[doyen_test::test]
async fn a7_registration_does_not_disclose_accounts(helpdesk: Strict) {
    let fresh = register(&helpdesk, "ann@example.com", PASSWORD)
        .await
        .expect(202);
    let link = token(&last(&helpdesk, "ann@example.com").await);
    let waiting = register(&helpdesk, "ann@example.com", OTHER)
        .await
        .expect(202);
    follow(&helpdesk, &link).await.expect(204);
    let taken = register(&helpdesk, "ann@example.com", OTHER)
        .await
        .expect(202);
    let looks = |answer: &Answer| {
        let headers: Vec<(String, String)> = answer
            .headers()
            .iter()
            .filter(|(name, _)| *name != "x-request-id" && !name.as_str().starts_with("ratelimit"))
            .map(|(name, value)| {
                let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
                (name.to_string(), value)
            })
            .collect();
        (headers, answer.text())
    };
    assert_eq!(looks(&fresh), looks(&waiting));
    assert_eq!(looks(&fresh), looks(&taken));
    // The owner is notified, without a link, and at most once an hour.
    let received = last(&helpdesk, "ann@example.com").await;
    assert!(
        received.subject().contains("have an account"),
        "{received:?}"
    );
    assert!(!received.text().contains("#token="));
    for _ in 0..5 {
        register(&helpdesk, "ann@example.com", OTHER)
            .await
            .expect(202);
    }
    assert_eq!(helpdesk.mails().await.len(), 2);
    // The account is unchanged.
    login(&helpdesk, "ann@example.com", PASSWORD)
        .await
        .expect(200);
    login(&helpdesk, "ann@example.com", OTHER).await.expect(401);
}

/// A person registers with the address of another, who registers later and follows the link: the
/// account has the password of the owner.
#[doyen_test::test]
async fn an_address_cannot_be_registered_ahead_of_its_owner(helpdesk: Strict) {
    register(&helpdesk, "ann@example.com", OTHER)
        .await
        .expect(202);
    let ahead = token(&last(&helpdesk, "ann@example.com").await);
    helpdesk.clock().advance(Duration::from_secs(61));
    register(&helpdesk, "ann@example.com", PASSWORD)
        .await
        .expect(202);
    let own = token(&last(&helpdesk, "ann@example.com").await);
    follow(&helpdesk, &ahead)
        .await
        .expect_problem(400, "invalid_link");
    follow(&helpdesk, &own).await.expect(204);
    login(&helpdesk, "ann@example.com", OTHER).await.expect(401);
    login(&helpdesk, "ann@example.com", PASSWORD)
        .await
        .expect(200);
}

#[doyen_test::test]
async fn without_verification_an_account_exists_at_once(helpdesk: Helpdesk) {
    register(&helpdesk, "ann@example.com", PASSWORD)
        .await
        .expect(201);
    login(&helpdesk, "ann@example.com", PASSWORD)
        .await
        .expect(200);
    assert_eq!(helpdesk.mails().await.len(), 0);
    register(&helpdesk, "ann@example.com", PASSWORD)
        .await
        .expect_problem(409, "email_taken");
}

#[doyen_test::test]
async fn p1_a_password_is_long_enough_uncommon_and_not_personal(helpdesk: Helpdesk) {
    for (password, failure) in [
        ("short12", "/password length"),
        ("password1", "/password common_password"),
        ("creative", "/password common_password"),
        ("ada.lovelace", "/password personal_password"),
        ("Lovelace1815!", "/password personal_password"),
        ("Helpdesk2026!", "/password common_password"),
    ] {
        let answer = register(&helpdesk, "ada.lovelace@example.com", password)
            .await
            .expect(422);
        assert_eq!(answer.failures(), [failure], "{password}");
    }
    // No rule about digits or symbols; any Unicode; bytes after the 72nd count.
    let long = "ž".repeat(40) + " tučňák a 48 dalších znaků, které bcrypt neviděl";
    for (n, password) in ["correct horse", long.as_str()].into_iter().enumerate() {
        let email = format!("person-{n}@example.net");
        register(&helpdesk, &email, password).await.expect(201);
        login(&helpdesk, &email, password).await.expect(200);
        let cut: String = password
            .chars()
            .take(password.chars().count() - 1)
            .collect();
        login(&helpdesk, &email, &cut).await.expect(401);
    }
}
