//! Strict verification of ID tokens (OpenID Connect Core section 3.1.3.7).

use doyen_auth::{Jws, JwsError, Members};
use doyen_core::Timestamp;
use serde_json::Value;

use super::jwk::{self, Algorithm, Jwk};

/// Permitted difference between the clocks of the provider and this server.
const LEEWAY_SECONDS: i64 = 30;
const MAX_TOKEN_BYTES: usize = 16 << 10;

/// An ID token that is not verified yet.
pub(super) struct Token<'t> {
    jws: Jws<'t>,
    algorithm: Algorithm,
}

/// The values that the claims must have.
pub(super) struct Expected<'e> {
    pub(super) issuer: &'e str,
    pub(super) client: &'e str,
    pub(super) nonce: &'e str,
    pub(super) now: Timestamp,
}

/// The claims of a verified ID token that are used.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct IdTokenClaims {
    pub(super) subject: String,
    /// The email address in lower case, only if the provider has verified it.
    pub(super) email: Option<String>,
}

/// Parses a token.
pub(super) fn parse(text: &str) -> Result<Token<'_>, &'static str> {
    if text.len() > MAX_TOKEN_BYTES {
        return Err("the ID token is too long");
    }
    let jws = Jws::parse(text).map_err(describe)?;
    let algorithm = jws.header().text("alg").and_then(Algorithm::named);
    let algorithm = algorithm.ok_or("the algorithm of the ID token is not allowed")?;
    if jws.header().get("kid").is_some_and(|kid| !kid.is_string()) {
        return Err("the key of the ID token has no name");
    }
    Ok(Token { jws, algorithm })
}

fn describe(error: JwsError) -> &'static str {
    match error {
        JwsError::NotCompact => "the ID token is not three parts",
        JwsError::NotBase64 => "a part of the ID token is no base64url",
        JwsError::Header => "the header of the ID token is no object",
        JwsError::Extension => "the header of the ID token holds an extension or a key",
        JwsError::Signature => "the signature of the ID token does not fit",
        JwsError::Claims => "the claims of the ID token are no object",
    }
}

impl Token<'_> {
    /// Returns the key that signed the token, by its name and algorithm.
    pub(super) fn key<'k>(&self, keys: &'k [Jwk]) -> Option<&'k Jwk> {
        jwk::pick(keys, self.jws.header().text("kid"), self.algorithm)
    }

    /// Verifies the signature and the claims. The error says what is wrong.
    pub(super) fn verify(
        &self,
        key: &Jwk,
        expected: &Expected<'_>,
    ) -> Result<IdTokenClaims, &'static str> {
        let claims = self
            .jws
            .verify(|message, signature| key.verifies(message, signature))
            .map_err(describe)?;
        let text = |name: &str| claims.text(name);
        let number = |name: &str| claims.get(name).and_then(Value::as_i64);
        if text("iss") != Some(expected.issuer) {
            return Err("the ID token is of another issuer");
        }
        check_audience(&claims, expected.client)?;
        if text("nonce") != Some(expected.nonce) {
            return Err("the nonce of the ID token is wrong");
        }
        let now = expected.now.unix();
        let end = number("exp").ok_or("the ID token has no expiry time")?;
        if now >= end.saturating_add(LEEWAY_SECONDS) {
            return Err("the ID token has expired");
        }
        let started = number("iat").ok_or("the ID token has no time of issue")?;
        if started > now.saturating_add(LEEWAY_SECONDS) {
            return Err("the ID token was issued in the future");
        }
        if claims.get("nbf").is_some() {
            let start = number("nbf").ok_or("the start of the ID token is not whole seconds")?;
            if start > now.saturating_add(LEEWAY_SECONDS) {
                return Err("the ID token is not valid yet");
            }
        }
        let subject = text("sub")
            .filter(|subject| !subject.is_empty() && subject.len() <= 255)
            .ok_or("the ID token has no subject")?;
        // `true` only, not `"true"`.
        let verified = claims.get("email_verified") == Some(&Value::Bool(true));
        let email = text("email").filter(|email| verified && email.len() <= 254);
        Ok(IdTokenClaims {
            subject: subject.to_owned(),
            email: email.map(str::to_lowercase),
        })
    }
}

fn check_audience(claims: &Members, client: &str) -> Result<(), &'static str> {
    let wrong = "the ID token is for another audience";
    match claims.get("aud") {
        Some(Value::String(name)) if name == client => {}
        Some(Value::Array(names)) if names.iter().any(|name| name == client) => {
            if names.len() > 1 && claims.get("azp").is_none() {
                return Err(wrong);
            }
        }
        _ => return Err(wrong),
    }
    match claims.get("azp") {
        None => Ok(()),
        Some(party) if party == client => Ok(()),
        Some(_) => Err(wrong),
    }
}
