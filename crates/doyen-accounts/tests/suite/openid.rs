//! Login with an OpenID provider, and attacks on it.

use std::collections::HashMap;
use std::time::Duration;

use doyen::domain::Clock as _;
use doyen_test::{Answer, TestApp};
use serde_json::json;

use crate::api_keys_app::{ApiKeysApp, DEFAULT_SCOPES, KeyOwner, SignUp as _, events, setup};
use crate::provider::{CLIENT, Provider, SECRET, Signer, pairs};

/// The redirect URI.
pub(crate) const CALLBACK_URL: &str = "https://service.example.com/v1/auth/oidc/callback";

/// The application with a provider.
struct Gate {
    app: TestApp,
    provider: Provider,
}

/// A started login.
struct LoginAttempt {
    cookie: String,
    fields: HashMap<String, String>,
}

async fn gate(test_app: &ApiKeysApp, more: &[(&str, &str)]) -> Gate {
    let provider = Provider::start(test_app.clock().now().unix()).await;
    let mut setup = setup()
        .set("auth.oidc.issuer", &provider.issuer)
        .set("auth.oidc.client_id", CLIENT)
        .set("auth.oidc.client_secret", SECRET)
        .set("auth.oidc.redirect_uri", CALLBACK_URL);
    for (key, value) in more {
        setup = setup.set(key, value);
    }
    Gate {
        app: test_app.another(setup).await,
        provider,
    }
}

impl Gate {
    async fn begin(&self) -> LoginAttempt {
        let answer = self.app.get("/v1/auth/oidc/start").send().await.expect(303);
        let cookie = answer.header("set-cookie").unwrap().to_owned();
        let (_, query) = answer
            .location()
            .split_once('?')
            .map(|(a, b)| (a.to_owned(), b.to_owned()))
            .unwrap();
        LoginAttempt {
            cookie: cookie.split(';').next().unwrap().to_owned(),
            fields: pairs(&query).into_iter().collect(),
        }
    }

    /// Logs a user in at the provider.
    fn code(&self, attempt: &LoginAttempt) -> String {
        self.provider
            .code(&attempt.fields["nonce"], &attempt.fields["code_challenge"])
    }

    async fn back(&self, cookie: Option<&str>, query: &[(&str, &str)]) -> Answer {
        let mut call = self.app.get("/v1/auth/oidc/callback");
        for (name, value) in query {
            call = call.query(name, value);
        }
        if let Some(cookie) = cookie {
            call = call.header("cookie", cookie);
        }
        call.send().await
    }

    /// A complete login.
    async fn log_in(&self) -> Answer {
        let attempt = self.begin().await;
        let code = self.code(&attempt);
        self.back(
            Some(&attempt.cookie),
            &[("state", &attempt.fields["state"]), ("code", &code)],
        )
        .await
    }

    /// Sets the provider's `email_verified` claim for a user.
    fn says(&self, person: &KeyOwner) {
        let claims = json!({"email": person.email, "email_verified": true});
        self.provider.with(|now| now.claims = claims);
    }
}

#[doyen_test::test]
async fn o6_a_login_uses_pkce_and_returns_the_user(test_app: ApiKeysApp) {
    let gate = gate(&test_app, &[]).await;
    let ada = test_app.sign_up(DEFAULT_SCOPES).await;
    gate.says(&ada);
    let started = gate.app.get("/v1/auth/oidc/start").send().await.expect(303);
    assert_eq!(started.header("cache-control"), Some("no-store"));
    let cookie = started.header("set-cookie").unwrap();
    assert!(cookie.starts_with("__Host-openid="), "{cookie}");
    assert!(
        cookie.ends_with("; Path=/; Max-Age=600; Secure; HttpOnly; SameSite=Lax"),
        "{cookie}"
    );
    assert!(
        started
            .location()
            .starts_with(&format!("{}/authorize?", gate.provider.issuer))
    );
    let attempt = gate.begin().await;
    let field = |name: &str| attempt.fields[name].as_str();
    assert_eq!(field("response_type"), "code");
    assert_eq!(field("client_id"), CLIENT);
    assert_eq!(field("redirect_uri"), CALLBACK_URL);
    assert_eq!(field("scope"), "openid email");
    assert_eq!(field("code_challenge_method"), "S256");
    assert_eq!(field("code_challenge").len(), 43);
    // URL and cookie have different values, and the verifier is in neither.
    assert!(!attempt.cookie.contains(field("state")) && !attempt.cookie.contains(field("nonce")));

    let answer = gate.log_in().await.expect(200);
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let removed = answer.headers().get_all("set-cookie").iter().any(|cookie| {
        cookie
            .to_str()
            .unwrap()
            .starts_with("__Host-openid=; Path=/; Max-Age=0")
    });
    assert!(removed, "{answer}");
    let token = answer.text_at("/access_token");
    let who = gate.app.get("/who").bearer(&token).send().await.expect(200);
    assert_eq!(who.text_at("/subject"), ada.subject);
    assert!(who.at("/session").is_string());

    // From now on the account is found by the provider's id, whatever the address.
    gate.provider
        .with(|now| now.claims = json!({"email": "other@example.com", "email_verified": false}));
    let again = gate.log_in().await.expect(200).text_at("/access_token");
    let who = gate.app.get("/who").bearer(&again).send().await.expect(200);
    assert_eq!(who.text_at("/subject"), ada.subject);
    let logins = events(&gate.app, "login.succeeded").await;
    assert_eq!(logins.len(), 2);
    assert_eq!(logins[0]["details"]["via"], json!(gate.provider.issuer));
    // A disabled account stays disabled for logins at the provider.
    ada.set_column("disabled", 1).await;
    gate.log_in()
        .await
        .expect_problem(403, "openid_unknown_user");
}

#[doyen_test::test]
async fn o6_every_allowed_algorithm_is_read(test_app: ApiKeysApp) {
    let gate = gate(&test_app, &[]).await;
    gate.says(&test_app.sign_up(DEFAULT_SCOPES).await);
    for (signer, kid) in [
        (Signer::rs256(), Some("one")),
        (Signer::ed25519(), Some("one")),
        // A single key needs no name.
        (Signer::es256(), None),
    ] {
        gate.provider
            .with(|now| (now.signer, now.kid) = (signer, kid));
        // The known keys do not match: they are read again, but not at once.
        gate.app.clock().advance(Duration::from_secs(31));
        gate.log_in().await.expect(200);
    }
    // With a provider that requires the secret in the form.
    let in_form = self::gate(&test_app, &[]).await;
    in_form.provider.with(|now| {
        now.metadata = json!({"token_endpoint_auth_methods_supported": ["client_secret_post"]})
    });
    let bob = test_app.sign_up(DEFAULT_SCOPES).await;
    in_form.says(&bob);
    in_form.log_in().await.expect(200);
}

#[doyen_test::test]
async fn t1_an_id_token_that_breaks_a_rule_is_refused(test_app: ApiKeysApp) {
    let gate = gate(&test_app, &[]).await;
    let ada = test_app.sign_up(DEFAULT_SCOPES).await;
    gate.says(&ada);
    gate.log_in().await.expect(200);
    let sessions = test_app.count("auth_sessions").await;
    let now = test_app.clock().now().unix();
    let claims = [
        json!({"nonce": "another"}),
        json!({"nonce": null}),
        json!({"aud": "another-client"}),
        json!({"aud": null}),
        json!({"aud": ["another-client"]}),
        json!({"aud": [CLIENT, "another-client"]}),
        json!({"aud": [CLIENT, "another-client"], "azp": "another-client"}),
        json!({"azp": "another-client"}),
        json!({"iss": "https://evil.example"}),
        json!({"iss": format!("{}/", gate.provider.issuer)}),
        json!({"exp": now - 31}),
        json!({"exp": null}),
        json!({"exp": "9999999999"}),
        json!({"iat": now + 60}),
        json!({"iat": null}),
        json!({"nbf": now + 60}),
        json!({"nbf": now as f64 - 60.5}),
        json!({"nbf": "0"}),
        json!({"sub": ""}),
        json!({"sub": null}),
        json!({"sub": "x".repeat(256)}),
    ];
    for wrong in claims {
        gate.provider
            .with(|behaviour| behaviour.claims = wrong.clone());
        let answer = gate.log_in().await;
        assert_eq!(answer.status(), 401, "{wrong}\n{answer}");
        answer.expect_problem(401, "openid_refused");
    }
    gate.says(&ada);
    let headers = [
        json!({"alg": "none"}),
        json!({"alg": "None"}),
        json!({"alg": null}),
        json!({"alg": 7}),
        json!({"alg": "HS256"}),
        json!({"alg": "RS256"}),
        json!({"alg": "ES384"}),
        json!({"kid": "two"}),
        json!({"kid": 7}),
        json!({"crit": ["exp"]}),
        json!({"jku": "https://evil.example/keys"}),
        json!({"jwk": Signer::es256().jwk("one")}),
    ];
    for wrong in headers {
        gate.provider
            .with(|behaviour| behaviour.header = wrong.clone());
        let answer = gate.log_in().await;
        assert_eq!(answer.status(), 401, "{wrong}\n{answer}");
    }
    gate.provider.with(|behaviour| behaviour.header = json!({}));
    // T2: signed with a public value, by another key, or not at all, under the key set of the real
    // provider.
    let keys = gate.provider.with(|behaviour| {
        let keys = json!({"keys": [behaviour.signer.jwk("one")]});
        behaviour.jwks = Some(keys.to_string());
        keys
    });
    let public = keys["keys"][0].to_string().into_bytes();
    for signer in [
        Signer::Hs256(public),
        Signer::None,
        Signer::es256(),
        Signer::ed25519(),
    ] {
        gate.provider.with(|behaviour| behaviour.signer = signer);
        gate.log_in().await.expect_problem(401, "openid_refused");
    }
    for answer in [
        (200, "{}".to_owned()),
        (200, "no json".to_owned()),
        (200, json!({"id_token": "a.b.c"}).to_string()),
        (200, json!({"id_token": "a.b.c.d"}).to_string()),
        (200, json!({"id_token": "a".repeat(20_000)}).to_string()),
        (400, json!({"error": "invalid_grant"}).to_string()),
    ] {
        gate.provider
            .with(|behaviour| behaviour.answer = Some(answer));
        gate.log_in().await.expect_problem(401, "openid_refused");
    }
    assert_eq!(test_app.count("auth_sessions").await, sessions);
    assert_eq!(test_app.count("auth_identities").await, 1);
    assert!(!events(&gate.app, "login.failed").await.is_empty());
}

/// RFC 7517: a key that is not for signatures, and a key set that two programs read differently.
#[doyen_test::test]
async fn t1_a_key_for_something_else_and_an_ambiguous_key_set_verify_nothing(test_app: ApiKeysApp) {
    let ada = test_app.sign_up(DEFAULT_SCOPES).await;
    let with = async |change: &str| {
        let gate = gate(&test_app, &[]).await;
        gate.says(&ada);
        gate.provider.with(|now| {
            let keys = json!({"keys": [now.signer.jwk("one")]}).to_string();
            now.jwks = Some(keys.replacen("\"kid\":", &format!("{change}\"kid\":"), 1));
        });
        gate.log_in().await.status()
    };
    for fine in ["", "\"key_ops\":[\"verify\"],", "\"more\":[{\"y\":null}],"] {
        assert_eq!(with(fine).await, 200, "{fine}");
    }
    for bad in [
        "\"key_ops\":[\"sign\"],",
        "\"key_ops\":[],",
        "\"key_ops\":\"verify\",",
    ] {
        assert_eq!(with(bad).await, 401, "{bad}");
    }
    for twice in ["\"kid\":\"one\",", "\"more\":{\"y\":1,\"y\":1},"] {
        assert_eq!(with(twice).await, 503, "{twice}");
    }
}

/// Login CSRF, replay, another browser, another login: no code is exchanged, and no user is logged
/// in.
#[doyen_test::test]
async fn o10_a_callback_is_accepted_once_and_in_its_own_browser(test_app: ApiKeysApp) {
    let gate = gate(&test_app, &[]).await;
    gate.says(&test_app.sign_up(DEFAULT_SCOPES).await);
    let (one, two) = (gate.begin().await, gate.begin().await);
    let code = gate.code(&one);
    let state = one.fields["state"].as_str();
    let broken = |answer: Answer| drop(answer.expect_problem(400, "openid_login_broken"));
    let query = [("state", state), ("code", code.as_str())];
    broken(gate.back(None, &query).await);
    broken(gate.back(Some(&two.cookie), &query).await);
    broken(gate.back(Some("__Host-openid=x"), &query).await);
    broken(gate.back(Some(&one.cookie), &[("code", &code)]).await);
    broken(
        gate.back(Some(&one.cookie), &[("state", "x"), ("code", &code)])
            .await,
    );
    broken(
        gate.back(Some(&one.cookie.replace("__Host-", "")), &query)
            .await,
    );
    assert_eq!(gate.provider.asked("/token"), 0);

    gate.back(Some(&one.cookie), &query).await.expect(200);
    // The same again, here and on another node, with the code and with a new one.
    broken(gate.back(Some(&one.cookie), &query).await);
    let fresh = gate.code(&one);
    broken(
        gate.back(Some(&one.cookie), &[("state", state), ("code", &fresh)])
            .await,
    );
    assert_eq!(gate.provider.asked("/token"), 1);
    // A used code, in a new login.
    let again = [
        ("state", two.fields["state"].as_str()),
        ("code", code.as_str()),
    ];
    gate.back(Some(&two.cookie), &again)
        .await
        .expect_problem(401, "openid_refused");
    // A code of another login: its verifier differs.
    let (three, four) = (gate.begin().await, gate.begin().await);
    let foreign = gate.code(&three);
    let mixed = [
        ("state", four.fields["state"].as_str()),
        ("code", foreign.as_str()),
    ];
    gate.back(Some(&four.cookie), &mixed)
        .await
        .expect_problem(401, "openid_refused");
    // The cookie expires after ten minutes.
    let late = gate.begin().await;
    let code = gate.code(&late);
    gate.app.clock().advance(Duration::from_secs(600));
    broken(
        gate.back(
            Some(&late.cookie),
            &[("state", &late.fields["state"]), ("code", &code)],
        )
        .await,
    );
}

/// RFC 9207: the response of another provider is refused.
#[doyen_test::test]
async fn o10_an_answer_of_another_issuer_is_refused(test_app: ApiKeysApp) {
    let gate = gate(&test_app, &[]).await;
    gate.says(&test_app.sign_up(DEFAULT_SCOPES).await);
    let issuer = gate.provider.issuer.clone();
    for (iss, status) in [
        (Some("https://evil.example"), 401),
        (Some(issuer.as_str()), 200),
    ] {
        let attempt = gate.begin().await;
        let code = gate.code(&attempt);
        let mut query = vec![
            ("state", attempt.fields["state"].as_str()),
            ("code", code.as_str()),
        ];
        query.extend(iss.map(|iss| ("iss", iss)));
        let answer = gate.back(Some(&attempt.cookie), &query).await;
        assert_eq!(answer.status(), status, "{answer}");
    }
    assert_eq!(gate.provider.asked("/token"), 1);
    // A provider that announces `iss` must send it.
    let promises = self::gate(&test_app, &[]).await;
    promises
        .provider
        .with(|now| now.metadata = json!({"authorization_response_iss_parameter_supported": true}));
    promises
        .log_in()
        .await
        .expect_problem(401, "openid_refused");
    // The provider refused the login.
    let attempt = gate.begin().await;
    let query = [
        ("state", attempt.fields["state"].as_str()),
        ("error", "access_denied"),
        ("error_description", "<script>"),
    ];
    let answer = gate
        .back(Some(&attempt.cookie), &query)
        .await
        .expect_problem(401, "openid_refused");
    assert!(!answer.text().contains("script"));
}

/// An account cannot be taken over by an address that is not verified on both sides.
#[doyen_test::test]
async fn o10_an_unverified_address_takes_over_no_account(test_app: ApiKeysApp) {
    let gate = gate(&test_app, &[]).await;
    let ada = test_app.sign_up(DEFAULT_SCOPES).await;
    let refused = |answer: Answer| drop(answer.expect_problem(403, "openid_unknown_user"));
    for claims in [
        json!({"email": ada.email}),
        json!({"email": ada.email, "email_verified": false}),
        json!({"email": ada.email, "email_verified": "true"}),
        json!({"email": ada.email, "email_verified": 1}),
        json!({"email": [ada.email], "email_verified": true}),
        json!({"email": "unknown@example.com", "email_verified": true}),
        json!({"email_verified": true}),
    ] {
        gate.provider.with(|now| now.claims = claims);
        refused(gate.log_in().await);
    }
    gate.says(&ada);
    ada.set_column("verified", 0).await;
    refused(gate.log_in().await);
    ada.set_column("verified", 1).await;
    ada.set_column("disabled", 1).await;
    refused(gate.log_in().await);
    ada.set_column("disabled", 0).await;
    assert_eq!(test_app.count("auth_identities").await, 0);
    // Addresses are compared as at a password login.
    gate.provider.with(|now| {
        now.claims = json!({"email": ada.email.to_uppercase(), "email_verified": true})
    });
    gate.log_in().await.expect(200);
    // Without linking by address, accounts stay separate.
    let strict = self::gate(&test_app, &[("auth.oidc.link", "never")]).await;
    strict.says(&ada);
    refused(strict.log_in().await);
}

#[doyen_test::test]
async fn a27_only_the_configured_host_is_called_and_no_redirect_followed(test_app: ApiKeysApp) {
    let gate = gate(&test_app, &[]).await;
    gate.says(&test_app.sign_up(DEFAULT_SCOPES).await);
    for metadata in [
        json!({"jwks_uri": "https://evil.example/keys"}),
        json!({"token_endpoint": "http://169.254.169.254/latest"}),
        json!({"token_endpoint": "file:///etc/passwd"}),
        json!({"authorization_endpoint": "javascript:alert(1)"}),
        json!({"issuer": "https://evil.example"}),
        json!({"jwks_uri": null}),
    ] {
        gate.provider.with(|now| now.metadata = metadata);
        gate.app
            .get("/v1/auth/oidc/start")
            .send()
            .await
            .expect_problem(503, "unavailable");
    }
    gate.provider.with(|now| now.metadata = json!({}));
    for answer in [
        (302, "{}".to_owned()),
        (307, "{}".to_owned()),
        (500, "{}".to_owned()),
        (200, "x".repeat(300_000)),
    ] {
        gate.provider.with(|now| now.answer = Some(answer));
        gate.log_in().await.expect_problem(503, "unavailable");
    }
    assert_eq!(gate.provider.asked("/elsewhere"), 0);
}

#[doyen_test::test]
async fn t16_new_keys_of_the_provider_are_found_but_not_for_every_wrong_token(
    test_app: ApiKeysApp,
) {
    let gate = gate(&test_app, &[]).await;
    gate.says(&test_app.sign_up(DEFAULT_SCOPES).await);
    gate.log_in().await.expect(200);
    assert_eq!(gate.provider.asked("/keys"), 1);
    let next = Signer::es256();
    gate.provider.with(|now| {
        now.jwks = Some(json!({"keys": [now.signer.jwk("one"), next.jwk("two")]}).to_string());
        (now.signer, now.kid) = (next, Some("two"));
    });
    for _ in 0..3 {
        gate.log_in().await.expect_problem(401, "openid_refused");
    }
    assert_eq!(gate.provider.asked("/keys"), 1);
    gate.app.clock().advance(Duration::from_secs(31));
    gate.log_in().await.expect(200);
    assert_eq!(gate.provider.asked("/keys"), 2);
    assert_eq!(gate.provider.asked("/.well-known/openid-configuration"), 1);
}

#[doyen_test::test]
async fn a44_with_a_cookie_the_browser_is_redirected_to_the_configured_page(test_app: ApiKeysApp) {
    let gate = gate(
        &test_app,
        &[
            ("auth.session.transport", "cookie"),
            ("auth.oidc.after", "/app"),
        ],
    )
    .await;
    gate.says(&test_app.sign_up(DEFAULT_SCOPES).await);
    let answer = gate.log_in().await.expect(303);
    assert_eq!(answer.location(), "/app");
    let cookies: Vec<&str> = answer
        .headers()
        .get_all("set-cookie")
        .iter()
        .filter_map(|cookie| cookie.to_str().ok())
        .collect();
    assert!(
        cookies
            .iter()
            .any(|cookie| cookie.starts_with("__Host-session=")),
        "{cookies:?}"
    );
    let session = cookies
        .iter()
        .find(|cookie| cookie.starts_with("__Host-session="))
        .unwrap();
    let session = session.split(';').next().unwrap();
    gate.app
        .get("/who")
        .header("cookie", session)
        .send()
        .await
        .expect(200);
}

#[doyen_test::test]
async fn without_a_provider_there_is_no_openid_login(test_app: ApiKeysApp) {
    test_app
        .get("/v1/auth/oidc/start")
        .send()
        .await
        .expect_problem(404, "openid_not_configured");
    test_app
        .get("/v1/auth/oidc/callback?code=x&state=y")
        .send()
        .await
        .expect_problem(404, "openid_not_configured");
}
