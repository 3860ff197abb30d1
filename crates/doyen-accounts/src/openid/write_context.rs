//! A unit of work that writes during a GET: the provider redirects the browser with one.

use doyen_core::inject::{Context, Needs, RequestFacts};
use doyen_core::{Access, Refusal};
use doyen_schema::contract::Contract;
use doyen_web::Request;
use doyen_web::extract::FromRequestParts;

use super::linker::AccountLinker;
use crate::resolve::resolve;

/// A separate injection context whose session writes. The cookie of the attempt protects it against
/// forged requests.
pub(super) struct WriteContext(Context);

impl WriteContext {
    /// Resolves the linker in this context.
    pub(super) async fn linker(&self) -> Result<AccountLinker, Refusal> {
        resolve(self.0.clone()).await
    }

    pub(super) async fn commit(self) -> Result<(), Refusal> {
        let done = self.0.commit().await;
        self.0.close().await;
        done
    }

    pub(super) async fn rollback(self) {
        self.0.rollback().await;
        self.0.close().await;
    }
}

impl FromRequestParts for WriteContext {
    async fn from_request_parts(request: &mut Request) -> Result<Option<Self>, Refusal> {
        let graph = request.parts.context.container();
        Ok(Some(Self(graph.context_of(RequestFacts {
            access: Some(Access::Write),
            request_id: Some(request.parts.request_id),
            caller: Some(None),
            ..RequestFacts::default()
        }))))
    }

    fn describe(_: &mut Contract<'_>) {}

    fn needs(needs: &mut Needs) {
        needs.add::<AccountLinker>();
    }
}
