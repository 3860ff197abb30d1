//! May they?

use doyen_core::problem::Plain;
use doyen_core::{Caller, Denied, FORBIDDEN, UNAUTHENTICATED, denied_because};
use http::{HeaderValue, header};

use super::Stop;
use crate::route::Entry;

/// 401 without a caller; 403 with the scope that is missing (RFC 6750 section 3.1).
pub(super) fn check(entry: &Entry, caller: Option<&Caller>) -> Result<(), Stop> {
    match entry.operation.allow.check(caller) {
        Ok(()) => Ok(()),
        Err(Denied::Anonymous) => Err(Plain::new(&UNAUTHENTICATED).into()),
        Err(Denied::Role) => Err(Plain::new(&FORBIDDEN)
            .detail("the role of the caller does not permit this operation")
            .because(denied_because(roles(entry)))
            .into()),
        Err(Denied::Scope(scope)) => {
            let challenge =
                format!("Bearer realm=\"api\", error=\"insufficient_scope\", scope=\"{scope}\"");
            let header = HeaderValue::try_from(challenge)
                .ok()
                .map(|value| (header::WWW_AUTHENTICATE, value));
            let refusal = Plain::new(&FORBIDDEN)
                .detail(format!("this operation requires the scope `{scope}`"))
                .because(denied_because(format!("the token lacks the scope {scope}")))
                .into();
            Err(Stop { refusal, header })
        }
    }
}

/// Which roles would do: for the log.
fn roles(entry: &Entry) -> String {
    let roles: Vec<&str> = entry.operation.allow.roles().collect();
    format!("the caller has none of the roles {}", roles.join(", "))
}
