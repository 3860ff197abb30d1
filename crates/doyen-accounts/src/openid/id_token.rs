//! What an ID token must be (OpenID Connect Core section 3.1.3.7), strictly.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use doyen_core::Timestamp;
use serde_json::Value;

use super::jwk::{self, Algorithm, Jwk};

/// By how much the provider's clock may differ, in seconds.
const LEEWAY: i64 = 30;
const LONGEST: usize = 16 << 10;

/// An ID token before it is believed.
pub(super) struct Token<'t> {
    signed: &'t str,
    signature: Vec<u8>,
    pub(super) kid: Option<String>,
    pub(super) algorithm: Algorithm,
    claims: Value,
}

/// What must stand in it.
pub(super) struct Expected<'e> {
    pub(super) issuer: &'e str,
    pub(super) client: &'e str,
    pub(super) nonce: &'e str,
    pub(super) now: Timestamp,
}

/// Who the provider says it is.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Person {
    pub(super) subject: String,
    /// Only one that is verified, in lower case.
    pub(super) email: Option<String>,
}

/// Takes a token apart.
pub(super) fn parse(text: &str) -> Result<Token<'_>, &'static str> {
    if text.len() > LONGEST {
        return Err("the ID token is too long");
    }
    let mut parts = text.split('.');
    let (Some(head), Some(claims), Some(signature), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err("the ID token is not three parts");
    };
    let decode = |part: &str| URL_SAFE_NO_PAD.decode(part).ok();
    let json = |part: &str| -> Option<Value> {
        let value: Value = serde_json::from_slice(&decode(part)?).ok()?;
        value.is_object().then_some(value)
    };
    let head = json(head).ok_or("the header of the ID token is no object")?;
    // Extensions that change how it is read, and keys of its own, are not understood here.
    if ["crit", "b64", "zip", "jwk", "jku", "x5u", "x5c"]
        .iter()
        .any(|name| head.get(name).is_some())
    {
        return Err("the header of the ID token holds an extension or a key");
    }
    let algorithm = head
        .get("alg")
        .and_then(Value::as_str)
        .and_then(Algorithm::named)
        .ok_or("the algorithm of the ID token is not allowed")?;
    let kid = match head.get("kid") {
        None => None,
        Some(Value::String(kid)) => Some(kid.clone()),
        Some(_) => return Err("the key of the ID token has no name"),
    };
    let signed = &text[..text.len() - signature.len() - 1];
    Ok(Token {
        signed,
        signature: decode(signature).ok_or("the signature of the ID token is no base64url")?,
        kid,
        algorithm,
        claims: json(claims).ok_or("the claims of the ID token are no object")?,
    })
}

impl Token<'_> {
    /// The key it is signed with, by its name and algorithm.
    pub(super) fn key<'k>(&self, keys: &'k [Jwk]) -> Option<&'k Jwk> {
        jwk::pick(keys, self.kid.as_deref(), self.algorithm)
    }

    /// Believes it, or says what is wrong.
    pub(super) fn verify(
        &self,
        key: &Jwk,
        expected: &Expected<'_>,
    ) -> Result<Person, &'static str> {
        if !key.verifies(self.signed.as_bytes(), &self.signature) {
            return Err("the signature of the ID token does not fit");
        }
        let text = |name: &str| self.claims.get(name).and_then(Value::as_str);
        let number = |name: &str| self.claims.get(name).and_then(Value::as_i64);
        if text("iss") != Some(expected.issuer) {
            return Err("the ID token is of another issuer");
        }
        self.audience(expected.client)?;
        if text("nonce") != Some(expected.nonce) {
            return Err("the nonce of the ID token is another one");
        }
        let now = expected.now.unix();
        let end = number("exp").ok_or("the ID token does not say when it ends")?;
        if now >= end.saturating_add(LEEWAY) {
            return Err("the ID token has expired");
        }
        let begun = number("iat").ok_or("the ID token does not say when it was issued")?;
        if begun > now.saturating_add(LEEWAY) {
            return Err("the ID token was issued in the future");
        }
        if number("nbf").is_some_and(|start| start > now.saturating_add(LEEWAY)) {
            return Err("the ID token is not valid yet");
        }
        let subject = text("sub")
            .filter(|subject| !subject.is_empty() && subject.len() <= 255)
            .ok_or("the ID token says of nobody")?;
        // `true` and nothing that looks like it.
        let verified = self.claims.get("email_verified") == Some(&Value::Bool(true));
        let email = text("email").filter(|email| verified && email.len() <= 254);
        Ok(Person {
            subject: subject.to_owned(),
            email: email.map(str::to_lowercase),
        })
    }

    fn audience(&self, client: &str) -> Result<(), &'static str> {
        let wrong = "the ID token is for somebody else";
        match self.claims.get("aud") {
            Some(Value::String(name)) if name == client => {}
            Some(Value::Array(names)) if names.iter().any(|name| name == client) => {
                if names.len() > 1 && self.claims.get("azp").is_none() {
                    return Err(wrong);
                }
            }
            _ => return Err(wrong),
        }
        match self.claims.get("azp") {
            None => Ok(()),
            Some(party) if party == client => Ok(()),
            Some(_) => Err(wrong),
        }
    }
}
