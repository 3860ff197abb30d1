//! Sessions: open, refresh, end.

use std::sync::Arc;

use doyen_auth::Tokens;
use doyen_core::{
    Access, Caller, Inject, SecurityEvent, SecurityLog, Timestamp, Unexpected, security,
};
use doyen_data::Session;
use doyen_web::Client;

use super::family::{RotationVerdict, evaluate};
use super::secrets::{self, Presented, Secret};
use super::{
    InvalidGrant, Refresh, Rotation, Seen, SessionEngine, SessionId, SessionKind, SessionRecord,
};
use crate::{UserRecord, Users};

/// Maximum number of sessions of a user. A further one ends the least recently used.
const MAX_SESSIONS: usize = 100;
/// Maximum number of attempts when concurrent requests change the session. Only a faulty store
/// reaches it.
const MAX_ROTATION_ATTEMPTS: u32 = 100;

/// Login sessions, in the unit of work of a request. Inject it into a handler or a service.
///
/// | when | call |
/// | --- | --- |
/// | a user was disabled or deleted | [`end_all`](Self::end_all) |
/// | the roles or scopes of a user changed | [`refresh_rights`](Self::refresh_rights) |
/// | a user logged in by a method of your own | [`open`](Self::open) |
///
/// Call it after the change, in the same unit of work. A session that is opened at the same moment
/// either sees the change or is seen by this call. It takes effect with the commit on this node,
/// and within five seconds on the others.
#[derive(Clone, Inject)]
pub struct Sessions {
    work: Session,
    engine: Arc<SessionEngine>,
    users: Arc<dyn Users>,
    tokens: Arc<Tokens>,
    log: Arc<dyn SecurityLog>,
}

impl std::fmt::Debug for Sessions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sessions").finish_non_exhaustive()
    }
}

/// A session with its secret, which is shown only once.
pub struct OpenSession {
    /// The session.
    pub record: SessionRecord,
    /// The current data of its owner.
    pub user: UserRecord,
    pub(crate) secret: Secret,
}

impl std::fmt::Debug for OpenSession {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OpenSession")
            .field("record", &self.record)
            .finish_non_exhaustive()
    }
}

impl Sessions {
    /// Opens a session for an authenticated user. Returns `None` if the user was disabled or has
    /// another password since `proved` was read.
    ///
    /// # Errors
    ///
    /// Returns an error if the database or the store fails.
    pub async fn open(
        &self,
        proved: &UserRecord,
        kind: SessionKind,
        client: &Client,
    ) -> Result<Option<OpenSession>, Unexpected> {
        let engine = &self.engine;
        engine.lock_subject(&self.work, &proved.subject).await?;
        let Some(user) = self.live_user(&proved.subject).await? else {
            return Ok(None);
        };
        if user.password_hash != proved.password_hash {
            return Ok(None);
        }
        self.enforce_limit(&user.subject).await?;
        let now = engine.clock.now();
        let absolute_until = now + engine.settings.absolute;
        let (id, salt) = (SessionId::new(), secrets::random()?);
        let secret = match kind {
            SessionKind::Bearer => engine.keys.secret(id, 0, &salt),
            // Never returned again, so it need not be derived.
            SessionKind::Cookie => secrets::random()?,
        };
        let address = client.address.map(|address| address.to_string());
        let record = SessionRecord {
            id,
            subject: Arc::clone(&user.subject),
            kind,
            generation: 0,
            name: None,
            agent: client.agent.clone(),
            created_at: now,
            created_address: address.clone(),
            seen_at: now,
            seen_address: address,
            idle_until: engine.idle_until(absolute_until),
            absolute_until,
            ended_at: None,
            counter: 0,
            salt,
            secret_hash: secrets::hash(&secret),
            previous_hash: None,
            spent_at: None,
        };
        engine.store.insert(&self.work, &record).await?;
        engine.prune(&self.work).await?;
        Ok(Some(OpenSession {
            record,
            user,
            secret,
        }))
    }

    /// Exchanges a refresh token for its successor. See `family` for the rules.
    pub(crate) async fn refresh(
        &self,
        token: &str,
        client: &Client,
    ) -> Result<OpenSession, Refresh> {
        let Some(token) = Presented::parse(token) else {
            return Err(InvalidGrant.into());
        };
        let engine = &self.engine;
        // Outside of the transaction, so that an invalid token begins none.
        let mut found = engine.store.find(&self.work.autocommit(), token.id).await?;
        for _ in 0..MAX_ROTATION_ATTEMPTS {
            let record = found.ok_or(InvalidGrant)?;
            let now = engine.clock.now();
            let grace = engine.settings.refresh_grace;
            let verdict = evaluate(&record, &token, &engine.keys, now, grace);
            match verdict {
                RotationVerdict::Invalid => return Err(InvalidGrant.into()),
                RotationVerdict::Reused => {
                    self.end_in_own_transaction(
                        &record,
                        security::REFRESH_REUSED,
                        "reused",
                        client,
                    )
                    .await?;
                    return Err(InvalidGrant.into());
                }
                RotationVerdict::Rotate | RotationVerdict::Repeat => {}
            }
            let Some(user) = self.live_user(&record.subject).await? else {
                self.end_in_own_transaction(&record, security::SESSION_REVOKED, "owner", client)
                    .await?;
                return Err(InvalidGrant.into());
            };
            let again = verdict == RotationVerdict::Repeat;
            let counter = if again {
                record.counter
            } else {
                token.counter + 1
            };
            let secret = engine.keys.secret(record.id, counter, &record.salt);
            let hash = secrets::hash(&secret);
            if again {
                // After a change of the seed the successor cannot be derived again.
                if !secrets::same(&hash, &record.secret_hash) {
                    return Err(InvalidGrant.into());
                }
                return Ok(OpenSession {
                    record,
                    user,
                    secret,
                });
            }
            let rotation = Rotation {
                counter,
                secret_hash: hash,
                previous_hash: secrets::hash(&token.secret),
                seen: self.seen(&record, now, client),
            };
            if engine.store.rotate(&self.work, &record, &rotation).await? {
                let record = SessionRecord { counter, ..record };
                return Ok(OpenSession {
                    record,
                    user,
                    secret,
                });
            }
            // A concurrent request was first: read the session again.
            found = engine.store.find(&self.work, token.id).await?;
        }
        Err(Unexpected::unavailable("a session changed faster than it could be read").into())
    }

    /// Issues an access token for a session, with the current rights of its owner.
    ///
    /// # Errors
    ///
    /// Returns an error if the rights do not fit into a token.
    pub fn access_token(
        &self,
        record: &SessionRecord,
        user: &UserRecord,
    ) -> Result<doyen_auth::IssuedToken, Unexpected> {
        self.tokens.issue(&caller(record, user))
    }

    /// Returns the live sessions of a subject, the newest first.
    ///
    /// # Errors
    ///
    /// Returns an error if the store fails.
    pub async fn list(&self, subject: &str) -> Result<Vec<SessionRecord>, Unexpected> {
        let now = self.engine.clock.now();
        self.engine.store.of(&self.work, subject, now).await
    }

    /// Ends a session of this subject. Returns false if there is none with this id.
    ///
    /// # Errors
    ///
    /// Returns an error if the store or the database fails.
    pub async fn end(&self, subject: &str, id: SessionId) -> Result<bool, Unexpected> {
        let found = self.engine.store.find(&self.work, id).await?;
        let now = self.engine.clock.now();
        match found {
            Some(record) if *record.subject == *subject && record.is_live(now) => {
                self.engine.end(&self.work, id).await
            }
            _ => Ok(false),
        }
    }

    /// Ends every session of this subject and returns their number: for a user who was disabled or
    /// deleted, or whose password was reset.
    ///
    /// # Errors
    ///
    /// Returns an error if the store or the database fails.
    pub async fn end_all(&self, subject: &str) -> Result<usize, Unexpected> {
        self.end_except(subject, None).await
    }

    /// Ends every session of this subject except one.
    ///
    /// # Errors
    ///
    /// Returns an error if the store or the database fails.
    pub async fn end_others(&self, subject: &str, keep: SessionId) -> Result<usize, Unexpected> {
        self.end_except(subject, Some(keep)).await
    }

    async fn end_except(
        &self,
        subject: &str,
        keep: Option<SessionId>,
    ) -> Result<usize, Unexpected> {
        self.engine.lock_subject(&self.work, subject).await?;
        let mut ended = 0;
        for record in self.list(subject).await? {
            if Some(record.id) != keep && self.engine.end(&self.work, record.id).await? {
                ended += 1;
            }
        }
        Ok(ended)
    }

    /// Revokes every access token of this subject, whose rights have changed. The sessions
    /// continue, and the next refresh returns the new rights. Returns the number of sessions.
    ///
    /// # Errors
    ///
    /// Returns an error if the store or the database fails.
    pub async fn refresh_rights(&self, subject: &str) -> Result<usize, Unexpected> {
        let engine = &self.engine;
        engine.lock_subject(&self.work, subject).await?;
        let mut count = 0;
        for record in self.list(subject).await? {
            if let Some(generation) = engine.store.bump_generation(&self.work, record.id).await? {
                engine
                    .revocations
                    .revoke(&self.work, &record.id.to_string(), generation)
                    .await?;
                count += 1;
            }
        }
        Ok(count)
    }

    /// Renames a session. Returns `None` if this subject has none with this id.
    pub(crate) async fn rename(
        &self,
        subject: &str,
        id: SessionId,
        name: Option<&str>,
    ) -> Result<Option<SessionRecord>, Unexpected> {
        let store = &self.engine.store;
        if !store.rename(&self.work, subject, id, name).await? {
            return Ok(None);
        }
        let now = self.engine.clock.now();
        let found = store.find(&self.work, id).await?;
        Ok(found.filter(|record| record.is_live(now)))
    }

    /// Locks the sessions of a subject until the end of the transaction.
    pub(crate) async fn lock_subject(&self, subject: &str) -> Result<(), Unexpected> {
        self.engine.lock_subject(&self.work, subject).await
    }

    /// Returns the session with this id, of any user.
    pub(crate) async fn find(&self, id: SessionId) -> Result<Option<SessionRecord>, Unexpected> {
        self.engine.store.find(&self.work, id).await
    }

    /// Returns the CSRF token of a session.
    pub(crate) fn csrf_token(&self, session: SessionId) -> String {
        self.engine.keys.csrf(&session.to_string())
    }

    /// Ends a session although the request fails and is rolled back. The request is rolled back
    /// first, because on SQLite it may hold the only writer.
    async fn end_in_own_transaction(
        &self,
        record: &SessionRecord,
        event: &'static str,
        why: &'static str,
        client: &Client,
    ) -> Result<(), Unexpected> {
        self.work.rollback().await;
        let own = self.engine.database.session(Access::Write);
        let ended = self.engine.end(&own, record.id).await?;
        own.commit().await?;
        if ended {
            let event = SecurityEvent::new(event)
                .subject(&record.subject)
                .session(&record.id.to_string())
                .from(client.address, client.agent.as_deref())
                .detail("why", why);
            self.log.record(event);
        }
        Ok(())
    }

    async fn live_user(&self, subject: &str) -> Result<Option<UserRecord>, Unexpected> {
        let user = self.users.by_subject(subject).await?;
        Ok(user.filter(|user| !user.disabled))
    }

    async fn enforce_limit(&self, subject: &str) -> Result<(), Unexpected> {
        let mut live = self.list(subject).await?;
        // The store knows uses to the minute, this node to the second.
        let last_use = |record: &SessionRecord| {
            let here = self.engine.uses.last(record.id);
            here.unwrap_or(record.seen_at).max(record.seen_at)
        };
        live.sort_by_key(|record| std::cmp::Reverse(last_use(record)));
        for record in live.iter().skip(MAX_SESSIONS - 1) {
            self.engine.end(&self.work, record.id).await?;
        }
        Ok(())
    }

    fn seen(&self, record: &SessionRecord, now: Timestamp, client: &Client) -> Seen {
        Seen {
            at: now,
            address: client.address.map(|address| address.to_string()),
            idle_until: self.engine.idle_until(record.absolute_until),
        }
    }
}

/// Returns the caller of a session.
pub(crate) fn caller(record: &SessionRecord, user: &UserRecord) -> Caller {
    let mut caller = user.caller();
    caller.session = Some(record.id.to_string().into());
    caller.generation = record.generation;
    caller
}
