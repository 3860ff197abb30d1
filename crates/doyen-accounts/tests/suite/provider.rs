//! A configurable OpenID provider for tests.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::hmac;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256,
    RsaKeyPair,
};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

pub(crate) const CLIENT: &str = "house";
pub(crate) const SECRET: &str = "the secret of the service";

/// The algorithms of ID tokens.
pub(crate) enum Signer {
    Es256(EcdsaKeyPair),
    Rs256(RsaKeyPair),
    EdDsa(Ed25519KeyPair),
    /// The attack: a shared secret that is public.
    Hs256(Vec<u8>),
    None,
}

impl Signer {
    pub(crate) fn es256() -> Self {
        let random = SystemRandom::new();
        let pkcs8 =
            EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
        Self::Es256(
            EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8.as_ref()).unwrap(),
        )
    }

    pub(crate) fn rs256() -> Self {
        Self::Rs256(RsaKeyPair::generate(KeySize::Rsa2048).unwrap())
    }

    pub(crate) fn ed25519() -> Self {
        Self::EdDsa(Ed25519KeyPair::from_seed_unchecked(&[9; 32]).unwrap())
    }

    fn alg(&self) -> &'static str {
        match self {
            Self::Es256(_) => "ES256",
            Self::Rs256(_) => "RS256",
            Self::EdDsa(_) => "EdDSA",
            Self::Hs256(_) => "HS256",
            Self::None => "none",
        }
    }

    pub(crate) fn jwk(&self, kid: &str) -> Value {
        let text = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        match self {
            Self::Es256(pair) => {
                let point = pair.public_key().as_ref();
                json!({"kty": "EC", "crv": "P-256", "x": text(&point[1..33]), "y": text(&point[33..]), "kid": kid, "use": "sig", "alg": "ES256"})
            }
            // The DER of a key of 2048 bits: nine bytes, the modulus, then the exponent.
            Self::Rs256(pair) => {
                let der = pair.public_key().as_ref().to_vec();
                json!({"kty": "RSA", "n": text(&der[9..265]), "e": "AQAB", "kid": kid, "use": "sig"})
            }
            Self::EdDsa(pair) => {
                json!({"kty": "OKP", "crv": "Ed25519", "x": text(pair.public_key().as_ref()), "kid": kid})
            }
            Self::Hs256(_) | Self::None => json!({"kty": "oct", "k": "c2VjcmV0", "kid": kid}),
        }
    }

    fn sign(&self, message: &[u8]) -> Vec<u8> {
        let random = SystemRandom::new();
        match self {
            Self::Es256(pair) => pair.sign(&random, message).unwrap().as_ref().to_vec(),
            Self::Rs256(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &random, message, &mut signature)
                    .unwrap();
                signature
            }
            Self::EdDsa(pair) => pair.sign(message).as_ref().to_vec(),
            Self::Hs256(key) => {
                let key = hmac::Key::new(hmac::HMAC_SHA256, key);
                hmac::sign(&key, message).as_ref().to_vec()
            }
            Self::None => Vec::new(),
        }
    }
}

/// The current behaviour.
pub(crate) struct Behaviour {
    pub(crate) signer: Signer,
    /// The name of the key in the header of a token.
    pub(crate) kid: Option<&'static str>,
    /// The key set; that of the signer under `one` when it is not set.
    pub(crate) jwks: Option<String>,
    /// Changes to the header of a token.
    pub(crate) header: Value,
    /// Changes to the claims of a token; null removes one.
    pub(crate) claims: Value,
    /// Changes to the metadata.
    pub(crate) metadata: Value,
    /// A complete other response of the token endpoint.
    pub(crate) answer: Option<(u16, String)>,
    /// The requests received.
    pub(crate) asked: Vec<String>,
    codes: HashMap<String, (String, String)>,
}

/// The provider.
#[derive(Clone)]
pub(crate) struct Provider {
    pub(crate) issuer: String,
    now: i64,
    behaviour: Arc<Mutex<Behaviour>>,
}

impl Provider {
    /// Starts a provider whose tokens are issued at this second.
    pub(crate) async fn start(now: i64) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let provider = Self {
            issuer: format!("http://127.0.0.1:{}", listener.local_addr().unwrap().port()),
            now,
            behaviour: Arc::new(Mutex::new(Behaviour {
                signer: Signer::es256(),
                kid: Some("one"),
                jwks: None,
                header: json!({}),
                claims: json!({}),
                metadata: json!({}),
                answer: None,
                asked: Vec::new(),
                codes: HashMap::new(),
            })),
        };
        let serving = provider.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serving.clone().serve(stream));
            }
        });
        provider
    }

    pub(crate) fn with<T>(&self, change: impl FnOnce(&mut Behaviour) -> T) -> T {
        change(&mut self.behaviour.lock().unwrap())
    }

    /// Number of requests for a path.
    pub(crate) fn asked(&self, path: &str) -> usize {
        self.with(|now| now.asked.iter().filter(|asked| *asked == path).count())
    }

    /// Logs a user in here and returns the code.
    pub(crate) fn code(&self, nonce: &str, challenge: &str) -> String {
        self.with(|now| {
            let code = format!("code-{}", now.codes.len());
            now.codes
                .insert(code.clone(), (nonce.to_owned(), challenge.to_owned()));
            code
        })
    }

    async fn serve(self, mut stream: TcpStream) {
        let mut text = String::new();
        let mut buffer = [0; 4096];
        loop {
            let read = stream.read(&mut buffer).await.unwrap_or(0);
            text.push_str(&String::from_utf8_lossy(&buffer[..read]));
            let Some((head, body)) = text.split_once("\r\n\r\n") else {
                if read == 0 {
                    return;
                }
                continue;
            };
            let length = head
                .lines()
                .find_map(|line| {
                    line.to_ascii_lowercase()
                        .strip_prefix("content-length:")?
                        .trim()
                        .parse()
                        .ok()
                })
                .unwrap_or(0);
            if body.len() >= length {
                let (status, answer) = self.answer(head, body);
                let reply = format!(
                    "HTTP/1.1 {status} X\r\ncontent-type: application/json\r\nlocation: {}/elsewhere\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{answer}",
                    self.issuer,
                    answer.len()
                );
                let _ = stream.write_all(reply.as_bytes()).await;
                return;
            }
        }
    }

    fn answer(&self, head: &str, body: &str) -> (u16, String) {
        let path = head.split(' ').nth(1).unwrap().to_owned();
        let issuer = &self.issuer;
        self.with(|now| {
            now.asked.push(path.clone());
            match path.as_str() {
                "/.well-known/openid-configuration" => {
                    let mut all = json!({
                        "issuer": issuer,
                        "authorization_endpoint": format!("{issuer}/authorize"),
                        "token_endpoint": format!("{issuer}/token"),
                        "jwks_uri": format!("{issuer}/keys"),
                    });
                    merge(&mut all, &now.metadata);
                    (200, all.to_string())
                }
                "/keys" => {
                    let own = || json!({"keys": [now.signer.jwk("one")]}).to_string();
                    (200, now.jwks.clone().unwrap_or_else(own))
                }
                "/token" => token(now, head, body, issuer, self.now),
                _ => (404, "{}".to_owned()),
            }
        })
    }
}

fn merge(all: &mut Value, changes: &Value) {
    for (name, value) in changes.as_object().into_iter().flatten() {
        let object = all.as_object_mut().unwrap();
        if value.is_null() {
            object.remove(name);
        } else {
            object.insert(name.clone(), value.clone());
        }
    }
}

/// Checks the code as a strict provider does, and returns an ID token.
fn token(now: &mut Behaviour, head: &str, body: &str, issuer: &str, seconds: i64) -> (u16, String) {
    if let Some(answer) = now.answer.clone() {
        return answer;
    }
    let form: HashMap<String, String> = pairs(body).into_iter().collect();
    let field = |name: &str| form.get(name).map(String::as_str).unwrap_or_default();
    let basic = format!(
        "authorization: basic {}",
        STANDARD.encode(format!("{CLIENT}:{SECRET}")).to_lowercase()
    );
    let proven = head.to_lowercase().lines().any(|line| line == basic)
        || (field("client_id") == CLIENT && field("client_secret") == SECRET);
    let Some((nonce, challenge)) = now.codes.remove(field("code")) else {
        return (400, r#"{"error":"invalid_grant"}"#.to_owned());
    };
    let verifier = URL_SAFE_NO_PAD.encode(digest(&SHA256, field("code_verifier").as_bytes()));
    if !proven || verifier != challenge || field("redirect_uri") != crate::openid::CALLBACK_URL {
        return (400, r#"{"error":"invalid_client"}"#.to_owned());
    }
    let mut header = json!({"alg": now.signer.alg(), "typ": "JWT"});
    if let Some(kid) = now.kid {
        header["kid"] = json!(kid);
    }
    let mut claims = json!({
        "iss": issuer, "aud": CLIENT, "sub": "outside-1", "nonce": nonce,
        "iat": seconds, "exp": seconds + 300,
    });
    merge(&mut header, &now.header);
    merge(&mut claims, &now.claims);
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let signed = format!("{}.{}", part(&header), part(&claims));
    let signature = URL_SAFE_NO_PAD.encode(now.signer.sign(signed.as_bytes()));
    let answer = json!({"access_token": "x", "token_type": "Bearer", "id_token": format!("{signed}.{signature}")});
    (200, answer.to_string())
}

/// Decodes the pairs of a form or a query.
pub(crate) fn pairs(text: &str) -> Vec<(String, String)> {
    use doyen::schema::input::{Value, text};
    let Ok(Value::Map(pairs)) = text::query(text) else {
        return Vec::new();
    };
    pairs
        .into_iter()
        .map(|(name, value)| (name.into_owned(), value.as_text().unwrap().to_owned()))
        .collect()
}
