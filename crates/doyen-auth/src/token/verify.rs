//! Reads a token, strictly: everything about it that does not depend on the time.
//!
//! The order matters. What costs nothing comes first; nothing inside the claims is looked at before the signature holds.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use doyen_core::{Caller, Timestamp};
use serde_json::Value;

use super::{Claims, Rejected, TYPE, TokenOptions};
use crate::keyring::{Key, KeyRing};
use crate::members::Members;

/// Header members that change how a token is read (`crit`, `b64`, `zip`, `cty`) or bring a key along. A key is never taken from a token,
/// let alone fetched from where it says; refusing the token makes the attempt visible.
const REFUSED: [&str; 8] = ["crit", "b64", "zip", "cty", "jwk", "jku", "x5u", "x5c"];

pub(super) fn token(
    ring: &KeyRing,
    options: &TokenOptions,
    token: &str,
) -> Result<Claims, Rejected> {
    let (signed, signature) = token.rsplit_once('.').ok_or(Rejected::NotCompact)?;
    let (header, claims) = signed.split_once('.').ok_or(Rejected::NotCompact)?;
    if claims.contains('.') {
        return Err(Rejected::NotCompact);
    }
    // This alphabet has one text for one value: padding and spare bits are refused.
    let decode = |part: &str| {
        URL_SAFE_NO_PAD
            .decode(part)
            .map_err(|_| Rejected::NotBase64)
    };
    let (header, claims, signature) = (decode(header)?, decode(claims)?, decode(signature)?);

    let key = check_header(ring, &Members::parse(&header).ok_or(Rejected::Header)?)?;
    if !key.verify(signed.as_bytes(), &signature) {
        return Err(Rejected::Signature);
    }
    let claims = Members::parse(&claims).ok_or(Rejected::Claims)?;
    read_claims(options, &claims, &key.kid)
}

/// The key that the header names, once the rest of the header agrees with it.
fn check_header<'r>(ring: &'r KeyRing, header: &Members) -> Result<&'r Key, Rejected> {
    if REFUSED.iter().any(|name| header.get(name).is_some()) {
        return Err(Rejected::Extension);
    }
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
        key: Arc::clone(key),
    })
}

/// `aud` is one name or a list of names.
fn names(audience: Option<&Value>, ours: &str) -> bool {
    match audience {
        Some(Value::String(name)) => name == ours,
        Some(Value::Array(list)) => {
            list.iter().all(Value::is_string) && list.iter().any(|name| name == ours)
        }
        _ => false,
    }
}

/// A whole, not negative number of seconds since 1970 in the years we know. RFC 7519 would allow fractions; we issue none.
fn seconds(value: Option<&Value>) -> Result<Timestamp, Rejected> {
    let seconds = value
        .and_then(Value::as_i64)
        .filter(|seconds| (0..=253_402_300_799).contains(seconds))
        .ok_or(Rejected::Time)?;
    Ok(Timestamp::from_micros(seconds * 1_000_000))
}
