//! Identifies callers by `X-API-Key`.

use std::sync::Arc;

use doyen_core::inject::{Container, Needs};
use doyen_core::{
    Caller, CredentialHeader, Identify, Problem as _, ProblemInfo, Refusal, RequestCredentials,
};

use super::owners::Owners;
use super::{ApiKeys, InvalidKey};
use crate::Users;

/// Identifies callers by the API key in the header `X-API-Key`. A key in a URL or a body is
/// ignored.
///
/// The owner of a key comes from the port [`Users`], so it needs the injection graph: call
/// [`connect`](Self::connect) when the graph is built.
#[derive(Debug)]
pub struct ApiKeyIdentity {
    keys: Arc<ApiKeys>,
    // Not in `ApiKeys`, which is in the graph itself.
    owners: Owners,
}

impl ApiKeyIdentity {
    /// Creates it for these keys.
    pub fn new(keys: Arc<ApiKeys>) -> Self {
        Self {
            keys,
            owners: Owners::default(),
        }
    }

    /// Returns its dependencies, for the check at startup.
    pub fn needs() -> Needs {
        let mut needs = Needs::default();
        needs.add::<Arc<dyn Users>>();
        needs
    }

    /// Sets the graph. A second call has no effect.
    pub fn connect(&self, graph: Container) {
        self.owners.connect(graph);
    }
}

#[async_trait::async_trait]
impl Identify for ApiKeyIdentity {
    async fn identify(
        &self,
        credentials: RequestCredentials<'_>,
    ) -> Result<Option<Arc<Caller>>, Refusal> {
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
