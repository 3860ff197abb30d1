//! A caller with a login session.

use std::ops::Deref;

use doyen_core::{Caller, Problem, provider};

/// A caller with a login session. Inject it into routes that manage the caller's own account. API
/// keys and machine clients get a 403.
///
/// A leaked key must not be able to create further keys or to lock out its owner.
#[derive(Clone, Debug)]
pub struct SessionUser(Caller);

impl Deref for SessionUser {
    type Target = Caller;
    fn deref(&self) -> &Caller {
        &self.0
    }
}

/// This operation requires a login session. API keys and machine clients cannot perform it,
/// regardless of their scopes. Log in as a user.
#[derive(Debug, Problem)]
#[problem(forbidden)]
pub struct SessionRequired;

#[provider]
async fn session_user(caller: Caller) -> Result<SessionUser, SessionRequired> {
    if caller.session.is_some() && caller.key.is_none() {
        Ok(SessionUser(caller))
    } else {
        Err(SessionRequired)
    }
}
