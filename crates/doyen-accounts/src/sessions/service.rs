//! Sessions: open, refresh, end.

use std::sync::Arc;

use doyen_auth::Tokens;
use doyen_core::{
    Access, Caller, Inject, SecurityEvent, SecurityLog, Timestamp, Unexpected, security,
};
use doyen_data::Session;
use doyen_web::Client;

use super::family::{Worth, worth};
use super::secrets::{self, Presented, Secret};
use super::{
    InvalidGrant, Refresh, Rotation, Seen, SessionEngine, SessionId, SessionKind, SessionRecord,
};
use crate::{UserRecord, Users};

/// The most sessions somebody has at once. One more ends the one that was used the longest time ago.
const MOST: usize = 100;
/// How often a refresh looks again when others change its session at the same time. Each of them succeeds, so this is never reached but by
/// a store that lies.
const ATTEMPTS: u32 = 100;

/// Login sessions, within the unit of work of a request. Ask for it in a handler or a service.
///
/// | when | call |
/// | --- | --- |
/// | somebody was disabled or deleted | [`end_all`](Self::end_all) |
/// | somebody has other roles or scopes | [`refresh_rights`](Self::refresh_rights) |
/// | somebody logged in by a way of your own | [`open`](Self::open) |
///
/// Call it after the change, in the same unit of work: what a session that begins at the same moment sees is then either the change, or it
/// is seen by this. On the node of the call it counts with the commit, on the others at most five seconds later.
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

/// A session as its owner gets it: with its secret, this once.
pub struct OpenSession {
    /// The session.
    pub record: SessionRecord,
    /// Its owner, as they are now.
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
    /// Begins a session for a user who has proved who they are. `None` when they were disabled, or have another password, since they were
    /// read: then they have proved nothing.
    ///
    /// # Errors
    ///
    /// The database's, or the store's.
    pub async fn open(
        &self,
        proved: &UserRecord,
        kind: SessionKind,
        client: &Client,
    ) -> Result<Option<OpenSession>, Unexpected> {
        let engine = &self.engine;
        engine.alone(&self.work, &proved.subject).await?;
        let Some(user) = self.live_user(&proved.subject).await? else {
            return Ok(None);
        };
        if user.password_hash != proved.password_hash {
            return Ok(None);
        }
        self.make_room(&user.subject).await?;
        let now = engine.clock.now();
        let absolute_until = now + engine.settings.absolute;
        let (id, salt) = (SessionId::new(), secrets::random()?);
        let secret = match kind {
            SessionKind::Bearer => engine.keys.secret(id, 0, &salt),
            // Never given a second time, so nothing needs to make it again.
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

    /// Spends a refresh token for its successor. See `family` for what a token is worth.
    pub(crate) async fn refresh(
        &self,
        token: &str,
        client: &Client,
    ) -> Result<OpenSession, Refresh> {
        let Some(token) = Presented::parse(token) else {
            return Err(InvalidGrant.into());
        };
        let engine = &self.engine;
        // Beside the unit of work: a token that is worth nothing opens no transaction.
        let mut found = engine.store.find(&self.work.autocommit(), token.id).await?;
        for _ in 0..ATTEMPTS {
            let record = found.ok_or(InvalidGrant)?;
            let now = engine.clock.now();
            let grace = engine.settings.refresh_grace;
            let worth = worth(&record, &token, &engine.keys, now, grace);
            match worth {
                Worth::Nothing => return Err(InvalidGrant.into()),
                Worth::Reused => {
                    self.end_beside(&record, security::REFRESH_REUSED, "reused", client)
                        .await?;
                    return Err(InvalidGrant.into());
                }
                Worth::Successor | Worth::SameSuccessor => {}
            }
            let Some(user) = self.live_user(&record.subject).await? else {
                self.end_beside(&record, security::SESSION_REVOKED, "owner", client)
                    .await?;
                return Err(InvalidGrant.into());
            };
            let again = worth == Worth::SameSuccessor;
            let counter = if again {
                record.counter
            } else {
                token.counter + 1
            };
            let secret = engine.keys.secret(record.id, counter, &record.salt);
            let hash = secrets::hash(&secret);
            if again {
                // Another seed makes another successor: the one that counts can not be made again.
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
            // Another was first. What the token is worth now, and to whom it belongs, is looked at anew.
            found = engine.store.find(&self.work, token.id).await?;
        }
        Err(Unexpected::unavailable("a session changed faster than it could be read").into())
    }

    /// The access token of a session, for its owner as they are now.
    ///
    /// # Errors
    ///
    /// The rights do not fit into a token.
    pub fn access_token(
        &self,
        record: &SessionRecord,
        user: &UserRecord,
    ) -> Result<doyen_auth::IssuedToken, Unexpected> {
        self.tokens.issue(&caller(record, user))
    }

    /// The sessions of somebody that are live, the newest first.
    ///
    /// # Errors
    ///
    /// The store's.
    pub async fn list(&self, subject: &str) -> Result<Vec<SessionRecord>, Unexpected> {
        let now = self.engine.clock.now();
        self.engine.store.of(&self.work, subject, now).await
    }

    /// Ends a session of this subject; false when they have no such session.
    ///
    /// # Errors
    ///
    /// The store's or the database's.
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

    /// Ends every session of this subject: they are disabled, deleted, or lost their password. Gives how many there were.
    ///
    /// # Errors
    ///
    /// The store's or the database's.
    pub async fn end_all(&self, subject: &str) -> Result<usize, Unexpected> {
        self.end_but(subject, None).await
    }

    /// Ends every session of this subject but one.
    ///
    /// # Errors
    ///
    /// The store's or the database's.
    pub async fn end_others(&self, subject: &str, keep: SessionId) -> Result<usize, Unexpected> {
        self.end_but(subject, Some(keep)).await
    }

    async fn end_but(&self, subject: &str, keep: Option<SessionId>) -> Result<usize, Unexpected> {
        self.engine.alone(&self.work, subject).await?;
        let mut ended = 0;
        for record in self.list(subject).await? {
            if Some(record.id) != keep && self.engine.end(&self.work, record.id).await? {
                ended += 1;
            }
        }
        Ok(ended)
    }

    /// Refuses every access token this subject has: they have other rights now. Their sessions go on, and the next refresh gives the new
    /// rights. Gives how many sessions there are.
    ///
    /// # Errors
    ///
    /// The store's or the database's.
    pub async fn refresh_rights(&self, subject: &str) -> Result<usize, Unexpected> {
        let engine = &self.engine;
        engine.alone(&self.work, subject).await?;
        let mut raised = 0;
        for record in self.list(subject).await? {
            if let Some(generation) = engine.store.raise(&self.work, record.id).await? {
                engine
                    .revocations
                    .revoke(&self.work, &record.id.to_string(), generation)
                    .await?;
                raised += 1;
            }
        }
        Ok(raised)
    }

    /// Gives a session another name; false when this subject has no such session.
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

    /// From here to the end of the unit of work nobody else begins or ends a session of this subject.
    pub(crate) async fn alone(&self, subject: &str) -> Result<(), Unexpected> {
        self.engine.alone(&self.work, subject).await
    }

    /// One session, whoever's.
    pub(crate) async fn find(&self, id: SessionId) -> Result<Option<SessionRecord>, Unexpected> {
        self.engine.store.find(&self.work, id).await
    }

    /// What the pages of a session with a cookie send back.
    pub(crate) fn csrf_token(&self, session: SessionId) -> String {
        self.engine.keys.csrf(&session.to_string())
    }

    /// Ends a session although the answer is an error, which undoes the unit of work of the request. On SQLite that one would hold the one
    /// writer there is, so it is given up first.
    async fn end_beside(
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

    async fn make_room(&self, subject: &str) -> Result<(), Unexpected> {
        let mut live = self.list(subject).await?;
        live.sort_by_key(|record| std::cmp::Reverse(record.seen_at));
        for record in live.iter().skip(MOST - 1) {
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

/// The caller behind a session.
pub(crate) fn caller(record: &SessionRecord, user: &UserRecord) -> Caller {
    let mut caller = user.caller();
    caller.session = Some(record.id.to_string().into());
    caller.generation = record.generation;
    caller
}
