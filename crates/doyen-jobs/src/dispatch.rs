//! How waiting workers learn of new jobs: `jobs.dispatch`.
//!
//! | setting | a new job |
//! | --- | --- |
//! | `sql` | wakes the workers of this process and, on PostgreSQL, of all others (`Session::wake`) |
//! | `redis` | puts a token into a list of Redis, which one worker with a free place takes |
//!
//! **The row is the truth.** A token carries no data: the worker that takes it claims rows as ever.
//! A lost token, or one that its worker cannot use, delays a job until the next poll. If Redis does
//! not take a token, the workers are woken as with `sql`.

#[cfg(feature = "redis")]
use std::sync::Arc;

use doyen_app::{Registrar, SetupError};
#[cfg(feature = "redis")]
use doyen_app::{Shutdown, TaskKind};
use doyen_data::Session;

#[cfg(feature = "redis")]
use crate::redis::RedisDispatch;
use crate::settings::DispatchKind;
use crate::store::CHANNEL;

/// The dispatch that the settings select.
#[derive(Clone)]
pub(crate) enum Dispatch {
    Sql,
    #[cfg(feature = "redis")]
    Redis(Arc<RedisDispatch>),
}

impl Dispatch {
    /// Returns the dispatch that the setting selects, and registers its task.
    #[cfg(feature = "redis")]
    pub(crate) fn of(kind: DispatchKind, app: &mut Registrar<'_>) -> Self {
        if kind == DispatchKind::Sql {
            return Dispatch::Sql;
        }
        let Some(redis) = app.redis() else {
            let message = "`redis` needs the setting `redis.url`: set it, or use `sql`";
            app.fault(SetupError::setting("jobs.dispatch", message));
            return Dispatch::Sql;
        };
        let dispatch = Arc::new(RedisDispatch::new(redis, app.info().name, app.database()));
        app.provide(Arc::clone(&dispatch));
        app.task(
            "jobs dispatch",
            TaskKind::Forever,
            |dispatch: Arc<RedisDispatch>, shutdown: Shutdown| async move {
                dispatch.send_all(&shutdown).await
            },
        );
        Dispatch::Redis(dispatch)
    }

    #[cfg(not(feature = "redis"))]
    pub(crate) fn of(kind: DispatchKind, app: &mut Registrar<'_>) -> Self {
        if kind == DispatchKind::Redis {
            let message = "`redis` is not built in: switch on the feature `redis` of `doyen`";
            app.fault(SetupError::setting("jobs.dispatch", message));
        }
        Dispatch::Sql
    }

    /// Announces a new job once its unit of work is committed.
    pub(crate) fn announce(&self, session: &Session) {
        match self {
            Dispatch::Sql => session.wake(CHANNEL),
            #[cfg(feature = "redis")]
            Dispatch::Redis(redis) => {
                let redis = Arc::clone(redis);
                session.after_commit(async move { redis.announce() });
            }
        }
    }

    /// Begins to take tokens, until the value is dropped.
    pub(crate) fn subscribe(&self) -> Tokens {
        match self {
            Dispatch::Sql => Tokens(None),
            #[cfg(feature = "redis")]
            Dispatch::Redis(redis) => Tokens(Some(Arc::clone(redis).subscribe())),
        }
    }
}

/// The tokens that a worker receives.
pub(crate) struct Tokens(Option<tokio::sync::mpsc::Receiver<()>>);

impl Tokens {
    /// Waits for the next token. It is cancellation safe. Without Redis it waits forever.
    pub(crate) async fn next(&mut self) {
        let received = match &mut self.0 {
            Some(tokens) => tokens.recv().await,
            None => None,
        };
        if received.is_none() {
            std::future::pending::<()>().await;
        }
    }
}
