//! Where a request comes from.

use std::net::IpAddr;

use doyen_core::Refusal;
use doyen_schema::contract::Contract;

use super::FromParts;
use crate::request::Request;

/// The longest name of a client that is kept, in characters.
const LONGEST: usize = 200;

/// Who sends this request, as far as the network tells: for a log and for a list of sessions, never as a proof of anything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Client {
    /// The address, after trusted proxies.
    pub address: Option<IpAddr>,
    /// What it calls itself (`User-Agent`): at most 200 characters, without control characters.
    pub agent: Option<String>,
}

impl FromParts for Client {
    async fn from_parts(request: &mut Request) -> Result<Option<Self>, Refusal> {
        let parts = &request.parts;
        let agent = parts.header("user-agent").map(|agent| {
            agent
                .chars()
                .filter(|char| !char.is_control())
                .take(LONGEST)
                .collect()
        });
        Ok(Some(Self {
            address: parts.client,
            agent,
        }))
    }

    fn describe(_: &mut Contract<'_>) {}
}
