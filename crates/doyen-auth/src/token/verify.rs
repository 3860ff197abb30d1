//! Verifies a token strictly, except for its times.

use std::sync::Arc;

use doyen_core::{Caller, Timestamp};
use serde_json::Value;

use super::last_use::LastUse;
use super::{Claims, Rejected, TYPE, TokenOptions};
use crate::keyring::{Key, KeyRing};
use crate::{Jws, JwsError, Members};

pub(super) fn token(
    ring: &KeyRing,
    options: &TokenOptions,
    token: &str,
) -> Result<Claims, Rejected> {
    let token = Jws::parse(token)?;
    let key = check_header(ring, token.header())?;
    let claims = token.verify(|message, signature| key.verify(message, signature))?;
    read_claims(options, &claims, &key.kid)
}

impl From<JwsError> for Rejected {
    fn from(error: JwsError) -> Self {
        match error {
            JwsError::NotCompact => Self::NotCompact,
            JwsError::NotBase64 => Self::NotBase64,
            JwsError::Header => Self::Header,
            JwsError::Extension => Self::Extension,
            JwsError::Signature => Self::Signature,
            JwsError::Claims => Self::Claims,
        }
    }
}

/// Returns the key that the header names, if the rest of the header agrees with it.
fn check_header<'r>(ring: &'r KeyRing, header: &Members) -> Result<&'r Key, Rejected> {
    let text = |name| header.text(name).ok_or(Rejected::Header);
    let (kind, algorithm, kid) = (text("typ")?, text("alg")?, text("kid")?);
    if kind != TYPE {
        return Err(Rejected::Type);
    }
    let key = ring.find(kid).ok_or(Rejected::UnknownKey)?;
    if !ring.is_algorithm(key, algorithm) {
        return Err(Rejected::Algorithm);
    }
    Ok(key)
}

fn read_claims(
    options: &TokenOptions,
    claims: &Members,
    key: &Arc<str>,
) -> Result<Claims, Rejected> {
    let text = |name| {
        claims
            .text(name)
            .filter(|text| !text.is_empty())
            .ok_or(Rejected::Claims)
    };
    if claims.text("iss") != Some(&options.issuer) {
        return Err(Rejected::Issuer);
    }
    if !names(claims.get("aud"), &options.audience) {
        return Err(Rejected::Audience);
    }
    let expires_at = seconds(claims.get("exp"))?;
    let issued_at = seconds(claims.get("iat"))?;
    let not_before = claims
        .get("nbf")
        .map(|value| seconds(Some(value)))
        .transpose()?;
    let mut caller = Caller::new(text("sub")?);
    caller.scopes = match claims.get("scope") {
        None => Vec::new(),
        Some(Value::String(scopes)) => scopes
            .split(' ')
            .filter(|scope| !scope.is_empty())
            .map(Arc::from)
            .collect(),
        Some(_) => return Err(Rejected::Claims),
    };
    caller.roles = match claims.get("roles") {
        None => Vec::new(),
        Some(Value::Array(roles)) => roles
            .iter()
            .map(|role| role.as_str().map(Arc::from))
            .collect::<Option<_>>()
            .ok_or(Rejected::Claims)?,
        Some(_) => return Err(Rejected::Claims),
    };
    caller.session = claims
        .get("sid")
        .map(|_| text("sid").map(Arc::from))
        .transpose()?;
    caller.key = claims
        .get("client_id")
        .map(|_| text("client_id").map(Arc::from))
        .transpose()?;
    caller.generation = match claims.get("gen") {
        None => 0,
        Some(value) => value
            .as_u64()
            .and_then(|value| u32::try_from(value).ok())
            .ok_or(Rejected::Claims)?,
    };
    Ok(Claims {
        caller: Arc::new(caller),
        id: text("jti")?.into(),
        issued_at,
        expires_at,
        not_before,
        last_use: LastUse::at(issued_at),
        key: Arc::clone(key),
    })
}

/// Returns true if the audience, one name or a list of names, includes ours.
fn names(audience: Option<&Value>, ours: &str) -> bool {
    match audience {
        Some(Value::String(name)) => name == ours,
        Some(Value::Array(list)) => {
            list.iter().all(Value::is_string) && list.iter().any(|name| name == ours)
        }
        _ => false,
    }
}

/// Parses seconds since 1970: whole, not negative, up to the year 9999. RFC 7519 allows fractions,
/// but no issued token has one.
fn seconds(value: Option<&Value>) -> Result<Timestamp, Rejected> {
    let seconds = value
        .and_then(Value::as_i64)
        .filter(|seconds| (0..=253_402_300_799).contains(seconds))
        .ok_or(Rejected::Time)?;
    Ok(Timestamp::from_micros(seconds * 1_000_000))
}
