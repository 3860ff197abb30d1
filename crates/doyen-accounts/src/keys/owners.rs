//! Finds the owners of keys, outside of a request.

use std::sync::{Arc, OnceLock};

use doyen_core::inject::{Container, RequestFacts};
use doyen_core::{Access, Unexpected};

use crate::resolve::resolve;
use crate::{UserRecord, Users};

/// Finds the owners of keys through the port [`Users`].
#[derive(Debug, Default)]
pub(super) struct Owners(OnceLock<Container>);

impl Owners {
    /// Sets the graph. A second call has no effect.
    pub(super) fn connect(&self, graph: Container) {
        let _ = self.0.set(graph);
    }

    /// Returns the current user with this id.
    pub(super) async fn find(&self, subject: &str) -> Result<Option<UserRecord>, Unexpected> {
        let Some(graph) = self.0.get() else {
            return Err(Unexpected::new(
                "API keys are read before `ApiKeyIdentity::connect`",
            ));
        };
        let context = graph.context_of(RequestFacts {
            access: Some(Access::Read),
            caller: Some(None),
            ..RequestFacts::default()
        });
        let users = resolve::<Arc<dyn Users>>(context.clone())
            .await
            .map_err(|refusal| Unexpected::new(format!("there are no users: {refusal:?}")))?;
        let found = users.by_subject(subject).await;
        context.close().await;
        found
    }
}
