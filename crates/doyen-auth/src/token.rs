//! Access tokens: short-lived signed statements of who is calling (RFC 9068).
//!
//! `docs/decisions/0005-access-tokens.md` says why the compact form is read by hand here and which
//! name the algorithm has.

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

/// The longest token that is issued or read, in bytes.
const LONGEST: usize = 8 << 10;
/// The media type in the header of an access token: it keeps other kinds of token out (RFC 8725
/// section 3.11).
const TYPE: &str = "at+jwt";

/// How tokens are made and checked.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct TokenOptions {
    /// Who issues them: a URL, compared letter by letter.
    pub issuer: String,
    /// Whom they are for: the name of this service, compared letter by letter. A token may name
    /// others too.
    pub audience: String,
    /// How long one is valid. Default 15 minutes, at most a day.
    pub lifetime: Duration,
    /// By how much the clocks of two nodes may differ. Default 5 seconds, at most 60.
    pub leeway: Duration,
}

impl TokenOptions {
    /// The defaults, for this issuer and audience.
    pub fn new(issuer: impl Into<String>, audience: impl Into<String>) -> Self {
        Self {
            issuer: issuer.into(),
            audience: audience.into(),
            lifetime: Duration::from_secs(15 * 60),
            leeway: Duration::from_secs(5),
        }
    }
}

/// Issues and verifies access tokens.
///
/// A token that was verified is remembered, because an Ed25519 check costs some sixty times as much
/// as looking it up. Each look-up compares the times again, and what was verified with a key is
/// forgotten with the key.
///
/// The keys are those of a ring, or, once it [follows](Self::follow) a table, those that all nodes
/// share.
pub struct Tokens {
    options: TokenOptions,
    clock: Arc<dyn Clock>,
    live: RwLock<Arc<Live>>,
    watch: Option<Watch>,
}

/// What a verified token says.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Claims {
    /// Who is calling.
    pub caller: Arc<Caller>,
    /// The token's own id (`jti`).
    pub id: Arc<str>,
    /// When it was issued.
    pub issued_at: Timestamp,
    /// From this point on it is not valid any more.
    pub expires_at: Timestamp,
    not_before: Option<Timestamp>,
    pub(crate) last_use: LastUse,
    /// The name of the key that signed it.
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
    /// With these keys and options.
    ///
    /// # Errors
    ///
    /// An option is out of its range.
    pub fn new(
        ring: KeyRing,
        options: TokenOptions,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, BadTokenOptions> {
        let seconds = options.lifetime.as_secs();
        if seconds == 0 || seconds > 86_400 {
            return Err(BadTokenOptions(
                "the lifetime of an access token must be 1 second to 1 day",
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
    /// A scope is not one word, the token would be longer than is accepted, or the system has no
    /// random bytes.
    pub fn issue(&self, caller: &Caller) -> Result<IssuedToken, Unexpected> {
        if let Some(scope) = caller.scopes.iter().find(|scope| !is_scope(scope)) {
            return Err(Unexpected::new(format!(
                "{scope:?} can not be a scope: RFC 6749 section 3.3 lists the characters"
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
        if token.len() > LONGEST {
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

    /// Verifies a token with the keys at hand; [`check`](Self::check) looks for new ones first.
    ///
    /// # Errors
    ///
    /// The first rule it breaks: for the log, not for the client.
    pub fn verify(&self, token: &str) -> Result<Arc<Claims>, Rejected> {
        self.verify_at(token, self.clock.now())
    }

    fn verify_at(&self, token: &str, now: Timestamp) -> Result<Arc<Claims>, Rejected> {
        if token.len() > LONGEST {
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

    /// Takes other keys into use, at once and for every clone of this. What was verified with a key
    /// that is not among them is forgotten.
    pub fn rotate(&self, ring: KeyRing) {
        let mut live = sync::write(&self.live);
        *live = Arc::new(live.with(ring));
    }

    /// Who issues them.
    pub fn issuer(&self) -> &str {
        &self.options.issuer
    }

    /// The public keys: see [`KeyRing::jwks`].
    pub fn jwks(&self) -> Value {
        self.live().ring.jwks()
    }

    /// The public keys as they are served: see [`KeyRing::key_set`].
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

/// Header, claims and signature as `a.b.c`.
fn compact(ring: &KeyRing, header: &Value, claims: &Value) -> Result<String, Unexpected> {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let signed = format!("{}.{}", part(header), part(claims));
    let signature = URL_SAFE_NO_PAD.encode(ring.sign(signed.as_bytes())?);
    Ok(format!("{signed}.{signature}"))
}

/// A word as RFC 6749 section 3.3 has it. A space in one would make two.
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

/// An option is out of its range; the message says which and what it may be.
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
