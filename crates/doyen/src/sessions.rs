//! Sessions, and who identifies callers, as the settings say.

use std::sync::Arc;

use doyen_accounts::security::SecurityWriter;
use doyen_accounts::sessions::{SessionStore, SessionStoreKind, SqlSessions, Transport};
use doyen_accounts::{CookieSessions, Revocations, SessionEngine};
use doyen_auth::{Bearer, Identifiers, Seed, Tokens};
use doyen_core::Clock;
use doyen_data::Database;

use crate::assemble::AssembleError;
use crate::settings::FrameworkSettings;

/// The sessions of the application.
pub(crate) fn wire(
    settings: &FrameworkSettings,
    database: &Database,
    clock: &Arc<dyn Clock>,
    seed: &Seed,
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
        store(session.store)?,
        Arc::new(revocations),
        Arc::new(session.clone()),
        Arc::clone(clock),
        seed,
    )))
}

fn store(kind: SessionStoreKind) -> Result<Arc<dyn SessionStore>, AssembleError> {
    match kind {
        SessionStoreKind::Sql => Ok(Arc::new(SqlSessions)),
        SessionStoreKind::Redis => Err(AssembleError::Setting {
            key: "auth.session.store",
            message: "this program was built without Redis".to_owned(),
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
        Transport::Cookie | Transport::Both => {
            identifiers.with(Arc::new(CookieSessions::new(Arc::clone(sessions), security)))
        }
    }
}
