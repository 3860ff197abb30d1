//! Failed logins cause a wait, from which the network of the owner is exempt.

use std::net::IpAddr;
use std::ops::Deref;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use doyen::auth::{PasswordOptions, Passwords};
use doyen::prelude::*;
use doyen_test::{Answer, Setup, Subject, TestApp};
use serde_json::json;

use crate::accounts_app::{
    AccountsApp, AccountsExt as _, DEFAULT_SCOPES, PASSWORD, accounts_app, default_setup, subject,
};

async fn log_in_from(app: &TestApp, address: &str, email: &str, password: &str) -> Answer {
    let address: IpAddr = address.parse().unwrap();
    app.post("/v1/auth/login")
        .from_address(address)
        .json(&json!({"email": email, "password": password}))
        .send()
        .await
}

fn wait(answer: &Answer) -> u64 {
    let seconds = answer
        .header("retry-after")
        .and_then(|value| value.parse().ok());
    seconds.unwrap_or_else(|| panic!("no time to wait\n\n{answer}"))
}

/// A different address for each number.
fn place(n: usize) -> String {
    format!("198.{}.{}.{}", 18 + n / 65_536, n / 256 % 256, n % 256)
}

/// An application that checks one password at a time, at the real cost, with four waiting.
pub(crate) struct FewPermitsApp(TestApp);

fn narrow() -> Setup {
    let passwords = Passwords::new(PasswordOptions {
        permits: 1,
        queue: 4,
        ..PasswordOptions::default()
    });
    default_setup().replace(Arc::new(passwords.unwrap()))
}

subject!(FewPermitsApp, narrow());

#[doyen_test::test]
async fn p2_two_hundred_logins_at_once_leave_room_for_others(app: FewPermitsApp) {
    let ann = app.new_user(DEFAULT_SCOPES).await;
    let tokens = app.log_in(&ann).await;
    let mut logins = Vec::new();
    for n in 0..200 {
        let app = (*app).clone();
        logins.push(tokio::spawn(async move {
            let email = format!("user{n}@example.com");
            log_in_from(&app, &place(n), &email, "a wrong password").await
        }));
    }
    for _ in 0..50 {
        assert_eq!(app.status(&tokens.access).await, 200);
    }
    let (mut looked_at, mut refused) = (0, 0);
    for login in logins {
        let answer = login.await.unwrap();
        match answer.status() {
            401 => looked_at += 1,
            503 => {
                assert_eq!(wait(&answer), 1);
                refused += 1;
            }
            status => panic!("{status}"),
        }
    }
    assert_eq!(looked_at + refused, 200);
    assert!(looked_at >= 5 && refused >= 5, "{looked_at} {refused}");
    // A failure without a password check is not counted; each checked one counts for account and
    // network.
    let counted = app
        .execute("DELETE FROM auth_failures WHERE failures > 0", [])
        .await;
    assert_eq!(counted, 2 * looked_at);
}

#[doyen_test::test]
async fn p4_a_thousand_tries_on_one_account_wait_longer_and_longer_and_the_owner_enters(
    app: AccountsApp,
) {
    let ann = app.new_user(DEFAULT_SCOPES).await;
    log_in_from(&app, "203.0.113.7", &ann.email, PASSWORD)
        .await
        .expect(200);
    let (mut looked_at, mut refused, mut longest) = (0, 0, 0);
    for n in 0..1000 {
        let answer = log_in_from(&app, &place(n), &ann.email, "a wrong password").await;
        match answer.status() {
            401 => looked_at += 1,
            429 => {
                refused += 1;
                let seconds = wait(&answer.expect_problem(429, "login_throttled"));
                assert!(
                    seconds >= longest || seconds == 900,
                    "{seconds} after {longest}"
                );
                longest = longest.max(seconds);
                // The attacker obeys the stated wait now and then.
                if n % 50 == 0 {
                    app.clock().advance(Duration::from_secs(seconds));
                }
            }
            status => panic!("{status}"),
        }
    }
    assert!(looked_at <= 6 + 20, "{looked_at}");
    assert_eq!(looked_at + refused, 1000);
    assert!(longest >= 256, "{longest}");
    // A stranger with the right password waits too.
    log_in_from(&app, "192.0.2.99", &ann.email, PASSWORD)
        .await
        .expect_problem(429, "login_throttled");
    // The owner, from another address of a known network, does not.
    log_in_from(&app, "203.0.113.9", &ann.email, PASSWORD)
        .await
        .expect(200);
    // And the attacker has gained nothing by it.
    log_in_from(&app, "192.0.2.99", &ann.email, PASSWORD)
        .await
        .expect(429);
}

#[doyen_test::test]
async fn p4_concurrent_attempts_are_counted_one_by_one(app: AccountsApp) {
    let ann = app.new_user(DEFAULT_SCOPES).await;
    let mut tasks = Vec::new();
    for n in 0..60 {
        let (app, email) = ((*app).clone(), ann.email.clone());
        tasks.push(tokio::spawn(async move {
            log_in_from(&app, &place(n), &email, "a wrong password")
                .await
                .status()
        }));
    }
    let mut looked_at = 0;
    for task in tasks {
        looked_at += usize::from(task.await.unwrap() == 401);
    }
    assert_eq!(looked_at, 6);
}

#[doyen_test::test]
async fn p4_correct_passwords_at_once_all_enter(app: AccountsApp) {
    let ann = app.new_user(DEFAULT_SCOPES).await;
    let mut tasks = Vec::new();
    for n in 0..40 {
        let (app, email) = ((*app).clone(), ann.email.clone());
        tasks.push(tokio::spawn(async move {
            log_in_from(&app, &place(1000 * n), &email, PASSWORD)
                .await
                .status()
        }));
    }
    for task in tasks {
        assert_eq!(task.await.unwrap(), 200);
    }
    // A row of zeros may be left: it counts nothing, and is removed with the old ones.
    let counted = app
        .execute("DELETE FROM auth_failures WHERE failures + pending > 0", [])
        .await;
    assert_eq!(counted, 0);
}

/// Another transaction holds the rows, and on SQLite the only writer.
#[doyen_test::test]
async fn a_throttled_attempt_needs_no_lock(app: AccountsApp) {
    let ann = app.new_user(DEFAULT_SCOPES).await;
    for n in 0..6 {
        log_in_from(&app, &place(n), &ann.email, "a wrong password")
            .await
            .expect(401);
    }
    let other = app.database().session(doyen::domain::Access::Write);
    other
        .execute_sql("UPDATE auth_failures SET at = at", [])
        .await
        .unwrap();
    let address = place(3000);
    let login = log_in_from(&app, &address, &ann.email, PASSWORD);
    let answer = tokio::time::timeout(Duration::from_secs(10), login).await;
    answer.unwrap().expect_problem(429, "login_throttled");
    other.rollback().await;
}

/// Clients that disconnect at any point leave no attempt pending.
#[doyen_test::test]
async fn an_attempt_of_a_client_that_disconnects_becomes_a_failure(app: AccountsApp) {
    // How many polls a login takes depends on how soon the database responds.
    let (mut cancelled, mut finished) = (0, 0);
    for polls in 1..200 {
        let email = format!("user{polls}@example.com");
        let address = place(300 * polls);
        let mut login = Box::pin(log_in_from(&app, &address, &email, "a wrong password"));
        let mut left = polls;
        let done = std::future::poll_fn(|context| {
            if let Poll::Ready(answer) = login.as_mut().poll(context) {
                return Poll::Ready(Some(answer));
            }
            left -= 1;
            match left {
                0 => Poll::Ready(None),
                _ => Poll::Pending,
            }
        })
        .await;
        match done {
            Some(_) => finished += 1,
            None => cancelled += 1,
        }
        if finished == 10 {
            break;
        }
    }
    // The first poll ends at the latest where the password is hashed, on another thread.
    assert!(cancelled > 0);
    expect_none_pending(&app).await;
}

/// Waits for the background tasks that record failures.
async fn expect_none_pending(app: &TestApp) {
    for _ in 0..100 {
        let sql = "UPDATE auth_failures SET pending = pending WHERE pending > 0";
        if app.execute(sql, []).await == 0 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("attempts are still pending");
}

#[doyen_test::test]
async fn an_error_while_old_rows_are_deleted_does_not_fail_a_login(app: AccountsApp) {
    let key = "INSERT INTO auth_places (key, subject, seen_at) VALUES ($1, 'old', $2)";
    let old = app.clock().now() - Duration::from_secs(400 * 86_400);
    let old = doyen::data::sea_orm::prelude::DateTimeUtc::from(old);
    app.execute(key, [vec![7u8; 32].into(), old.into()]).await;
    // The reference keeps the row from being deleted.
    let table = "CREATE TABLE references_old (key bytea REFERENCES auth_places (key))";
    app.execute(table, []).await;
    let row = "INSERT INTO references_old (key) VALUES ($1)";
    app.execute(row, [vec![7u8; 32].into()]).await;
    for n in 0..64 {
        let email = format!("user{n}@example.com");
        log_in_from(&app, &place(300 * n), &email, "a wrong password")
            .await
            .expect(401);
    }
    assert_eq!(app.count("auth_places").await, 1);
    expect_none_pending(&app).await;
}

#[doyen_test::test]
async fn a_correct_password_with_a_refused_new_one_is_no_failure(app: AccountsApp) {
    let ann = app.new_user(DEFAULT_SCOPES).await;
    let tokens = app.log_in(&ann).await;
    let change = async |new: &str| {
        app.post("/v1/me/password")
            .bearer(&tokens.access)
            .json(&json!({"current_password": PASSWORD, "new_password": new}))
            .send()
            .await
    };
    for _ in 0..7 {
        // Made of the address of the user.
        change(&ann.email).await.expect(422);
    }
    change("k7-qx2zw-99-long").await.expect(200);
}

/// The stored hashes are cheap, so many logins at once need another hash at the real cost.
#[doyen_test::test]
async fn a_correct_password_is_no_failure_if_the_server_cannot_hash_it_again(app: FewPermitsApp) {
    let cheap = Passwords::new(PasswordOptions::fast_for_tests()).unwrap();
    let hash = cheap.hash(PASSWORD.parse().unwrap()).await.unwrap();
    let mut logins = Vec::new();
    for n in 0..20 {
        let (app, ann) = ((*app).clone(), app.new_user(DEFAULT_SCOPES).await);
        app.set_column(&ann, "password_hash", hash.as_str().into())
            .await;
        logins.push(async move {
            log_in_from(&app, &place(300 * n), &ann.email, PASSWORD)
                .await
                .status()
        });
    }
    let logins: Vec<_> = logins.into_iter().map(tokio::spawn).collect();
    let mut refused = 0;
    for login in logins {
        match login.await.unwrap() {
            200 => {}
            503 => refused += 1,
            status => panic!("{status}"),
        }
    }
    assert!(refused > 0);
    expect_none_pending(&app).await;
    let sql = "DELETE FROM auth_failures WHERE failures > 0";
    assert_eq!(app.execute(sql, []).await, 0);
}

/// The second request within a minute is refused, but the password is correct.
#[doyen_test::test]
async fn a_correct_password_of_a_refused_request_is_no_failure(app: AccountsApp) {
    let ann = app.new_user(DEFAULT_SCOPES).await;
    let tokens = app.log_in(&ann).await;
    let body = json!({"email": "new@example.com", "password": PASSWORD});
    for n in 0..8 {
        let answer = app.post("/v1/me/email").bearer(&tokens.access).json(&body);
        let answer = answer.send().await;
        match n {
            0 => answer.expect(202),
            _ => answer.expect_problem(429, "mail_too_soon"),
        };
    }
    app.post("/v1/me/totp")
        .bearer(&tokens.access)
        .json(&json!({"password": PASSWORD}))
        .send()
        .await
        .expect(200);
}

/// Attempts without an outcome: their clients disconnected, or their process ended.
#[doyen_test::test]
async fn p4_an_attempt_without_an_outcome_is_a_failure(app: AccountsApp) {
    let ann = app.new_user(DEFAULT_SCOPES).await;
    log_in_from(&app, &place(1), &ann.email, "a wrong password")
        .await
        .expect(401);
    let sql = "UPDATE auth_failures SET failures = 5, pending = 6, pending_at = at";
    app.execute(sql, []).await;
    // The lease is over and the five failures are forgotten: this attempt is the seventh failure.
    app.clock().advance(5 * Duration::from_secs(15 * 60));
    log_in_from(&app, &place(2000), &ann.email, "a wrong password")
        .await
        .expect(401);
    let seconds = wait(&log_in_from(&app, &place(3000), &ann.email, PASSWORD).await);
    assert_eq!(seconds, 2);
}

#[doyen_test::test]
async fn a6_a_thousand_accounts_from_one_network_are_slowed_down(app: AccountsApp) {
    let ann = app.new_user(DEFAULT_SCOPES).await;
    log_in_from(&app, "203.0.113.7", &ann.email, PASSWORD)
        .await
        .expect(200);
    let mut looked_at = 0;
    let mut last = None;
    for n in 0..1000 {
        let email = format!("user{n}@example.com");
        // A new IPv6 address each time, of one subscriber.
        let address = format!("2001:db8:1:2::{n:x}");
        let answer = log_in_from(&app, &address, &email, "a wrong password").await;
        looked_at += usize::from(answer.status() == 401);
        last = Some(answer);
    }
    assert_eq!(looked_at, 31);
    last.unwrap().expect_problem(429, "login_throttled");
    // Others are not affected, and neither is the owner of an account in a known network.
    let bob = app.new_user(DEFAULT_SCOPES).await;
    log_in_from(&app, "192.0.2.4", &bob.email, PASSWORD)
        .await
        .expect(200);
    log_in_from(&app, "203.0.113.7", &ann.email, PASSWORD)
        .await
        .expect(200);
}

#[doyen_test::test]
async fn a6_an_attacker_in_the_owners_network_does_not_lock_them_out(app: AccountsApp) {
    let ann = app.new_user(DEFAULT_SCOPES).await;
    log_in_from(&app, "203.0.113.7", &ann.email, PASSWORD)
        .await
        .expect(200);
    for n in 0..100 {
        let email = format!("user{n}@example.com");
        log_in_from(&app, "203.0.113.7", &email, "a wrong password").await;
    }
    log_in_from(&app, "203.0.113.7", &ann.email, PASSWORD)
        .await
        .expect(200);
}

#[doyen_test::test]
async fn a40_successful_logins_of_an_attacker_do_not_reset_the_limit(app: AccountsApp) {
    let eve = app.new_user(DEFAULT_SCOPES).await;
    let mut looked_at = 0;
    for n in 0..200 {
        let email = format!("user{n}@example.com");
        let answer = log_in_from(&app, "192.0.2.66", &email, "a wrong password").await;
        looked_at += usize::from(answer.status() == 401);
        log_in_from(&app, "192.0.2.66", &eve.email, PASSWORD).await;
    }
    assert_eq!(looked_at, 31);
}

#[doyen_test::test]
async fn a7_known_and_unknown_accounts_are_throttled_alike(app: AccountsApp) {
    let ann = app.new_user(DEFAULT_SCOPES).await;
    let mut curves = Vec::new();
    for (start, email) in [(0, ann.email.as_str()), (1000, "unknown@example.com")] {
        let mut curve = Vec::new();
        for n in 0..12 {
            let answer = log_in_from(&app, &place(start + n), email, "a wrong password").await;
            let seconds = (answer.status() == 429).then(|| wait(&answer));
            curve.push((answer.status(), seconds));
            if let Some(seconds) = seconds {
                app.clock().advance(Duration::from_secs(seconds));
            }
        }
        curves.push(curve);
    }
    assert_eq!(curves[0], curves[1]);
}

#[doyen_test::test]
async fn p4_failures_survive_a_restart_and_are_forgotten_in_time(app: AccountsApp) {
    let ann = app.new_user(DEFAULT_SCOPES).await;
    for n in 0..6 {
        log_in_from(&app, &place(n), &ann.email, "a wrong password")
            .await
            .expect(401);
    }
    let other = app.another(crate::accounts_app::default_setup()).await;
    log_in_from(&other, "192.0.2.1", &ann.email, PASSWORD)
        .await
        .expect_problem(429, "login_throttled");
    app.clock().advance(Duration::from_secs(1));
    log_in_from(&other, "192.0.2.1", &ann.email, PASSWORD)
        .await
        .expect(200);
    // After a successful login some attempts are free again.
    for n in 0..5 {
        log_in_from(&app, &place(n), &ann.email, "a wrong password")
            .await
            .expect(401);
    }
    // After a day nothing is left, in the table either.
    app.clock().advance(Duration::from_secs(25 * 3600));
    for n in 0..64 {
        let email = format!("unknown{n}@example.com");
        log_in_from(&app, &place(5000 + n), &email, "a wrong password")
            .await
            .expect(401);
    }
    let old = app
        .execute(
            "DELETE FROM auth_failures WHERE at < (SELECT max(at) FROM auth_failures)",
            [],
        )
        .await;
    assert_eq!(old, 0);
    log_in_from(&app, "192.0.2.50", &ann.email, PASSWORD)
        .await
        .expect(200);
}

#[doyen_test::test]
async fn p4_a_known_network_is_dropped_after_ninety_days(app: AccountsApp) {
    let ann = app.new_user(DEFAULT_SCOPES).await;
    let flood = async || {
        for n in 0..12 {
            log_in_from(&app, &place(n), &ann.email, "a wrong password").await;
        }
    };
    log_in_from(&app, "203.0.113.7", &ann.email, PASSWORD)
        .await
        .expect(200);
    app.clock().advance(Duration::from_secs(90 * 86_400 - 1));
    flood().await;
    log_in_from(&app, "203.0.113.7", &ann.email, PASSWORD)
        .await
        .expect(200);
    app.clock().advance(Duration::from_secs(90 * 86_400));
    flood().await;
    log_in_from(&app, "203.0.113.7", &ann.email, PASSWORD)
        .await
        .expect_problem(429, "login_throttled");
}

#[doyen_test::test]
async fn p4_a_stolen_token_does_not_find_the_password(app: AccountsApp) {
    let ann = app.new_user(DEFAULT_SCOPES).await;
    let tokens = app.log_in(&ann).await;
    let try_it = async |path: &str, body: serde_json::Value| {
        app.post(path)
            .bearer(&tokens.access)
            .json(&body)
            .send()
            .await
    };
    for _ in 0..6 {
        try_it("/v1/me/totp", json!({"password": "a wrong password"}))
            .await
            .expect_problem(403, "wrong_password");
    }
    // One count for all ways to log in.
    try_it("/v1/me/totp", json!({"password": PASSWORD}))
        .await
        .expect_problem(429, "login_throttled");
    try_it(
        "/v1/me/email",
        json!({"email": "a@example.com", "password": PASSWORD}),
    )
    .await
    .expect(429);
    try_it(
        "/v1/me/password",
        json!({"current_password": PASSWORD, "new_password": "k7-qx2zw-99"}),
    )
    .await
    .expect(429);
    app.clock().advance(Duration::from_secs(1));
    try_it("/v1/me/totp", json!({"password": PASSWORD}))
        .await
        .expect(200);
}

/// No key in the tables is a plain hash of a guessable value: address and account do not lead to
/// the row.
#[doyen_test::test]
async fn o5_the_tables_disclose_neither_account_nor_address(app: AccountsApp) {
    use aws_lc_rs::digest;
    let ann = app.new_user(DEFAULT_SCOPES).await;
    log_in_from(&app, "203.0.113.7", &ann.email, "a wrong password")
        .await
        .expect(401);
    for guess in [
        ann.email.as_str(),
        "203.0.113.7",
        &format!("account{}", ann.email),
    ] {
        let hash = digest::digest(&digest::SHA256, guess.as_bytes())
            .as_ref()
            .to_vec();
        let found = app
            .execute("DELETE FROM auth_failures WHERE key = $1", [hash.into()])
            .await;
        assert_eq!(found, 0);
    }
    assert_eq!(app.count("auth_failures").await, 2);
}
