//! The session of the caller.

use std::sync::Arc;

use doyen_core::provider;

use super::SessionId;
use crate::{Person, SessionRequired};

/// The session of the person who calls. A route that manages one's own account asks for it: an API key or a machine client is told 403.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnSession {
    /// Who calls.
    pub subject: Arc<str>,
    /// In which session.
    pub id: SessionId,
}

#[provider]
async fn own_session(me: Person) -> Result<OwnSession, SessionRequired> {
    let id = me.session.as_deref().and_then(|id| id.parse().ok());
    Ok(OwnSession {
        subject: Arc::clone(&me.subject),
        id: id.ok_or(SessionRequired)?,
    })
}
