//! Cookie sessions.

use std::time::Duration;

use doyen::domain::Clock as _;
use doyen_test::TestApp;
use serde_json::json;

use crate::accounts_app::{
    AccountsApp, AccountsExt as _, Browser, CookieAccountsApp, DEFAULT_SCOPES, PASSWORD, TestUser,
    default_setup, fields, wait_until,
};

async fn new_user(app: &TestApp) -> (TestUser, Browser) {
    let user = app.new_user(DEFAULT_SCOPES).await;
    let browser = Browser::log_in(app, &user).await;
    (user, browser)
}

async fn seen(browser: &Browser) -> u16 {
    browser.get("/who").send().await.status()
}

#[doyen_test::test]
async fn s1_the_cookie_is_for_this_host_only_and_the_body_has_no_token(app: CookieAccountsApp) {
    let user = app.new_user(DEFAULT_SCOPES).await;
    let answer = Browser::answer(&app, &user).await;
    let cookie = answer.header("set-cookie").unwrap().to_owned();
    let mut parts = cookie.split("; ");
    let (name, value) = parts.next().and_then(|pair| pair.split_once('=')).unwrap();
    assert_eq!(name, "__Host-session");
    // 128 bits for the id, 256 bits of secret.
    assert_eq!(value.len(), 64);
    let mut attributes: Vec<&str> = parts.collect();
    attributes.sort_unstable();
    assert_eq!(
        attributes,
        [
            "HttpOnly",
            "Max-Age=7776000",
            "Path=/",
            "SameSite=Lax",
            "Secure"
        ]
    );
    assert!(cookie.len() < 4096);
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    for missing in ["/access_token", "/refresh_token"] {
        assert!(answer.json().pointer(missing).is_none(), "{answer}");
    }
    let browser = Browser::of(&app, &answer);
    let who = browser.get("/who").send().await.expect(200);
    assert_eq!(who.text_at("/subject"), user.subject);
    assert_eq!(who.header("cache-control"), Some("no-store"));
}

#[doyen_test::test]
async fn s1_a_service_returns_only_the_offered_transport(app: AccountsApp) {
    let user = app.new_user(DEFAULT_SCOPES).await;
    let wants = |transport: &str| json!({"email": user.email, "password": PASSWORD, "transport": transport});
    let answer = app
        .post("/v1/auth/login")
        .json(&wants("cookie"))
        .send()
        .await;
    answer.expect_problem(400, "transport_not_offered");
    app.post("/v1/auth/login")
        .json(&wants("bearer"))
        .send()
        .await
        .expect(200);
    let pages = app
        .another(default_setup().set("auth.session.transport", "cookie"))
        .await;
    let answer = pages
        .post("/v1/auth/login")
        .json(&wants("bearer"))
        .send()
        .await;
    answer.expect_problem(400, "transport_not_offered");
    // If only cookies are offered, no transport needs to be requested.
    let body = json!({"email": user.email, "password": PASSWORD});
    let answer = pages
        .post("/v1/auth/login")
        .json(&body)
        .send()
        .await
        .expect(200);
    assert!(answer.header("set-cookie").is_some(), "{answer}");
    // If no cookies are offered, none is accepted.
    let browser = Browser::of(&pages, &answer);
    assert_eq!(seen(&browser).await, 200);
    let elsewhere = app
        .get("/who")
        .header("cookie", &browser.cookie)
        .send()
        .await;
    elsewhere.expect_problem(401, "unauthenticated");
}

#[doyen_test::test]
async fn s4_a_change_must_come_from_a_page_of_this_origin_with_its_token(app: CookieAccountsApp) {
    let (_, browser) = new_user(&app).await;
    let (_, eve) = new_user(&app).await;
    browser.request("POST", "/knock").send().await.expect(204);
    let knock = || app.post("/knock").header("cookie", &browser.cookie);
    let same = "same-origin";
    let refused = [
        // From another origin, with or without the token.
        knock()
            .header("sec-fetch-site", "cross-site")
            .header("x-csrf-token", &browser.csrf),
        knock()
            .header("sec-fetch-site", "same-site")
            .header("x-csrf-token", &browser.csrf),
        knock()
            .header("sec-fetch-site", "none")
            .header("x-csrf-token", &browser.csrf),
        knock()
            .header("origin", "https://evil.example")
            .header("x-csrf-token", &browser.csrf),
        knock()
            .header("origin", "null")
            .header("x-csrf-token", &browser.csrf),
        knock().header("x-csrf-token", &browser.csrf),
        // From this origin, without the token or with that of another session.
        knock().header("sec-fetch-site", same),
        knock()
            .header("sec-fetch-site", same)
            .header("x-csrf-token", ""),
        knock()
            .header("sec-fetch-site", same)
            .header("x-csrf-token", "x"),
        knock()
            .header("sec-fetch-site", same)
            .header("x-csrf-token", &eve.csrf),
        knock(),
    ];
    let count = refused.len();
    for call in refused {
        call.send().await.expect_problem(403, "csrf_failed");
    }
    let received = app.events("csrf.refused").await;
    assert_eq!(received.len(), count, "{received:?}");
    // A browser that only sends `Origin`.
    let call = knock()
        .header("host", "porch.example")
        .header("origin", "https://porch.example");
    call.header("x-csrf-token", &browser.csrf)
        .send()
        .await
        .expect(204);
    // Reading needs no token.
    let call = app.get("/who").header("cookie", &browser.cookie);
    call.header("sec-fetch-site", "cross-site")
        .send()
        .await
        .expect(200);
    // A form of another site is not JSON.
    let call = browser.request("POST", "/v1/me/password");
    call.body("text/plain", "{}").send().await.expect(415);
    // The token is available to a page that lost it.
    let csrf = browser.get("/v1/auth/csrf").send().await.expect(200);
    assert_eq!(csrf.text_at("/csrf_token"), browser.csrf);
}

#[doyen_test::test]
async fn s4_a_page_of_another_origin_cannot_log_a_user_in(app: CookieAccountsApp) {
    let user = app.new_user(DEFAULT_SCOPES).await;
    let body = json!({"email": user.email, "password": PASSWORD, "transport": "cookie"});
    for (name, value) in [
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
        ("origin", "https://evil.example"),
    ] {
        let answer = app
            .post("/v1/auth/login")
            .header(name, value)
            .json(&body)
            .send()
            .await;
        answer.expect_problem(403, "csrf_failed");
    }
    assert_eq!(app.count("auth_sessions").await, 0);
}

/// A login is public: credentials that the browser sends along must not prevent it.
#[doyen_test::test]
async fn s4_a_login_works_with_an_old_cookie(app: CookieAccountsApp) {
    let (user, browser) = new_user(&app).await;
    for cookie in [browser.cookie.as_str(), "__Host-session=x"] {
        let body = json!({"email": user.email, "password": PASSWORD, "transport": "cookie"});
        let call = app.post("/v1/auth/login").header("cookie", cookie);
        let answer = call
            .header("sec-fetch-site", "same-origin")
            .json(&body)
            .send()
            .await
            .expect(200);
        assert_ne!(Browser::of(&app, &answer).cookie, browser.cookie);
    }
}

#[doyen_test::test]
async fn a5_a_planted_cookie_authenticates_no_user_and_the_first_of_several_is_used(
    app: CookieAccountsApp,
) {
    let (user, browser) = new_user(&app).await;
    let (other, _) = new_user(&app).await;
    let planted = format!("__Host-session={}", "A".repeat(64));
    let answer = app.get("/who").header("cookie", &planted).send().await;
    answer.expect_problem(401, "invalid_session");
    // A login with a cookie returns another one.
    let body = json!({"email": other.email, "password": PASSWORD, "transport": "cookie"});
    let call = app
        .post("/v1/auth/login")
        .header("cookie", &planted)
        .header("sec-fetch-site", "same-origin");
    let new = Browser::of(&app, &call.json(&body).send().await.expect(200));
    assert_ne!(new.cookie, planted);
    let answer = app.get("/who").header("cookie", &planted).send().await;
    answer.expect_problem(401, "invalid_session");
    // Only the first of its name is read, whatever follows.
    let who = |cookie: String| app.get("/who").header("cookie", cookie).send();
    let answer = who(format!("{}; {}", browser.cookie, new.cookie))
        .await
        .expect(200);
    assert_eq!(answer.text_at("/subject"), user.subject);
    let answer = who(format!("{planted}; {}", browser.cookie)).await;
    answer.expect_problem(401, "invalid_session");
    // Similar names do not count.
    let tossed = format!(
        "session=x; __Secure-session=y; __host-session=z; {}",
        browser.cookie
    );
    assert_eq!(who(tossed).await.status(), 200);
    let many: String = (0..200).map(|n| format!("c{n}={n}; ")).collect();
    let status = who(format!("{many}{}", browser.cookie)).await.status();
    assert!(matches!(status, 200 | 400 | 431), "{status}");
}

#[doyen_test::test]
async fn a5_a_modified_cookie_authenticates_no_user(app: CookieAccountsApp) {
    let (_, browser) = new_user(&app).await;
    let value = browser.cookie.trim_start_matches("__Host-session=");
    let mut flipped = value.to_owned();
    flipped.replace_range(63..64, if value.ends_with('A') { "B" } else { "A" });
    for wrong in [
        "",
        "x",
        &value[..63],
        &format!("{value}A"),
        &flipped,
        &value.to_lowercase(),
    ] {
        let answer = app
            .get("/who")
            .header("cookie", format!("__Host-session={wrong}"))
            .send()
            .await;
        answer.expect_problem(401, "invalid_session");
    }
    // It is not a token either.
    assert_eq!(app.status(value).await, 401);
    let refused = app.refresh(&format!("rt_{value}")).await;
    refused.expect_problem(400, "invalid_grant");
    assert_eq!(seen(&browser).await, 200);
}

#[doyen_test::test]
async fn s2_another_password_gives_another_cookie(app: CookieAccountsApp) {
    let other = app
        .another(default_setup().set("auth.session.transport", "both"))
        .await;
    let (user, browser) = new_user(&app).await;
    let elsewhere = Browser::log_in(&app, &user).await;
    assert_eq!(
        other
            .get("/who")
            .header("cookie", &browser.cookie)
            .send()
            .await
            .status(),
        200
    );
    let body = json!({"current_password": PASSWORD, "new_password": "another fine password"});
    let answer = browser
        .request("POST", "/v1/me/password")
        .json(&body)
        .send()
        .await
        .expect(200);
    let new = Browser::of(&app, &answer);
    assert_ne!((&new.cookie, &new.csrf), (&browser.cookie, &browser.csrf));
    assert_eq!(seen(&new).await, 200);
    for old in [&browser, &elsewhere] {
        assert_eq!(seen(old).await, 401);
        wait_until("the other node refuses", async || {
            other
                .get("/who")
                .header("cookie", &old.cookie)
                .send()
                .await
                .status()
                == 401
        })
        .await;
    }
    // The token of the old session is invalid in the new one.
    let call = app
        .post("/knock")
        .header("cookie", &new.cookie)
        .header("sec-fetch-site", "same-origin");
    call.header("x-csrf-token", &browser.csrf)
        .send()
        .await
        .expect_problem(403, "csrf_failed");
    new.request("POST", "/knock").send().await.expect(204);
}

#[doyen_test::test]
async fn s2_a_login_ends_the_session_whose_cookie_it_replaces(app: CookieAccountsApp) {
    let (ann, first) = new_user(&app).await;
    let phone = Browser::log_in(&app, &ann).await;
    let bob = app.new_user(DEFAULT_SCOPES).await;
    let log_in = async |cookie: &str, user: &TestUser, password: &str, transport: &str| {
        app.post("/v1/auth/login")
            .header("sec-fetch-site", "same-origin")
            .header("cookie", cookie)
            .json(&json!({"email": user.email, "password": password, "transport": transport}))
            .send()
            .await
    };
    // What is no login with a cookie of its own replaces nothing.
    log_in(&first.cookie, &ann, "wrong", "cookie")
        .await
        .expect(401);
    log_in(&first.cookie, &ann, PASSWORD, "bearer")
        .await
        .expect(200);
    let last = first.cookie.len() - 1;
    let forged = format!(
        "{}{}",
        &first.cookie[..last],
        if first.cookie.ends_with('A') {
            "Q"
        } else {
            "A"
        }
    );
    log_in(&forged, &bob, PASSWORD, "cookie").await.expect(200);
    assert_eq!(seen(&first).await, 200);

    let again = log_in(&first.cookie, &ann, PASSWORD, "cookie").await;
    let second = Browser::of(&app, &again.expect(200));
    assert_eq!((seen(&first).await, seen(&second).await), (401, 200));
    // Another account in the same browser.
    let other = log_in(&second.cookie, &bob, PASSWORD, "cookie").await;
    let third = Browser::of(&app, &other.expect(200));
    assert_eq!((seen(&second).await, seen(&third).await), (401, 200));
    assert_eq!(seen(&phone).await, 200);
    assert_eq!(app.events("session.revoked").await.len(), 2);
}

#[doyen_test::test]
async fn s3_a_logout_invalidates_the_cookie_on_every_node(app: CookieAccountsApp) {
    let other = app
        .another(default_setup().set("auth.session.transport", "both"))
        .await;
    let (_, browser) = new_user(&app).await;
    let there = || other.get("/who").header("cookie", &browser.cookie).send();
    assert_eq!(there().await.status(), 200);
    let answer = browser
        .request("POST", "/v1/auth/logout")
        .send()
        .await
        .expect(204);
    assert!(
        answer
            .header("clear-site-data")
            .is_some_and(|field| field.contains("\"cookies\"")),
        "{answer}"
    );
    let removed = answer.header("set-cookie").unwrap();
    assert!(
        removed.starts_with("__Host-session=;") && removed.contains("Max-Age=0"),
        "{answer}"
    );
    assert_eq!(seen(&browser).await, 401);
    wait_until("the other node refuses", async || {
        there().await.status() == 401
    })
    .await;
}

#[doyen_test::test]
async fn t15_a_cookie_has_the_rights_of_today(app: CookieAccountsApp) {
    let other = app
        .another(default_setup().set("auth.session.transport", "both"))
        .await;
    let (user, browser) = new_user(&app).await;
    let roles = async |node: &TestApp| {
        node.get("/who")
            .header("cookie", &browser.cookie)
            .send()
            .await
            .expect(200)
            .at("/roles")
    };
    assert_eq!(roles(&other).await, json!(["user"]));
    app.set_column(&user, "roles", "host".into()).await;
    app.as_admin("/changed", &user).await.expect(204);
    // No login, no refresh: the same cookie.
    assert_eq!(roles(&app).await, json!(["host"]));
    wait_until("the other node knows", async || {
        roles(&other).await == json!(["host"])
    })
    .await;
    app.as_admin("/gone", &user).await.expect(204);
    assert_eq!(seen(&browser).await, 401);
}

#[doyen_test::test]
async fn s3_a_cookie_that_is_used_lives_and_one_that_is_not_ends(app: CookieAccountsApp) {
    let day = Duration::from_secs(86_400);
    let (_, idle) = new_user(&app).await;
    let (_, used) = new_user(&app).await;
    for _ in 0..3 {
        app.clock().advance(22 * day);
        assert_eq!(seen(&used).await, 200);
        let now = app.clock().now().to_string();
        wait_until("its use is written down", async || {
            let list = used.get("/v1/me/sessions").send().await.expect(200);
            fields(&list.at("/items"), "last_seen_at") == [json!(now)]
        })
        .await;
    }
    assert_eq!(seen(&idle).await, 401);
    app.clock().advance(24 * day);
    assert_eq!(seen(&used).await, 401);
}

#[doyen_test::test]
async fn t12_a_token_beats_a_cookie(app: CookieAccountsApp) {
    let (_, browser) = new_user(&app).await;
    let user = app.new_user(DEFAULT_SCOPES).await;
    let tokens = app.log_in(&user).await;
    let who = browser
        .get("/who")
        .bearer(&tokens.access)
        .send()
        .await
        .expect(200);
    assert_eq!(who.text_at("/subject"), user.subject);
    // An invalid token does not fall back to the cookie of another user.
    browser
        .get("/who")
        .bearer("x")
        .send()
        .await
        .expect_problem(401, "invalid_token");
    // And it needs no CSRF token.
    let call = app.post("/knock").header("cookie", &browser.cookie);
    call.bearer(&tokens.access).send().await.expect(204);
}

#[doyen_test::test]
async fn o5_a_stolen_database_holds_no_cookie(app: CookieAccountsApp) {
    use base64::Engine as _;
    let (_, browser) = new_user(&app).await;
    let value = browser.cookie.trim_start_matches("__Host-session=");
    let raw = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(value);
    let raw = raw.unwrap_or_else(|error| panic!("{error}"));
    for column in ["salt", "secret_hash", "previous_hash"] {
        let sql = format!("UPDATE auth_sessions SET name = 'found' WHERE {column} = $1");
        assert_eq!(app.execute(&sql, [raw[16..].to_vec().into()]).await, 0);
    }
}
