//! Any `tower` layer, and any `tower` service.

use std::future::poll_fn;

use bytes::Bytes;
use doyen_core::Unexpected;
use doyen_core::inject::BoxFuture;
use tower_service::Service;

use super::next::{Call, Next, Request, Stack};
use super::passage::{Passage, Refuser};
use crate::body::BoxError;
use crate::{Body, Response};

/// A `tower` service of requests and responses: an axum `Router`, a service of `tower-http`,
/// another application. Every [`tower_service::Service`] that fits is one.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a service of requests and responses",
    label = "not a `tower` service that fits",
    note = "it takes `http::Request<Body>`, returns `http::Response<B>` with a body of `Bytes`, and is `Clone + Send + Sync`",
    note = "an axum `Router` with state needs `.with_state(..)` first"
)]
pub trait Oneshot: Clone + Send + Sync + 'static {
    /// Handles one request.
    fn oneshot(self, request: Request) -> BoxFuture<'static, Result<Response, BoxError>>;
}

impl<S, B> Oneshot for S
where
    S: Service<Request, Response = http::Response<B>> + Clone + Send + Sync + 'static,
    S::Error: Into<BoxError>,
    S::Future: Send + 'static,
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    fn oneshot(mut self, request: Request) -> BoxFuture<'static, Result<Response, BoxError>> {
        Box::pin(async move {
            poll_fn(|cx| self.poll_ready(cx))
                .await
                .map_err(Into::into)?;
            let response = self.call(request).await.map_err(Into::into)?;
            Ok(response.map(Body::new))
        })
    }
}

/// Calls a service. Its error is a fault of the server: 500, unless a classifier knows it.
pub(crate) async fn oneshot(
    service: impl Oneshot,
    request: Request,
) -> Result<Response, Unexpected> {
    service.oneshot(request).await.map_err(Unexpected::new)
}

/// A layer that was applied.
struct Applied<S> {
    service: S,
    refuser: Refuser,
}

impl<S: Oneshot> Call for Applied<S> {
    fn call(&self, request: Request) -> BoxFuture<'static, Response> {
        let passage = Passage::of(&request);
        let refuser = self.refuser.clone();
        let work = oneshot(self.service.clone(), request);
        Box::pin(async move {
            match work.await {
                Ok(response) => response,
                Err(error) => refuser.refuse(error.into(), passage).await,
            }
        })
    }
}

/// Applies a layer once, so that what its service shares is shared between the requests.
pub(super) fn apply<L>(layer: &L, inner: Stack, refuser: &Refuser) -> Stack
where
    L: tower_layer::Layer<Next>,
    L::Service: Oneshot,
{
    std::sync::Arc::new(Applied {
        service: layer.layer(Next(inner)),
        refuser: refuser.clone(),
    })
}
