//! The host check: is the request meant for this server?
//!
//! A DNS name that points here but is not configured belongs to another site, or to an attack on
//! clients that trust the name (DNS rebinding, cache poisoning).

use doyen_core::Refusal;
use doyen_core::problem::Plain;
use http::header;

use crate::options::{EdgeOptions, HostName};
use crate::problem::MISDIRECTED;

/// Paths that load balancers probe, by address instead of name.
const PROBES: [&str; 2] = ["/livez", "/readyz"];

/// Rejects a request to another host with 421, before any lookup.
pub(super) fn check(head: &http::request::Parts, options: &EdgeOptions) -> Result<(), Refusal> {
    if !options.internal && (options.hosts.is_empty() || is_probe(head.uri.path())) {
        return Ok(());
    }
    // The server has checked that the target and `Host` name the same host.
    let host = match head.uri.authority() {
        Some(authority) => Some(authority.as_str()),
        None => head
            .headers
            .get(header::HOST)
            .and_then(|host| host.to_str().ok()),
    };
    let is_known = match host {
        Some(host) => {
            options.hosts.iter().any(|known| known.is(host))
                || (options.internal && HostName::is_fixed(host))
        }
        // HTTP/1.0. Browsers always send one.
        None => options.internal,
    };
    if is_known {
        return Ok(());
    }
    Err(Plain::new(&MISDIRECTED).into())
}

/// True for the paths of health probes, which must work under every load.
pub(super) fn is_probe(path: &str) -> bool {
    PROBES.contains(&path)
}
