//! The parts of sessions that all requests share.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use doyen_auth::REVOKED;
use doyen_core::inject::{Container, RequestFacts};
use doyen_core::{Access, Clock, Timestamp, Unexpected};
use doyen_data::sea_orm::DbBackend;
use doyen_data::{Database, Session};

use super::secrets::Keys;
use super::{Revocations, SessionId, SessionSettings, SessionStore, SessionUses};
use crate::account_keys::AccountKeys;
use crate::resolve::resolve;
use crate::{UserRecord, Users};

/// Minimum time between two deletions of old sessions.
const PRUNE_INTERVAL: Duration = Duration::from_secs(3_600);
/// How long an ended session is kept, so that its tokens get the same response.
const ENDED_RETENTION: Duration = Duration::from_secs(86_400);

/// The parts of sessions that live as long as the application.
pub struct SessionEngine {
    pub(crate) database: Database,
    pub(crate) store: Arc<dyn SessionStore>,
    pub(crate) revocations: Arc<Revocations>,
    pub(crate) settings: Arc<SessionSettings>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) keys: Keys,
    pub(crate) uses: Arc<SessionUses>,
    pruned: AtomicI64,
    container: OnceLock<Container>,
}

impl std::fmt::Debug for SessionEngine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SessionEngine")
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}

impl SessionEngine {
    /// Creates it from its parts.
    pub(crate) fn new(
        database: Database,
        store: Arc<dyn SessionStore>,
        revocations: Arc<Revocations>,
        settings: Arc<SessionSettings>,
        clock: Arc<dyn Clock>,
        keys: &AccountKeys,
    ) -> Self {
        let uses = SessionUses::new(database.clone(), Arc::clone(&store), settings.idle);
        Self {
            uses: Arc::new(uses),
            database,
            store,
            revocations,
            settings,
            clock,
            keys: Keys::new(keys),
            pruned: AtomicI64::new(i64::MIN),
            container: OnceLock::new(),
        }
    }

    /// Sets the injection graph when it is built: users are read outside of requests too.
    pub fn connect(&self, container: Container) {
        // Set before: it is the same graph.
        let _ = self.container.set(container);
    }

    /// Waits until every use of a session so far is recorded.
    pub async fn flush(&self) {
        self.uses.flush().await;
    }

    /// Returns the revocations.
    pub fn revocations(&self) -> Arc<Revocations> {
        Arc::clone(&self.revocations)
    }

    /// Returns a user who is not disabled, read outside of any transaction.
    pub(crate) async fn user(&self, subject: &str) -> Result<Option<UserRecord>, Unexpected> {
        let Some(container) = self.container.get() else {
            return Err(Unexpected::new("the sessions were not given the graph"));
        };
        let context = container.context_of(RequestFacts {
            access: Some(Access::Read),
            caller: Some(None),
            ..RequestFacts::default()
        });
        let found = match resolve::<Arc<dyn Users>>(context.clone()).await {
            Ok(users) => users.by_subject(subject).await,
            Err(refusal) => Err(Unexpected::known(refusal.info(), format!("{refusal:?}"))),
        };
        context.close().await;
        Ok(found?.filter(|user| !user.disabled))
    }

    /// Ends a session and revokes its tokens. Returns false if it had ended before.
    pub(crate) async fn end(&self, work: &Session, id: SessionId) -> Result<bool, Unexpected> {
        let ended = self.store.end(work, id, self.clock.now()).await?;
        // Also if it had ended, which completes an end that was interrupted.
        self.revocations
            .revoke(work, &id.to_string(), REVOKED)
            .await?;
        Ok(ended)
    }

    /// Locks the sessions of a subject until the end of the transaction: a new session sees the
    /// current rights of its owner, and a change of rights sees every session.
    pub(crate) async fn lock_subject(
        &self,
        work: &Session,
        subject: &str,
    ) -> Result<(), Unexpected> {
        match work.backend() {
            DbBackend::Postgres => {
                let sql =
                    "SELECT pg_advisory_xact_lock(hashtextextended('auth_sessions ' || $1, 0))";
                work.execute_sql(sql, [subject.into()]).await?;
            }
            // The first statement waits for the only writer.
            _ => drop(work.execute_sql("SELECT 1", []).await?),
        }
        Ok(())
    }

    /// Returns the time until which a session is valid that is used now.
    pub(crate) fn idle_until(&self, absolute: Timestamp) -> Timestamp {
        absolute.min(self.clock.now() + self.settings.idle)
    }

    /// Deletes old sessions now and then.
    pub(crate) async fn prune(&self, work: &Session) -> Result<(), Unexpected> {
        let now = self.clock.now();
        let last = self.pruned.load(Ordering::Relaxed);
        let due = last == i64::MIN || now.since(Timestamp::from_micros(last)) >= PRUNE_INTERVAL;
        let mine = due
            && self
                .pruned
                .compare_exchange(last, now.micros(), Ordering::Relaxed, Ordering::Relaxed)
                .is_ok();
        if mine {
            self.store.prune(work, now - ENDED_RETENTION).await?;
        }
        Ok(())
    }
}
