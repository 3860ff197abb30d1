//! What all requests share.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use doyen_auth::REVOKED;
use doyen_core::inject::{BoxFuture, Container, Context, Inject, RequestFacts};
use doyen_core::{Access, Clock, Refusal, Timestamp, Unexpected};
use doyen_data::sea_orm::DbBackend;
use doyen_data::{Database, Session};

use super::secrets::Keys;
use super::{Revocations, SessionId, SessionSettings, SessionStore};
use crate::account_keys::AccountKeys;
use crate::{UserRecord, Users};

/// How often sessions that are over are deleted.
const PRUNE: Duration = Duration::from_secs(3_600);
/// How long one stays after its end: whoever still has its token is told the same as before.
const KEPT: Duration = Duration::from_secs(86_400);

/// The parts of sessions that live as long as the application.
pub struct SessionEngine {
    pub(crate) database: Database,
    pub(crate) store: Arc<dyn SessionStore>,
    pub(crate) revocations: Arc<Revocations>,
    pub(crate) settings: Arc<SessionSettings>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) keys: Keys,
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
    /// Of these parts.
    pub(crate) fn new(
        database: Database,
        store: Arc<dyn SessionStore>,
        revocations: Arc<Revocations>,
        settings: Arc<SessionSettings>,
        clock: Arc<dyn Clock>,
        keys: &AccountKeys,
    ) -> Self {
        Self {
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

    /// Gives it the application's graph, once that is built: users are asked for outside of a request too.
    pub fn connect(&self, container: Container) {
        // Wired before: the same graph.
        let _ = self.container.set(container);
    }

    /// What was revoked.
    pub fn revocations(&self) -> Arc<Revocations> {
        Arc::clone(&self.revocations)
    }

    /// A user who is not disabled, read outside of any unit of work.
    pub(crate) async fn user(&self, subject: &str) -> Result<Option<UserRecord>, Unexpected> {
        let Some(container) = self.container.get() else {
            return Err(Unexpected::new("the sessions were not given the graph"));
        };
        let context = container.context_of(RequestFacts {
            access: Some(Access::Read),
            caller: Some(None),
            ..RequestFacts::default()
        });
        let found = match made::<Arc<dyn Users>>(context.clone()).await {
            Ok(users) => users.by_subject(subject).await,
            Err(refusal) => Err(Unexpected::known(refusal.info(), format!("{refusal:?}"))),
        };
        context.close().await;
        Ok(found?.filter(|user| !user.disabled))
    }

    /// Ends a session and refuses its tokens; false when it was over before.
    pub(crate) async fn end(&self, work: &Session, id: SessionId) -> Result<bool, Unexpected> {
        let ended = self.store.end(work, id, self.clock.now()).await?;
        // Even when it was over: an end that was undone half-way is finished by the next one.
        self.revocations
            .revoke(work, &id.to_string(), REVOKED)
            .await?;
        Ok(ended)
    }

    /// One after the other for each subject, until the unit of work ends: a session that begins sees the rights of its owner as they are,
    /// and whoever changes those sees every session.
    pub(crate) async fn alone(&self, work: &Session, subject: &str) -> Result<(), Unexpected> {
        match work.backend() {
            DbBackend::Postgres => {
                let sql =
                    "SELECT pg_advisory_xact_lock(hashtextextended('auth_sessions ' || $1, 0))";
                work.execute_sql(sql, [subject.into()]).await?;
            }
            // The first statement waits for the one writer there is.
            _ => drop(work.execute_sql("SELECT 1", []).await?),
        }
        Ok(())
    }

    /// Until when a session is good that is used now.
    pub(crate) fn idle_until(&self, absolute: Timestamp) -> Timestamp {
        absolute.min(self.clock.now() + self.settings.idle)
    }

    /// Deletes what is long over, now and then.
    pub(crate) async fn prune(&self, work: &Session) -> Result<(), Unexpected> {
        let now = self.clock.now();
        let last = self.pruned.load(Ordering::Relaxed);
        let due = last == i64::MIN || now.since(Timestamp::from_micros(last)) >= PRUNE;
        let mine = due
            && self
                .pruned
                .compare_exchange(last, now.micros(), Ordering::Relaxed, Ordering::Relaxed)
                .is_ok();
        if mine {
            self.store.prune(work, now - KEPT).await?;
        }
        Ok(())
    }
}

/// A value of the graph. Generic and on the heap: of the future itself the compiler can not tell here that it is `Send`.
fn made<T: Inject>(context: Context) -> BoxFuture<'static, Result<T, Refusal>> {
    Box::pin(async move { context.get::<T>().await })
}
