//! A caller with a login session.

use std::ops::Deref;

use doyen_core::{Caller, Problem, SecurityScheme, provider};
use serde_json::Value as Json;

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

/// Leaves API keys out of the schemes of an operation that requires a login session.
pub(crate) fn without_api_keys(operation: &mut Json) {
    let api_key = SecurityScheme::api_key();
    if let Some(schemes) = operation["security"].as_array_mut() {
        schemes.retain(|scheme| scheme.get(api_key.name()).is_none());
    }
}

#[provider]
async fn session_user(caller: Caller) -> Result<SessionUser, SessionRequired> {
    if caller.session.is_some() && caller.key.is_none() {
        Ok(SessionUser(caller))
    } else {
        Err(SessionRequired)
    }
}
