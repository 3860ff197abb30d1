//! Logins, implemented with the sessions of the framework.

use doyen::auth::Sessions;
use doyen::prelude::*;

use crate::access::UserId;
use crate::accounts::domain::Logins;

/// [`Logins`] backed by the sessions of the framework.
#[derive(Clone, Inject)]
pub(crate) struct FrameworkLogins {
    sessions: Sessions,
}

#[port]
impl Logins for FrameworkLogins {
    async fn renew(&self, id: UserId) -> Result<(), Unexpected> {
        self.sessions.refresh_rights(&id.to_string()).await?;
        Ok(())
    }

    async fn end(&self, id: UserId) -> Result<(), Unexpected> {
        self.sessions.end_all(&id.to_string()).await?;
        Ok(())
    }
}
