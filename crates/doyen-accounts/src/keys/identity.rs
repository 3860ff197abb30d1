//! `X-API-Key` to the caller.

use std::sync::Arc;

use doyen_core::inject::{Container, Needs};
use doyen_core::{
    Caller, CredentialHeader, Credentials, Identify, Problem as _, ProblemInfo, Refusal,
};

use super::owners::Owners;
use super::{ApiKeys, InvalidKey};
use crate::Users;

/// Identifies callers by the API key they send in `X-API-Key`; a key in the address or in a body is never looked at.
///
/// The owner of a key is asked for through the port [`Users`], so it needs the application's graph: [`connect`](Self::connect) gives it once
/// the graph is built.
#[derive(Debug)]
pub struct ApiKeyIdentity {
    keys: Arc<ApiKeys>,
    // Here and not among the keys: those are in the graph themselves.
    owners: Owners,
}

impl ApiKeyIdentity {
    /// Identifies with these keys.
    pub fn new(keys: Arc<ApiKeys>) -> Self {
        Self {
            keys,
            owners: Owners::default(),
        }
    }

    /// What it needs from the graph: a root for the check at start.
    pub fn needs() -> Needs {
        let mut needs = Needs::default();
        needs.add::<Arc<dyn Users>>();
        needs
    }

    /// Gives it the graph. A second call changes nothing.
    pub fn connect(&self, graph: Container) {
        self.owners.connect(graph);
    }
}

#[async_trait::async_trait]
impl Identify for ApiKeyIdentity {
    async fn identify(&self, credentials: Credentials<'_>) -> Result<Option<Arc<Caller>>, Refusal> {
        let Some(key) = credentials.api_key else {
            return Ok(None);
        };
        let caller = self.keys.caller(key, credentials.address, &self.owners);
        Ok(Some(caller.await??))
    }

    fn credential_headers(&self) -> Vec<CredentialHeader> {
        vec![CredentialHeader::ApiKey]
    }

    fn problems(&self) -> Vec<&'static ProblemInfo> {
        InvalidKey::catalogue()
    }
}
