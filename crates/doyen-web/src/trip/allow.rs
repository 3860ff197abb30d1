//! May they?

use doyen_core::problem::Plain;
use doyen_core::{Caller, Denied, FORBIDDEN, UNAUTHENTICATED};
use http::{HeaderValue, header};

use super::Stop;
use crate::route::Entry;

/// 401 without a caller; 403 with the scope that is missing (RFC 6750 section 3.1).
pub(super) fn check(entry: &Entry, caller: Option<&Caller>) -> Result<(), Stop> {
    match entry.operation.allow.check(caller) {
        Ok(()) => Ok(()),
        Err(Denied::Anonymous) => Err(Plain::new(&UNAUTHENTICATED).into()),
        Err(Denied::Role) => Err(Plain::new(&FORBIDDEN)
            .detail("your role may not do this")
            .into()),
        Err(Denied::Scope(scope)) => {
            let challenge =
                format!("Bearer realm=\"api\", error=\"insufficient_scope\", scope=\"{scope}\"");
            let header = HeaderValue::try_from(challenge)
                .ok()
                .map(|value| (header::WWW_AUTHENTICATE, value));
            let refusal = Plain::new(&FORBIDDEN)
                .detail(format!("this needs the scope `{scope}`"))
                .into();
            Err(Stop { refusal, header })
        }
    }
}
