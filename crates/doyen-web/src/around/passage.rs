//! What a request carries through its layers, in its extensions.

use std::sync::atomic::AtomicBool;
use std::sync::{Arc, OnceLock};

use doyen_core::inject::Context;
use doyen_core::{Refusal, RequestId, Unexpected};
use http::{StatusCode, Uri};

use super::Request;
use crate::route_info::RouteInfo;
use crate::versions::ActiveVersion;
use crate::{Body, Response};

/// The facts that an error inside of a layer needs.
#[derive(Clone)]
pub(crate) struct Passage {
    pub(crate) request_id: RequestId,
    /// The target before any layer changed it.
    pub(crate) uri: Uri,
    /// `None` around the router, where no unit of work exists yet.
    pub(crate) context: Option<Context>,
    /// The selected version of the API, with the route. `None` around the router.
    pub(crate) version: Option<(ActiveVersion, Arc<RouteInfo>)>,
    /// True while the handler runs, and after a layer has dropped it.
    pub(crate) is_running: Arc<AtomicBool>,
}

impl Passage {
    /// Returns the facts of a request, unless a layer has dropped its extensions.
    pub(crate) fn of(request: &Request) -> Option<Self> {
        request.extensions().get::<Self>().cloned()
    }
}

type Refuse = dyn Fn(Refusal, &str, &str) -> Response + Send + Sync;

/// Converts errors into responses in the format of the application, for layers to see. Set once the
/// pipeline exists, which comes after the layers.
#[derive(Clone, Default)]
pub(crate) struct Refuser(Arc<OnceLock<Box<Refuse>>>);

impl Refuser {
    /// `refuse` takes the path and the request id.
    pub(crate) fn set(
        &self,
        refuse: impl Fn(Refusal, &str, &str) -> Response + Send + Sync + 'static,
    ) {
        // It is set once, when the service is built.
        let _ = self.0.set(Box::new(refuse));
    }

    /// Rolls back, then returns the problem. In this order, so that no layer can turn the error
    /// into a success whose writes are committed.
    pub(crate) async fn refuse(&self, refusal: Refusal, passage: Option<Passage>) -> Response {
        let (Some(refuse), Some(passage)) = (self.0.get(), passage) else {
            return lost();
        };
        if let Some(context) = &passage.context {
            context.rollback().await;
        }
        let refusal = match &passage.version {
            Some((version, route)) => version.down_refusal(route.versions.as_ref(), refusal),
            None => refusal,
        };
        refuse(refusal, passage.uri.path(), passage.request_id.as_str())
    }
}

/// The message for a layer that breaks a request.
pub(crate) const LOST: &str = "a layer passed on a request twice, or one without the extensions of the request that it received";

#[derive(Clone, Copy)]
struct Lost;

/// Returns the response to a request whose extensions were dropped. The pipeline replaces it.
pub(crate) fn lost() -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
    response.extensions_mut().insert(Lost);
    response
}

/// Returns the error for a request whose extensions were dropped.
pub(crate) fn was_lost(response: &Response) -> Option<Refusal> {
    let lost = response.extensions().get::<Lost>();
    lost.map(|_| Unexpected::new(LOST).into())
}
