//! A small application, and a generator of arbitrary tokens for it.

use std::sync::Arc;

use aws_lc_rs::agreement::{ECDH_P256, PrivateKey};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use doyen::auth::{Seed, Tokens};
use doyen::prelude::*;
use doyen_test::{Answer, Setup, Subject, TestApp};
use serde_json::{Value, json};

pub(crate) const ISSUER: &str = "https://issuer.test";
pub(crate) const AUDIENCE: &str = "https://api.test";

/// The caller.
#[derive(Output)]
struct Me {
    name: String,
}

/// Show the caller
#[get("/me", allow = signed_in)]
async fn me(caller: Caller) -> Json<Me> {
    let name = caller.subject.to_string();
    Json(Me { name })
}

/// A token.
#[derive(Output)]
struct Token {
    access_token: String,
}

/// Get a token
#[post("/tokens", allow = anyone)]
async fn issue(tokens: Arc<Tokens>) -> Result<NoStore<Token>, Unexpected> {
    let access_token = tokens.issue(&Caller::new("ada"))?.token;
    Ok(NoStore(Token { access_token }))
}

pub(crate) fn setup() -> Setup {
    Setup::new()
        .set("auth.issuer", ISSUER)
        .set("auth.audience", AUDIENCE)
        .set("auth.access_lifetime", "24h")
}

/// The application of these tests.
pub(crate) struct Api(pub(crate) TestApp);

impl Subject for Api {
    fn app() -> App {
        App::new("keys").module(Module::new("people").routes(routes![me, issue]))
    }
    fn setup() -> Setup {
        setup()
    }
    fn new(app: TestApp) -> Self {
        Self(app)
    }
}

/// The same application, whose first keys sign with ES256.
pub(crate) struct Es256Api(pub(crate) TestApp);

impl Subject for Es256Api {
    fn app() -> App {
        Api::app()
    }
    fn setup() -> Setup {
        setup().set("auth.algorithm", "es256")
    }
    fn new(app: TestApp) -> Self {
        Self(app)
    }
}

pub(crate) async fn call(app: &TestApp, token: &str) -> Answer {
    app.get("/me").bearer(token).send().await
}

#[track_caller]
pub(crate) fn accepted(answer: Answer) {
    answer.expect(200);
}

/// Checks a refusal as in RFC 6750, without a reason.
#[track_caller]
pub(crate) fn refused(answer: Answer, what: &str) {
    let challenge = answer
        .header("www-authenticate")
        .unwrap_or_else(|| panic!("{what}\n\n{answer}"))
        .to_owned();
    assert_eq!(answer.status(), 401, "{what}\n\n{answer}");
    assert_eq!(answer.code(), "invalid_token", "{what}\n\n{answer}");
    assert!(
        challenge.starts_with("Bearer ") && challenge.contains("error=\"invalid_token\""),
        "{what}: {challenge}"
    );
}

/// A token of the application.
pub(crate) async fn token(app: &TestApp) -> String {
    let answer = app.post("/tokens").send().await.expect(200);
    answer.text_at("/access_token")
}

/// The header of a token.
pub(crate) fn header_of(token: &str) -> Value {
    let header = token.split('.').next().unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(header).unwrap()).unwrap()
}

/// The key set as served.
pub(crate) async fn jwks(app: &TestApp) -> Value {
    let answer = app.get("/.well-known/jwks.json").send().await;
    answer.expect(200).json()
}

/// The names of the published keys, in order.
pub(crate) async fn kids(app: &TestApp) -> Vec<String> {
    let jwks = jwks(app).await;
    let keys = jwks["keys"].as_array().unwrap();
    keys.iter()
        .map(|key| key["kid"].as_str().unwrap().to_owned())
        .collect()
}

/// The seed of an application under test.
pub(crate) fn seed(app: &TestApp) -> Seed {
    let text = app.runtime().core().auth.signing_key.clone().unwrap();
    Seed::parse(text.expose()).unwrap()
}

/// Encodes text as base64url.
pub(crate) fn encode(text: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(text)
}

/// An object with some members replaced; null removes one.
pub(crate) fn but(mut value: Value, changes: Value) -> Value {
    let (Value::Object(members), Value::Object(changes)) = (&mut value, changes) else {
        panic!("two objects")
    };
    for (name, change) in changes {
        match change {
            Value::Null => _ = members.remove(&name),
            change => _ = members.insert(name, change),
        }
    }
    value
}

/// Knows the seed and signs arbitrary claims. It derives keys independently: the application must
/// come to the same result.
pub(crate) struct Forge {
    seed: Seed,
    pub(crate) kid: String,
    pub(crate) now: i64,
}

impl Forge {
    /// Creates a forge for the signing key of this application, which must be key 1 and Ed25519.
    pub(crate) async fn of(app: &TestApp) -> Self {
        Self {
            seed: seed(app),
            kid: kids(app).await.remove(0),
            now: app.clock().now().unix(),
        }
    }

    pub(crate) fn header(&self) -> Value {
        json!({ "typ": "at+jwt", "alg": "Ed25519", "kid": self.kid })
    }

    pub(crate) fn claims(&self) -> Value {
        json!({ "iss": ISSUER, "aud": AUDIENCE, "sub": "ada", "iat": self.now, "exp": self.now + 900, "jti": "t1", "scope": "a b" })
    }

    /// Signs any two texts with key 1.
    pub(crate) fn sign(&self, header: &str, claims: &str) -> String {
        self.sign_with(header, claims, |message| self.ed25519(1, message))
    }

    pub(crate) fn sign_with(
        &self,
        header: &str,
        claims: &str,
        sign: impl FnOnce(&[u8]) -> Vec<u8>,
    ) -> String {
        let signed = format!("{}.{}", encode(header), encode(claims));
        let signature = encode(sign(signed.as_bytes()));
        format!("{signed}.{signature}")
    }

    pub(crate) fn with_header(&self, changes: Value) -> String {
        let header = but(self.header(), changes);
        self.sign(&header.to_string(), &self.claims().to_string())
    }

    pub(crate) fn with_claims(&self, changes: Value) -> String {
        let claims = but(self.claims(), changes);
        self.sign(&self.header().to_string(), &claims.to_string())
    }

    pub(crate) fn ed25519(&self, number: u32, message: &[u8]) -> Vec<u8> {
        let secret = self.seed.derive(&format!("signing/ed25519/{number}"));
        let pair = Ed25519KeyPair::from_seed_unchecked(&secret).unwrap();
        pair.sign(message).as_ref().to_vec()
    }

    pub(crate) fn es256(&self, number: u32, message: &[u8]) -> Vec<u8> {
        let secret = self.seed.derive(&format!("signing/es256/{number}"));
        let public = PrivateKey::from_private_key(&ECDH_P256, &secret).unwrap();
        let public = public.compute_public_key().unwrap();
        let pair = EcdsaKeyPair::from_private_key_and_public_key(
            &ECDSA_P256_SHA256_FIXED_SIGNING,
            &secret,
            public.as_ref(),
        )
        .unwrap();
        let signature = pair.sign(&SystemRandom::new(), message).unwrap();
        signature.as_ref().to_vec()
    }
}
