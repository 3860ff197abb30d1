//! The client of a request.

use std::net::IpAddr;

use doyen_core::Refusal;
use doyen_schema::contract::Contract;

use super::FromRequestParts;
use crate::request::Request;

/// Maximum length of the user agent, in characters.
const MAX_AGENT_CHARS: usize = 200;

/// The client as the network shows it. Use it for logs and lists of sessions, never as proof of
/// identity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Client {
    /// The client address, as reported by trusted proxies.
    pub address: Option<IpAddr>,
    /// The `User-Agent` header: at most 200 characters, without control characters.
    pub agent: Option<String>,
}

#[diagnostic::do_not_recommend]
impl FromRequestParts for Client {
    async fn from_request_parts(request: &mut Request) -> Result<Option<Self>, Refusal> {
        let parts = &request.parts;
        let agent = parts.header("user-agent").map(|agent| {
            agent
                .chars()
                .filter(|char| !char.is_control())
                .take(MAX_AGENT_CHARS)
                .collect()
        });
        Ok(Some(Self {
            address: parts.client,
            agent,
        }))
    }

    fn describe(_: &mut Contract<'_>) {}
}
