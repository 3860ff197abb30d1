//! Who owns a key: asked outside a request, before its own part of the graph exists.

use std::sync::{Arc, OnceLock};

use doyen_core::inject::{BoxFuture, Container, Context, Inject, RequestFacts};
use doyen_core::{Access, Refusal, Unexpected};

use crate::{UserRecord, Users};

/// Finds the owners of keys through the port [`Users`].
#[derive(Debug, Default)]
pub(super) struct Owners(OnceLock<Container>);

impl Owners {
    /// Gives it the graph. A second call changes nothing.
    pub(super) fn connect(&self, graph: Container) {
        let _ = self.0.set(graph);
    }

    /// The user with this id, as they are now.
    pub(super) async fn find(&self, subject: &str) -> Result<Option<UserRecord>, Unexpected> {
        let Some(graph) = self.0.get() else {
            return Err(Unexpected::new(
                "API keys are asked for before `ApiKeyIdentity::connect`",
            ));
        };
        let context = graph.context_of(RequestFacts {
            access: Some(Access::Read),
            caller: Some(None),
            ..RequestFacts::default()
        });
        let users = made::<Arc<dyn Users>>(context.clone())
            .await
            .map_err(|refusal| Unexpected::new(format!("there are no users: {refusal:?}")))?;
        let found = users.by_subject(subject).await;
        context.close().await;
        found
    }
}

/// A value of the graph. Generic and on the heap: of the future itself the compiler can not tell here that it is `Send`.
fn made<T: Inject>(context: Context) -> BoxFuture<'static, Result<T, Refusal>> {
    Box::pin(async move { context.get::<T>().await })
}
