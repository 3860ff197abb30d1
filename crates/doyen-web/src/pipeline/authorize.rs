//! Authorization: may this caller call this route?

use doyen_core::problem::Plain;
use doyen_core::{Caller, Denied, FORBIDDEN, UNAUTHENTICATED, denied_because};
use http::{HeaderValue, header};

use super::Pipeline;
use super::rejection::Rejection;
use crate::route_info::RouteInfo;

/// Rejects with 401 without a caller, and with 403 and the missing scope (RFC 6750 section 3.1).
pub(super) fn check(
    pipeline: &Pipeline,
    route: &RouteInfo,
    caller: Option<&Caller>,
) -> Result<(), Rejection> {
    match route.allow.check(caller) {
        Ok(()) => Ok(()),
        Err(Denied::Anonymous) => Err(Plain::new(&UNAUTHENTICATED).into()),
        Err(Denied::Role) => Err(Plain::new(&FORBIDDEN)
            .detail("the role of the caller does not permit this operation")
            .because(denied_because(missing_roles(route)))
            .into()),
        Err(Denied::Scope(scope)) => {
            let challenge =
                format!("Bearer realm=\"api\", error=\"insufficient_scope\", scope=\"{scope}\"");
            let header = HeaderValue::try_from(challenge)
                .ok()
                .filter(|_| pipeline.challenges.has_bearer)
                .map(|value| (header::WWW_AUTHENTICATE, value));
            let refusal = Plain::new(&FORBIDDEN)
                .detail(format!("this operation requires the scope `{scope}`"))
                .because(denied_because(format!("the token lacks the scope {scope}")))
                .into();
            Err(Rejection { refusal, header })
        }
    }
}

/// Returns the reason for the log: the roles that are permitted.
fn missing_roles(route: &RouteInfo) -> String {
    let roles: Vec<&str> = route.allow.roles().collect();
    format!("the caller has none of the roles {}", roles.join(", "))
}
