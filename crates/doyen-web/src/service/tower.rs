//! The application as a `tower` service: in the server of another framework, in a test, or mounted
//! in another application.

use std::convert::Infallible;
use std::task::{Context, Poll};

use bytes::Bytes;
use doyen_core::inject::BoxFuture;

use super::Service;
use crate::body::BoxError;
use crate::mount::Peer;
use crate::{Body, Response};

/// It never fails, and is always ready: at `server.max_requests` a request gets a 503.
///
/// The address of the client comes from the extension [`Peer`]. Without it, no limit by address
/// applies and the log has none.
///
/// ```
/// use doyen_core::anyone;
/// use doyen_web::{Body, Module, Route, Service, Text};
/// use tower_service::Service as _;
///
/// async fn hello() -> Text {
///     Text("hello".into())
/// }
///
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let route = Route::get("/hello").name("hello").allow(anyone).handler(hello);
/// let mut service = Service::builder().module(Module::new("t").route(route)).build().unwrap();
/// let request = http::Request::get("/hello").body(Body::empty()).unwrap();
/// let response = service.call(request).await.unwrap();
/// assert_eq!(response.status(), 200);
/// # });
/// ```
impl<B> tower_service::Service<http::Request<B>> for Service
where
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    type Response = Response;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<B>) -> Self::Future {
        let service = self.clone();
        let request = request.map(Body::new);
        Box::pin(async move {
            let peer = request.extensions().get::<Peer>().map(|peer| peer.0);
            Ok(service.handle(request, peer).await)
        })
    }
}
