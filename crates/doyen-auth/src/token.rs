//! Access tokens: short-lived signed statements about a caller (RFC 9068).
//!
//! `docs/decisions/0005-access-tokens.md` gives the reasons for the hand-written reader and for the
//! name of the algorithm.

mod cache;
mod last_use;
mod live;
mod rejected;
mod verify;
mod watch;

pub use last_use::TokenUses;
pub use rejected::Rejected;

use std::fmt;
use std::sync::{Arc, RwLock};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use doyen_core::sync;
use doyen_core::{Caller, Clock, Timestamp, Unexpected};
use serde_json::{Map, Value, json};

use crate::{KeyRing, KeySet};
use last_use::LastUse;
use live::Live;
use watch::Watch;

/// Maximum length of a token, in bytes.
const MAX_TOKEN_BYTES: usize = 8 << 10;
/// Media type in the header of an access token, which distinguishes it from other kinds (RFC 8725
/// section 3.11).
const TYPE: &str = "at+jwt";

/// Options for issuing and verifying tokens.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct TokenOptions {
    /// The issuer: a URL, compared exactly.
    pub issuer: String,
    /// The audience: the name of this service, compared exactly. A token may name further ones.
    pub audience: String,
    /// Lifetime of a token. Default 15 minutes, at most a day, or a year with `is_long_lived`.
    pub lifetime: Duration,
    /// True to permit a lifetime of more than a day: for the contract of an API without refresh
    /// tokens. A stolen token is valid for as long, unless its session is revoked.
    pub is_long_lived: bool,
    /// Maximum difference between the clocks of two nodes. Default 5 seconds, at most 60.
    pub leeway: Duration,
}

impl TokenOptions {
    /// Returns the defaults for this issuer and audience.
    pub fn new(issuer: impl Into<String>, audience: impl Into<String>) -> Self {
        Self {
            issuer: issuer.into(),
            audience: audience.into(),
            lifetime: Duration::from_secs(15 * 60),
            is_long_lived: false,
            leeway: Duration::from_secs(5),
        }
    }
}

/// Issues and verifies access tokens.
///
/// Verified tokens are cached, because an Ed25519 verification costs some sixty times as much as a
/// lookup. Each lookup compares the times again, and the entries of a key are dropped with the key.
///
/// The keys are those of a ring, or those of a table that all nodes share (see
/// [`follow`](Self::follow)).
pub struct Tokens {
    options: TokenOptions,
    clock: Arc<dyn Clock>,
    live: RwLock<Arc<Live>>,
    watch: Option<Watch>,
}

/// The contents of a verified token.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Claims {
    /// The caller.
    pub caller: Arc<Caller>,
    /// Id of the token (`jti`).
    pub id: Arc<str>,
    /// Time of issue.
    pub issued_at: Timestamp,
    /// Time from which it is invalid.
    pub expires_at: Timestamp,
    not_before: Option<Timestamp>,
    pub(crate) last_use: LastUse,
    /// Name of the signing key.
    key: Arc<str>,
}

/// A new token.
pub struct IssuedToken {
    /// The token, in compact form.
    pub token: String,
    /// Seconds until it expires.
    pub expires_in: u64,
    /// Its id (`jti`).
    pub id: String,
}

impl fmt::Debug for IssuedToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IssuedToken")
            .field("id", &self.id)
            .field("expires_in", &self.expires_in)
            .finish_non_exhaustive()
    }
}

impl Tokens {
    /// Creates tokens with these keys and options.
    ///
    /// # Errors
    ///
    /// Returns an error if an option is out of range.
    pub fn new(
        ring: KeyRing,
        options: TokenOptions,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, BadTokenOptions> {
        let seconds = options.lifetime.as_secs();
        let max = if options.is_long_lived {
            365 * 86_400
        } else {
            86_400
        };
        if seconds == 0 || seconds > max {
            return Err(BadTokenOptions(
                "the lifetime of an access token must be 1 second to 1 day, or to 365 days if long lifetimes are permitted",
            ));
        }
        if options.leeway > Duration::from_secs(60) {
            return Err(BadTokenOptions(
                "the leeway for clocks must be at most 60 seconds",
            ));
        }
        if options.issuer.is_empty() || options.audience.is_empty() {
            return Err(BadTokenOptions(
                "the issuer and the audience of access tokens must not be empty",
            ));
        }
        Ok(Self {
            options,
            clock,
            live: RwLock::new(Arc::new(Live::new(ring))),
            watch: None,
        })
    }

    /// Issues a token for this caller.
    ///
    /// # Errors
    ///
    /// Returns an error if a scope contains a space, the token would be too long, or the system has
    /// no random bytes.
    pub fn issue(&self, caller: &Caller) -> Result<IssuedToken, Unexpected> {
        if let Some(scope) = caller.scopes.iter().find(|scope| !is_scope(scope)) {
            return Err(Unexpected::new(format!(
                "{scope:?} cannot be a scope: RFC 6749 section 3.3 lists the characters"
            )));
        }
        let live = self.live();
        let now = self.clock.now().unix();
        let lifetime = self.options.lifetime.as_secs();
        let id = random_id()?;
        let header = json!({ "typ": TYPE, "alg": live.ring.signing_alg(), "kid": live.ring.kid() });
        let mut claims = Map::from_iter([
            ("iss".to_owned(), Value::from(self.options.issuer.as_str())),
            (
                "aud".to_owned(),
                Value::from(self.options.audience.as_str()),
            ),
            ("sub".to_owned(), Value::from(&*caller.subject)),
            ("iat".to_owned(), Value::from(now)),
            (
                "exp".to_owned(),
                Value::from(now.saturating_add_unsigned(lifetime)),
            ),
            ("jti".to_owned(), Value::from(id.as_str())),
            ("scope".to_owned(), Value::from(caller.scopes.join(" "))),
            (
                "roles".to_owned(),
                caller
                    .roles
                    .iter()
                    .map(|role| Value::from(&**role))
                    .collect(),
            ),
        ]);
        if let Some(session) = &caller.session {
            claims.insert("sid".to_owned(), Value::from(&**session));
        }
        if let Some(key) = &caller.key {
            claims.insert("client_id".to_owned(), Value::from(&**key));
        }
        if caller.generation > 0 {
            claims.insert("gen".to_owned(), Value::from(caller.generation));
        }
        let token = compact(&live.ring, &header, &Value::Object(claims))?;
        if token.len() > MAX_TOKEN_BYTES {
            return Err(Unexpected::new(format!(
                "an access token of {} bytes would not be accepted; give the caller fewer scopes or roles",
                token.len()
            )));
        }
        Ok(IssuedToken {
            token,
            expires_in: lifetime,
            id,
        })
    }

    /// Verifies a token with the keys in memory; [`check`](Self::check) reads new ones first.
    ///
    /// # Errors
    ///
    /// Returns the first rule that the token violates: for the log, not for the client.
    pub fn verify(&self, token: &str) -> Result<Arc<Claims>, Rejected> {
        self.verify_at(token, self.clock.now())
    }

    fn verify_at(&self, token: &str, now: Timestamp) -> Result<Arc<Claims>, Rejected> {
        if token.len() > MAX_TOKEN_BYTES {
            return Err(Rejected::TooLong);
        }
        let live = self.live();
        let key = live.cache.key(token);
        if let Some(claims) = live.cache.get(&key) {
            self.check_time(&claims, now)?;
            return Ok(claims);
        }
        let claims = verify::token(&live.ring, &self.options, token)?;
        self.check_time(&claims, now)?;
        let claims = Arc::new(claims);
        live.cache.put(key, Arc::clone(&claims));
        Ok(claims)
    }

    /// Replaces the keys, at once and for every clone. Cache entries of removed keys are dropped.
    pub fn rotate(&self, ring: KeyRing) {
        let mut live = sync::write(&self.live);
        *live = Arc::new(live.with(ring));
    }

    /// Returns the issuer.
    pub fn issuer(&self) -> &str {
        &self.options.issuer
    }

    /// Returns the public keys: see [`KeyRing::jwks`].
    pub fn jwks(&self) -> Value {
        self.live().ring.jwks()
    }

    /// Returns the public keys in the form that is served: see [`KeyRing::key_set`].
    pub fn key_set(&self) -> KeySet {
        self.live().key_set.clone()
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    fn live(&self) -> Arc<Live> {
        Arc::clone(&sync::read(&self.live))
    }

    fn check_time(&self, claims: &Claims, now: Timestamp) -> Result<(), Rejected> {
        let leeway = self.options.leeway;
        if now >= claims.expires_at + leeway {
            return Err(Rejected::Expired);
        }
        // Issued in the future: the clock of the issuer is wrong, or the token was prepared.
        let starts = [Some(claims.issued_at), claims.not_before];
        if starts
            .into_iter()
            .flatten()
            .any(|start| now + leeway < start)
        {
            return Err(Rejected::NotYetValid);
        }
        Ok(())
    }
}

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tokens")
            .field("options", &self.options)
            .field("keys", &self.live().ring)
            .finish_non_exhaustive()
    }
}

/// Assembles header, claims and signature as `a.b.c`.
fn compact(ring: &KeyRing, header: &Value, claims: &Value) -> Result<String, Unexpected> {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let signed = format!("{}.{}", part(header), part(claims));
    let signature = URL_SAFE_NO_PAD.encode(ring.sign(signed.as_bytes())?);
    Ok(format!("{signed}.{signature}"))
}

/// True for a scope of RFC 6749 section 3.3. A space would separate two scopes.
fn is_scope(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|b| matches!(b, b'!' | b'#'..=b'[' | b']'..=b'~'))
}

fn random_id() -> Result<String, Unexpected> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes)?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

/// An option is out of range; the message names it and its range.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BadTokenOptions(&'static str);

impl fmt::Display for BadTokenOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for BadTokenOptions {}

#[cfg(test)]
pub(crate) mod testing;

#[cfg(test)]
mod tests;
