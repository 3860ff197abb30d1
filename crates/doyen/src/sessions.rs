//! Sessions, and who identifies callers, as the settings say.

use std::sync::Arc;

use doyen_accounts::security::SecurityWriter;
use doyen_accounts::sessions::{SessionStore, SessionStoreKind, SqlSessions, Transport};
use doyen_accounts::{CookieSessions, Revocations, SessionEngine};
use doyen_auth::{Bearer, Identifiers, Seed, Tokens};
use doyen_core::Clock;
use doyen_data::Database;

use crate::assemble::AssembleError;
use crate::redis::Redis;
use crate::settings::FrameworkSettings;

/// The sessions of the application.
pub(crate) fn wire(
    settings: &FrameworkSettings,
    database: &Database,
    clock: &Arc<dyn Clock>,
    seed: &Seed,
    name: &str,
    redis: Option<&Redis>,
) -> Result<Arc<SessionEngine>, AssembleError> {
    let session = &settings.auth.session;
    let access = settings.auth.access_lifetime;
    for (key, span) in [
        ("auth.session.idle", session.idle),
        ("auth.session.absolute", session.absolute),
    ] {
        if span < access {
            return Err(AssembleError::Setting {
                key,
                message: format!(
                    "a session would end before its access token. Set at least {}s (`auth.access_lifetime`), or shorten that",
                    access.as_secs()
                ),
            });
        }
    }
    let revocations = Revocations::new(database.clone(), access);
    Ok(Arc::new(SessionEngine::new(
        database.clone(),
        store(session.store, name, redis)?,
        Arc::new(revocations),
        Arc::new(session.clone()),
        Arc::clone(clock),
        seed,
    )))
}

#[cfg_attr(
    not(feature = "redis"),
    allow(unused_variables, reason = "there is no Redis to name anything in")
)]
fn store(
    kind: SessionStoreKind,
    name: &str,
    redis: Option<&Redis>,
) -> Result<Arc<dyn SessionStore>, AssembleError> {
    match (kind, redis) {
        (SessionStoreKind::Sql, _) => Ok(Arc::new(SqlSessions)),
        #[cfg(feature = "redis")]
        (SessionStoreKind::Redis, Some(redis)) => Ok(Arc::new(
            doyen_accounts::sessions::RedisSessions::new(redis.connection(), name),
        )),
        (SessionStoreKind::Redis, _) => Err(AssembleError::Setting {
            key: "auth.session.store",
            message: "sessions in `redis` need Redis. Set `redis.url` (REDIS_URL) too, or keep them in `sql`".to_owned(),
        }),
    }
}

/// Who tells callers apart: by an access token, and by a cookie where a login gives one.
pub(crate) fn identifiers(
    sessions: &Arc<SessionEngine>,
    settings: &FrameworkSettings,
    accounts: bool,
    tokens: Arc<Tokens>,
    security: Arc<SecurityWriter>,
) -> Identifiers {
    let bearer = Bearer::new(tokens);
    if !accounts {
        return Identifiers::new().with(Arc::new(bearer));
    }
    let list = sessions.revocations().list();
    let identifiers = Identifiers::new().with(Arc::new(bearer.revocable(list)));
    match settings.auth.session.transport {
        Transport::Bearer => identifiers,
        Transport::Cookie | Transport::Both => identifiers.with(Arc::new(CookieSessions::new(
            Arc::clone(sessions),
            security,
        ))),
    }
}
