//! What comes next: the inner layers and the handler.

use std::convert::Infallible;
use std::fmt;
use std::sync::Arc;
use std::task::{Context, Poll};

use doyen_core::inject::BoxFuture;
use futures_util::FutureExt as _;
use futures_util::future::Map;

use crate::body::BoxError;
use crate::{Body, Response};

/// The request that a layer sees. Its extensions carry what belongs to the request: pass them on.
pub type Request<B = Body> = http::Request<B>;

/// A layer with everything inside of it.
pub(crate) trait Call: Send + Sync {
    fn call(&self, request: Request) -> BoxFuture<'static, Response>;
}

/// Shared between the requests.
pub(crate) type Stack = Arc<dyn Call>;

/// What comes next: the inner layers, then the handler. It is a [`tower_service::Service`] that
/// never fails: an error of the handler is the problem response that the client gets.
#[derive(Clone)]
pub struct Next(pub(crate) Stack);

impl fmt::Debug for Next {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Next").finish_non_exhaustive()
    }
}

impl Next {
    /// Passes the request on, and returns the response. A request can be passed on once.
    pub async fn run(self, request: Request) -> Response {
        self.0.call(request).await
    }
}

impl<B> tower_service::Service<http::Request<B>> for Next
where
    B: http_body::Body<Data = bytes::Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    type Response = Response;
    type Error = Infallible;
    type Future = Map<BoxFuture<'static, Response>, fn(Response) -> Result<Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<B>) -> Self::Future {
        let done: fn(Response) -> Result<Response, Infallible> = Ok;
        self.0.call(request.map(Body::new)).map(done)
    }
}
