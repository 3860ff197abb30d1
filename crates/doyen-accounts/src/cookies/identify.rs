//! Identifies callers by their session cookie.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use doyen_core::problem::UNAVAILABLE;
use doyen_core::{
    Access, Caller, CredentialHeader, Identify, Problem, ProblemInfo, Refusal, RequestCredentials,
    SecurityEvent, Unexpected, security,
};

use super::cache::{CachedSession, SessionCache};
use super::{Provenance, cookie};
use crate::security::SecurityWriter;
use crate::sessions::{
    Seen, SessionEngine, SessionId, SessionKind, SessionRecord, caller, secrets,
};

/// Minimum time between two updates of the last use.
const TOUCH_INTERVAL: Duration = Duration::from_secs(60);

/// The session of this cookie has ended. Log in again.
#[derive(Debug, Problem)]
#[problem(unauthenticated)]
pub struct InvalidSession;

/// The CSRF check failed. Send the CSRF token of the session as `X-CSRF-Token`, from a page of the
/// same origin. The operation `auth_csrf` returns the token.
#[derive(Debug, Problem)]
#[problem(forbidden)]
pub struct CsrfFailed;

/// Identifies callers by the cookie of their session. See the head of `cookies`.
pub struct CookieSessions {
    engine: Arc<SessionEngine>,
    log: Arc<SecurityWriter>,
    known: SessionCache,
}

impl std::fmt::Debug for CookieSessions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CookieSessions").finish_non_exhaustive()
    }
}

impl CookieSessions {
    /// Creates it for these sessions.
    pub fn new(engine: Arc<SessionEngine>, log: Arc<SecurityWriter>) -> Self {
        Self {
            engine,
            log,
            known: SessionCache::default(),
        }
    }

    /// Returns the session of a valid cookie, from the cache or the store.
    async fn session(
        &self,
        id: SessionId,
        secret: &secrets::Secret,
    ) -> Result<Option<CachedSession>, Unexpected> {
        if let Some(found) = self.known.get(id) {
            if !self.fits(&found.record, secret) {
                return Ok(None);
            }
            if self.permits(&found).await? {
                return Ok(Some(found));
            }
            // Ended or changed: read it from the store.
            self.known.forget(id);
        }
        let Some(found) = self.look_up(id, secret).await? else {
            return Ok(None);
        };
        if !self.permits(&found).await? {
            return Ok(None);
        }
        self.known.put(found.clone());
        Ok(Some(found))
    }

    async fn look_up(
        &self,
        id: SessionId,
        secret: &secrets::Secret,
    ) -> Result<Option<CachedSession>, Unexpected> {
        let looked_up = Instant::now();
        let work = self.engine.database.session(Access::Read);
        let Some(record) = self.engine.store.find(&work, id).await? else {
            return Ok(None);
        };
        if record.kind != SessionKind::Cookie || !self.fits(&record, secret) {
            return Ok(None);
        }
        let Some(user) = self.engine.user(&record.subject).await? else {
            return Ok(None);
        };
        let caller = Arc::new(caller(&record, &user));
        Ok(Some(CachedSession {
            record: Arc::new(record),
            caller,
            looked_up,
        }))
    }

    fn fits(&self, record: &SessionRecord, secret: &secrets::Secret) -> bool {
        record.is_live(self.engine.clock.now())
            && secrets::same(&secrets::hash(secret), &record.secret_hash)
    }

    async fn permits(&self, found: &CachedSession) -> Result<bool, Unexpected> {
        self.engine.revocations.list().permits(&found.caller).await
    }

    /// Updates the last use, in the background.
    fn touch(&self, found: &CachedSession, address: Option<IpAddr>) {
        let now = self.engine.clock.now();
        let record = &found.record;
        self.engine.uses.note(record.id, address, now, now);
        if now.since(record.seen_at) < TOUCH_INTERVAL {
            return;
        }
        let seen = Seen {
            at: now,
            address: address.map(|address| address.to_string()),
            idle_until: self.engine.idle_until(record.absolute_until),
        };
        self.known.put(CachedSession {
            record: Arc::new(SessionRecord {
                seen_at: seen.at,
                idle_until: seen.idle_until,
                ..SessionRecord::clone(record)
            }),
            ..found.clone()
        });
        let (engine, id) = (Arc::clone(&self.engine), record.id);
        drop(tokio::spawn(async move {
            let work = engine.database.session(Access::Write);
            let written = match engine.store.touch(&work, id, &seen).await {
                Ok(()) => work.commit().await,
                Err(error) => Err(error),
            };
            if let Err(error) = written {
                tracing::warn!(error = %error.error(), "it could not be written down that a session is in use");
            }
        }));
    }

    fn refuse(&self, caller: &Caller, address: Option<IpAddr>, why: &'static str) -> Refusal {
        let mut event = SecurityEvent::new(security::CSRF_REFUSED)
            .subject(&caller.subject)
            .from(address, None)
            .detail("why", why);
        event.session.clone_from(&caller.session);
        self.log.write(event);
        CsrfFailed.into()
    }
}

#[async_trait::async_trait]
impl Identify for CookieSessions {
    async fn identify(
        &self,
        credentials: RequestCredentials<'_>,
    ) -> Result<Option<Arc<Caller>>, Refusal> {
        let Some(value) = credentials.cookie.and_then(cookie::find) else {
            return Ok(None);
        };
        let Some((id, secret)) = secrets::parse_cookie(value) else {
            return Err(InvalidSession.into());
        };
        let Some(found) = self.session(id, &secret).await? else {
            return Err(InvalidSession.into());
        };
        if !credentials.safe {
            if !Provenance::of(&credentials).is_own() {
                return Err(self.refuse(&found.caller, credentials.address, "origin"));
            }
            let given = credentials.csrf.unwrap_or_default();
            if !self.engine.keys.is_csrf(&id.to_string(), given) {
                return Err(self.refuse(&found.caller, credentials.address, "token"));
            }
        }
        self.touch(&found, credentials.address);
        Ok(Some(found.caller))
    }

    /// `Origin` and `X-CSRF-Token` are not among them: they are read for unsafe methods only, and
    /// caches do not reuse the responses to those.
    fn credential_headers(&self) -> Vec<CredentialHeader> {
        vec![CredentialHeader::Cookie]
    }

    fn problems(&self) -> Vec<&'static ProblemInfo> {
        let mut all = InvalidSession::catalogue();
        all.extend(CsrfFailed::catalogue());
        all.push(&UNAVAILABLE);
        all
    }
}
