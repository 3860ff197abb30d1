//! NATS with decentralized authentication: an operator, an account, and a user with a credentials
//! file.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use doyen::nats::Nats;
use doyen_test::NatsServer;
use nkeys::KeyPair;
use serde_json::{Value, json};

fn jwt(issuer: &KeyPair, subject: &KeyPair, claims: Value) -> String {
    let subject = subject.public_key();
    let payload = json!({
        "jti": subject, "iat": 1, "iss": issuer.public_key(), "sub": subject, "name": "test",
        "nats": claims,
    });
    let header = json!({"typ": "JWT", "alg": "ed25519-nkey"});
    let [header, payload] = [header, payload].map(|part| URL_SAFE_NO_PAD.encode(part.to_string()));
    let signed = format!("{header}.{payload}");
    let signature = issuer.sign(signed.as_bytes()).unwrap();
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
}

/// Returns the text of a credentials file.
fn credentials(account: &KeyPair) -> String {
    let user = KeyPair::new_user();
    let claims = json!({"type": "user", "version": 2, "subs": -1, "data": -1, "payload": -1});
    let token = jwt(account, &user, claims);
    format!(
        "-----BEGIN NATS USER JWT-----\n{token}\n------END NATS USER JWT------\n\n\
         -----BEGIN USER NKEY SEED-----\n{}\n------END USER NKEY SEED------\n",
        user.seed().unwrap()
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_credentials_file_identifies_the_application() {
    let (operator, account) = (KeyPair::new_operator(), KeyPair::new_account());
    let trusted = jwt(
        &operator,
        &operator,
        json!({"type": "operator", "version": 2}),
    );
    let limits = json!({
        "subs": -1, "data": -1, "payload": -1, "imports": -1, "exports": -1, "wildcards": true,
        "conn": -1, "leaf": -1,
    });
    let claims = json!({"type": "account", "version": 2, "limits": limits});
    let known = jwt(&operator, &account, claims);
    let server = NatsServer::start_with(&format!(
        "operator: {trusted}\nresolver: MEMORY\n\
         resolver_preload: {{ {}: {known} }}\n",
        account.public_key()
    ));
    let connect = async |text: &str| Nats::open(&server.url(), Some(text)).unwrap().ping().await;
    connect(&credentials(&account)).await.unwrap();
    let unknown = connect(&credentials(&KeyPair::new_account())).await;
    let error = unknown.unwrap_err();
    assert!(error.contains("authorization violation"), "{error}");
}
