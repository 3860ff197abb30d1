//! The layers of a route, around its handler.
//!
//! A `tower` service sees an `http::Request`. The rest of the request travels in its extensions.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};

use doyen_core::inject::BoxFuture;
use doyen_core::sync::lock;
use doyen_core::{Failures, Refusal, Unexpected};

use super::layer::BoxLayer;
use super::next::{Call, Request, Stack};
use super::passage::{LOST, Passage, Refuser, lost, was_lost};
use crate::extract::limited;
use crate::handler::Endpoint;
use crate::request::Parts;
use crate::{Response, request};

/// Everything about a request except its head and its body, until the handler takes it.
#[derive(Clone)]
struct Carried(Arc<Mutex<Option<(Parts, Failures)>>>);

/// Puts a request together again.
pub(super) fn open(request: Request) -> Result<request::Request, Refusal> {
    let (mut head, body) = request.into_parts();
    let carried = head.extensions.remove::<Carried>();
    let Some((mut parts, failures)) = carried.and_then(|carried| lock(&carried.0).take()) else {
        return Err(Unexpected::new(LOST).into());
    };
    parts.head = head;
    Ok(request::Request {
        parts,
        body,
        failures,
    })
}

/// Makes it a request for layers.
pub(super) fn close(request: request::Request) -> Request {
    let request::Request {
        mut parts,
        body,
        failures,
    } = request;
    let mut head = parts.take_head();
    let carried = Carried(Arc::new(Mutex::new(Some((parts, failures)))));
    head.extensions.insert(carried);
    Request::from_parts(head, body)
}

/// Puts layers around the handler of a route. The first one is the outermost.
pub(crate) fn layered<'a>(
    layers: impl DoubleEndedIterator<Item = &'a BoxLayer>,
    endpoint: Arc<dyn Endpoint>,
    refuser: &Refuser,
) -> Arc<dyn Endpoint> {
    let mut layers = layers.rev().peekable();
    if layers.peek().is_none() {
        return endpoint;
    }
    let innermost: Stack = Arc::new(Innermost {
        endpoint,
        refuser: refuser.clone(),
    });
    Arc::new(Layered(
        layers.fold(innermost, |inner, layer| layer.wrap(inner, refuser)),
    ))
}

/// A route with layers.
struct Layered(Stack);

impl Endpoint for Layered {
    fn call<'a>(
        &'a self,
        request: &'a mut request::Request,
    ) -> BoxFuture<'a, Result<Response, Refusal>> {
        let mut request = request.take();
        // A layer that reads the body must not exceed the limit of the route either. A handler that
        // reads it while it arrives has a limit of its own.
        let limit = match request.parts.route.streams_body {
            true => usize::MAX,
            false => request.parts.body_limits.max_bytes,
        };
        request.body = limited(request.body, limit, request.parts.account.as_ref());
        let version = request.parts.version.clone();
        let passage = Passage {
            request_id: request.parts.request_id,
            uri: request.parts.head.uri.clone(),
            context: Some(request.parts.context.clone()),
            version: version.map(|version| (version, Arc::clone(&request.parts.route))),
            is_running: Arc::default(),
        };
        let (context, is_running) = (
            request.parts.context.clone(),
            Arc::clone(&passage.is_running),
        );
        if let Some(caller) = request.parts.context.caller() {
            let caller = Arc::clone(caller);
            request.parts.head.extensions.insert(caller);
        }
        let mut request = close(request);
        request.extensions_mut().insert(passage);
        let work = self.0.call(request);
        Box::pin(async move {
            let response = work.await;
            // A layer has dropped the handler: whatever it returns instead, half of the work must
            // not be committed.
            if is_running.load(Ordering::Relaxed) {
                context.rollback().await;
            }
            was_lost(&response).map_or(Ok(response), Err)
        })
    }
}

/// The handler, inside of all layers.
struct Innermost {
    endpoint: Arc<dyn Endpoint>,
    refuser: Refuser,
}

impl Call for Innermost {
    fn call(&self, request: Request) -> BoxFuture<'static, Response> {
        let passage = Passage::of(&request);
        let (endpoint, refuser) = (Arc::clone(&self.endpoint), self.refuser.clone());
        Box::pin(async move {
            let Ok(mut request) = open(request) else {
                return lost();
            };
            let context = request.parts.context.clone();
            let is_running = passage
                .as_ref()
                .map(|passage| Arc::clone(&passage.is_running));
            let set = |running: bool| {
                if let Some(is_running) = &is_running {
                    is_running.store(running, Ordering::Relaxed);
                }
            };
            set(true);
            let done = endpoint.call(&mut request).await;
            set(false);
            match done {
                Ok(response) => {
                    // Before a layer sees it, as after an error.
                    if response.status().is_client_error() || response.status().is_server_error() {
                        context.rollback().await;
                    }
                    response
                }
                Err(refusal) => refuser.refuse(refusal, passage).await,
            }
        })
    }
}
