//! The session of the caller.

use std::sync::Arc;

use doyen_core::provider;

use super::SessionId;
use crate::{SessionRequired, SessionUser};

/// The current session of the caller. Inject it into routes for the caller's own account. API keys
/// and machine clients get a 403.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CurrentSession {
    /// Subject of the caller.
    pub subject: Arc<str>,
    /// Id of the session.
    pub id: SessionId,
}

#[provider]
async fn current_session(me: SessionUser) -> Result<CurrentSession, SessionRequired> {
    let id = me.session.as_deref().and_then(|id| id.parse().ok());
    Ok(CurrentSession {
        subject: Arc::clone(&me.subject),
        id: id.ok_or(SessionRequired)?,
    })
}
