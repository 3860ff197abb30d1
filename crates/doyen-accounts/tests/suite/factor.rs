//! The second factor: enabled, required, disabled.

use std::time::Duration;

use aws_lc_rs::hmac;
use doyen::domain::Clock as _;
use doyen_test::{Answer, TestApp};
use serde_json::{Value, json};

use crate::accounts_app::{
    AccountsApp, AccountsExt as _, DEFAULT_SCOPES, PASSWORD, TestUser, Tokens, tokens,
};

/// An authenticator app, implemented independently: it must agree with the code that verifies it.
struct Phone(Vec<u8>);

impl Phone {
    fn new(secret: &str) -> Self {
        const LETTERS: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
        let bits: String = secret
            .chars()
            .map(|c| format!("{:05b}", LETTERS.find(c).unwrap()))
            .collect();
        let bytes =
            (0..bits.len() / 8).map(|n| u8::from_str_radix(&bits[n * 8..n * 8 + 8], 2).unwrap());
        Self(bytes.collect())
    }

    fn shows(&self, app: &TestApp) -> String {
        let step = u64::try_from(app.clock().now().unix() / 30).unwrap();
        let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &self.0);
        let hash = hmac::sign(&key, &step.to_be_bytes());
        let hash = hash.as_ref();
        let at = usize::from(hash[19] & 15);
        let number = u32::from_be_bytes(hash[at..at + 4].try_into().unwrap()) & 0x7fff_ffff;
        format!("{:06}", number % 1_000_000)
    }
}

async fn post(app: &TestApp, access: &str, path: &str, body: Value) -> Answer {
    app.post(format!("/v1/me/{path}"))
        .bearer(access)
        .json(&body)
        .send()
        .await
}

async fn log_in(app: &TestApp, user: &TestUser, password: &str, code: &str) -> Answer {
    app.post("/v1/auth/login")
        .json(&json!({"email": user.email, "password": password, "code": code}))
        .send()
        .await
}

fn next_step(app: &TestApp) {
    app.clock().advance(Duration::from_secs(30));
}

/// A user with a second factor, their authenticator and their recovery codes.
async fn enrolled(app: &TestApp) -> (TestUser, Tokens, Phone, Vec<String>) {
    let ann = app.new_user(DEFAULT_SCOPES).await;
    let inside = app.log_in(&ann).await;
    let started = post(app, &inside.access, "totp", json!({"password": PASSWORD}))
        .await
        .expect(200);
    assert_eq!(started.header("cache-control"), Some("no-store"));
    let phone = Phone::new(&started.text_at("/secret"));
    let done = post(
        app,
        &inside.access,
        "totp/confirm",
        json!({"code": phone.shows(app)}),
    )
    .await
    .expect(200);
    assert_eq!(done.header("cache-control"), Some("no-store"));
    let codes = done.at("/recovery_codes");
    let codes: Vec<String> = serde_json::from_value(codes).unwrap();
    assert_eq!(codes.len(), 10);
    next_step(app);
    (ann, inside, phone, codes)
}

#[doyen_test::test]
async fn p4_the_second_factor_is_requested_only_after_the_right_password(app: AccountsApp) {
    let (ann, _, phone, _) = enrolled(&app).await;
    let without = app
        .post("/v1/auth/login")
        .json(&json!({"email": ann.email, "password": PASSWORD}))
        .send()
        .await;
    without.expect_problem(401, "second_factor_required");
    log_in(&app, &ann, "a wrong password", &phone.shows(&app))
        .await
        .expect_problem(401, "invalid_credentials");
    log_in(&app, &ann, PASSWORD, "000000")
        .await
        .expect_problem(401, "wrong_code");
    let answer = log_in(&app, &ann, PASSWORD, &phone.shows(&app))
        .await
        .expect(200);
    assert_eq!(app.status(&tokens(&answer).access).await, 200);
    assert_eq!(app.events("factor.enabled").await.len(), 1);
}

#[doyen_test::test]
async fn another_address_needs_the_second_factor_too(app: AccountsApp) {
    let (_, inside, phone, codes) = enrolled(&app).await;
    let ask = |code: Value| {
        let mut body = json!({"email": "ann@new.example", "password": PASSWORD});
        if !code.is_null() {
            body["code"] = code;
        }
        post(&app, &inside.access, "email", body)
    };
    ask(Value::Null)
        .await
        .expect_problem(401, "second_factor_required");
    ask(json!("000000")).await.expect_problem(401, "wrong_code");
    ask(json!(phone.shows(&app))).await.expect(202);
    app.clock().advance(Duration::from_secs(120));
    ask(json!(codes[0])).await.expect(202);
}

#[doyen_test::test]
async fn a_code_is_single_use_and_older_ones_are_refused(app: AccountsApp) {
    let (ann, _, phone, _) = enrolled(&app).await;
    let before = phone.shows(&app);
    next_step(&app);
    let code = phone.shows(&app);
    log_in(&app, &ann, PASSWORD, &code).await.expect(200);
    log_in(&app, &ann, PASSWORD, &code)
        .await
        .expect_problem(401, "wrong_code");
    // Within the window, but older than the last used code.
    log_in(&app, &ann, PASSWORD, &before)
        .await
        .expect_problem(401, "wrong_code");
    next_step(&app);
    log_in(&app, &ann, PASSWORD, &phone.shows(&app))
        .await
        .expect(200);
}

#[doyen_test::test]
async fn a45_one_of_five_logins_with_the_same_code_succeeds(app: AccountsApp) {
    let (ann, _, phone, codes) = enrolled(&app).await;
    for code in [phone.shows(&app), codes[0].clone()] {
        let mut tasks = Vec::new();
        // No more than the free attempts.
        for _ in 0..5 {
            let (app, ann, code) = ((*app).clone(), ann.clone(), code.clone());
            tasks.push(tokio::spawn(async move {
                log_in(&app, &ann, PASSWORD, &code).await.status()
            }));
        }
        let mut inside = 0;
        for task in tasks {
            inside += usize::from(task.await.unwrap() == 200);
        }
        assert_eq!(inside, 1, "{code}");
        app.clock().advance(Duration::from_secs(3600));
    }
}

#[doyen_test::test]
async fn a_recovery_code_is_single_use(app: AccountsApp) {
    let (ann, _, _, codes) = enrolled(&app).await;
    log_in(&app, &ann, PASSWORD, &codes[3].to_uppercase())
        .await
        .expect(200);
    log_in(&app, &ann, PASSWORD, &codes[3])
        .await
        .expect_problem(401, "wrong_code");
    log_in(&app, &ann, PASSWORD, &codes[4].replace('-', ""))
        .await
        .expect(200);
    assert_eq!(app.events("recovery_code.used").await.len(), 2);
    // The codes of another user are refused.
    let (bob, ..) = enrolled(&app).await;
    log_in(&app, &bob, PASSWORD, &codes[5])
        .await
        .expect_problem(401, "wrong_code");
}

#[doyen_test::test]
async fn p4_codes_cannot_be_guessed(app: AccountsApp) {
    let (ann, _, phone, _) = enrolled(&app).await;
    let mut looked_at = 0;
    for n in 0..100 {
        let answer = log_in(&app, &ann, PASSWORD, &format!("{n:06}")).await;
        looked_at += usize::from(answer.status() == 401);
    }
    assert!(looked_at <= 6, "{looked_at}");
    log_in(&app, &ann, PASSWORD, &phone.shows(&app))
        .await
        .expect_problem(429, "login_throttled");
    app.clock().advance(Duration::from_secs(5));
    log_in(&app, &ann, PASSWORD, &phone.shows(&app))
        .await
        .expect(200);
}

#[doyen_test::test]
async fn it_is_enabled_and_disabled_with_the_password(app: AccountsApp) {
    let ann = app.new_user(DEFAULT_SCOPES).await;
    let inside = app.log_in(&ann).await;
    let access = &inside.access;
    post(&app, access, "totp", json!({"password": "a wrong one"}))
        .await
        .expect_problem(403, "wrong_password");
    post(&app, access, "totp/confirm", json!({"code": "123456"}))
        .await
        .expect_problem(409, "no_factor");
    let first = post(&app, access, "totp", json!({"password": PASSWORD}))
        .await
        .expect(200)
        .text_at("/secret");
    // It is not required before its first code.
    app.log_in(&ann).await;
    let started = post(&app, access, "totp", json!({"password": PASSWORD}))
        .await
        .expect(200);
    assert_ne!(started.text_at("/secret"), first);
    let url = started.text_at("/url");
    assert!(url.starts_with("otpauth://totp/porch:person"), "{url}");
    let phone = Phone::new(&started.text_at("/secret"));
    post(
        &app,
        access,
        "totp/confirm",
        json!({"code": Phone::new(&first).shows(&app)}),
    )
    .await
    .expect_problem(401, "wrong_code");
    post(
        &app,
        access,
        "totp/confirm",
        json!({"code": phone.shows(&app)}),
    )
    .await
    .expect(200);
    post(&app, access, "totp", json!({"password": PASSWORD}))
        .await
        .expect_problem(409, "factor_exists");
    post(
        &app,
        access,
        "totp/confirm",
        json!({"code": phone.shows(&app)}),
    )
    .await
    .expect_problem(409, "no_factor");
    next_step(&app);
    let code = phone.shows(&app);
    post(
        &app,
        access,
        "totp/disable",
        json!({"password": PASSWORD, "code": "000000"}),
    )
    .await
    .expect_problem(401, "wrong_code");
    post(
        &app,
        access,
        "totp/disable",
        json!({"password": "a wrong one", "code": code}),
    )
    .await
    .expect_problem(403, "wrong_password");
    post(
        &app,
        access,
        "totp/disable",
        json!({"password": PASSWORD, "code": code}),
    )
    .await
    .expect(204);
    app.log_in(&ann).await;
    assert_eq!(app.count("auth_recovery_codes").await, 0);
    assert_eq!(app.events("factor.disabled").await.len(), 1);
}

/// True if one attempt bucket has this many failures and no pending attempt.
async fn has_failures(app: &TestApp, failures: i64) -> bool {
    let sql = "UPDATE auth_failures SET pending = 0 WHERE failures = $1 AND pending = 0";
    app.execute(sql, [failures.into()]).await == 1
}

#[doyen_test::test]
async fn a_wrong_code_is_a_failure_when_the_response_arrives(app: AccountsApp) {
    let (_, inside, phone, _) = enrolled(&app).await;
    for failures in 1..=6 {
        let body = json!({"password": PASSWORD, "code": "000000"});
        post(&app, &inside.access, "totp/disable", body)
            .await
            .expect_problem(401, "wrong_code");
        assert!(has_failures(&app, failures).await, "{failures}");
    }
    let body = json!({"password": PASSWORD, "code": phone.shows(&app)});
    post(&app, &inside.access, "totp/disable", body)
        .await
        .expect_problem(429, "login_throttled");
    app.execute("DELETE FROM auth_failures", []).await;
    let bob = app.new_user(DEFAULT_SCOPES).await;
    let inside = app.log_in(&bob).await;
    let body = json!({"password": PASSWORD});
    post(&app, &inside.access, "totp", body).await.expect(200);
    for failures in 1..=6 {
        let body = json!({"code": "000000"});
        post(&app, &inside.access, "totp/confirm", body)
            .await
            .expect_problem(401, "wrong_code");
        assert!(has_failures(&app, failures).await, "{failures}");
    }
}

#[doyen_test::test]
async fn a_correct_password_is_no_failure_if_the_factor_does_not_change(app: AccountsApp) {
    let (_, inside, _, _) = enrolled(&app).await;
    for _ in 0..7 {
        post(&app, &inside.access, "totp", json!({"password": PASSWORD}))
            .await
            .expect_problem(409, "factor_exists");
    }
    let bob = app.new_user(DEFAULT_SCOPES).await;
    let inside = app.log_in(&bob).await;
    for _ in 0..7 {
        let body = json!({"password": PASSWORD, "code": "000000"});
        post(&app, &inside.access, "totp/disable", body)
            .await
            .expect_problem(409, "no_factor");
    }
}

#[doyen_test::test]
async fn o5_neither_the_secret_nor_a_recovery_code_is_in_the_tables(app: AccountsApp) {
    let (_, _, phone, codes) = enrolled(&app).await;
    let plain = app
        .execute(
            "DELETE FROM auth_factors WHERE secret = $1",
            [phone.0.clone().into()],
        )
        .await;
    assert_eq!(plain, 0);
    for code in codes {
        let bytes = code.replace('-', "").into_bytes();
        let hash = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &bytes)
            .as_ref()
            .to_vec();
        let found = app
            .execute(
                "DELETE FROM auth_recovery_codes WHERE hash = $1",
                [hash.into()],
            )
            .await;
        assert_eq!(found, 0);
    }
}
