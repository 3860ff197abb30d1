//! Is it meant for us?
//!
//! A name that points at this server and is not ours is another site's, or an attack on whoever trusts the name (DNS rebinding, a poisoned
//! cache). Where the names are known, it is told to look elsewhere.

use doyen_core::Refusal;
use doyen_core::problem::Plain;
use http::header;

use crate::problem::MISDIRECTED;
use crate::service::EdgeOptions;

/// Where balancers look: they call by address.
const PROBES: [&str; 2] = ["/livez", "/readyz"];

/// 421 for a request to another host. Nothing of what it asks for has been looked up.
pub(super) fn check(head: &http::request::Parts, options: &EdgeOptions) -> Result<(), Refusal> {
    if options.hosts.is_empty() || is_probe(head.uri.path()) {
        return Ok(());
    }
    // A whole address says it itself; the server has seen to it that both say the same.
    let host = match head.uri.authority() {
        Some(authority) => Some(authority.as_str()),
        None => head
            .headers
            .get(header::HOST)
            .and_then(|host| host.to_str().ok()),
    };
    if host.is_some_and(|host| options.hosts.iter().any(|known| known.is(host))) {
        return Ok(());
    }
    Err(Plain::new(&MISDIRECTED).into())
}

/// True for the addresses that must answer whatever else does not.
pub(super) fn is_probe(path: &str) -> bool {
    PROBES.contains(&path)
}
