//! A unit of work that writes, for a request that must not: the provider sends the browser back by GET.

use doyen_core::inject::{BoxFuture, Context, Inject, Needs, RequestFacts};
use doyen_core::{Access, Refusal};
use doyen_schema::contract::Contract;
use doyen_web::Request;
use doyen_web::extract::FromRequestParts;

use super::arrival::Arrival;

/// A graph beside that of the request, whose session writes. What binds the request to its sender is the cookie of the login.
pub(super) struct Beside(Context);

impl Beside {
    /// Who receives those that come back.
    pub(super) async fn arrival(&self) -> Result<Arrival, Refusal> {
        made(self.0.clone()).await
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

impl FromRequestParts for Beside {
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
        needs.add::<Arrival>();
    }
}

/// Generic and on the heap: of the future itself the compiler can not tell here that it is `Send`.
fn made<T: Inject>(context: Context) -> BoxFuture<'static, Result<T, Refusal>> {
    Box::pin(async move { context.get::<T>().await })
}
