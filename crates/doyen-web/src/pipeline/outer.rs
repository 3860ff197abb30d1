//! The layers of the application around the router.
//!
//! They own the request, while the steps inside them add to the state of `handle`. The state
//! travels with the request and comes back however the layers end, so that the log line, the
//! headers and the cleanup are those of any other request.

use std::sync::{Arc, Mutex, Weak};

use doyen_core::Refusal;
use doyen_core::inject::BoxFuture;
use doyen_core::sync::lock;
use http::Request;

use super::Pipeline;
use super::rejection::Rejection;
use super::state::RequestState;
use crate::around::{BodyCap, BoxLayer, Call, Passage, Refuser, Stack, lost, was_lost};
use crate::budget::Account;
use crate::extract::limited;
use crate::mount::Peer;
use crate::rejected_head::RejectedHead;
use crate::{Body, Response};

/// Applies the layers. The first one is the outermost.
pub(crate) fn outer(
    layers: &[BoxLayer],
    pipeline: &Weak<Pipeline>,
    refuser: &Refuser,
) -> Option<Stack> {
    let mut layers = layers.iter().rev();
    let innermost: Stack = Arc::new(Dispatch(Weak::clone(pipeline)));
    let first = layers.next()?.wrap(innermost, refuser);
    Some(layers.fold(first, |inner, layer| layer.wrap(inner, refuser)))
}

/// Lets layers convert errors as the pipeline does.
pub(crate) fn refuse_with(refuser: &Refuser, pipeline: &Arc<Pipeline>) {
    let pipeline = Arc::downgrade(pipeline);
    refuser.set(move |refusal, path, request_id| match pipeline.upgrade() {
        Some(pipeline) => Rejection::from(refusal).into_response(&pipeline, path, request_id),
        None => lost(),
    });
}

/// True if the server has rejected the head of the request.
pub(super) fn skips(head: &http::request::Parts) -> bool {
    head.extensions.get::<RejectedHead>().is_some()
}

/// What `dispatch` needs besides the request, until it takes it; then what it has added.
struct Journey {
    is_preflight: bool,
    account: Option<Arc<Account>>,
    state: Option<RequestState>,
    progress: Progress,
}

/// How far `dispatch` is. It stays `Running` if a layer cancels it.
#[derive(PartialEq, Eq)]
enum Progress {
    Waiting,
    Running,
    Ended,
}

#[derive(Clone)]
struct Shared(Arc<Mutex<Journey>>);

/// Passes a request through the layers.
pub(super) async fn run(
    pipeline: &Pipeline,
    outer: &Stack,
    request: Request<Body>,
    is_preflight: bool,
    account: Option<&Arc<Account>>,
    state: &mut RequestState,
) -> Result<Response, Rejection> {
    let passage = Passage {
        request_id: state.request_id,
        uri: request.uri().clone(),
        context: None,
        version: None,
        is_running: Arc::default(),
    };
    let shared = Shared(Arc::new(Mutex::new(Journey {
        is_preflight,
        account: account.cloned(),
        state: Some(state.fresh()),
        progress: Progress::Waiting,
    })));
    let cap = BodyCap::default();
    let mut request = request.map(|body| {
        // Charged to the connection.
        let body = limited(body, usize::MAX, account);
        cap.limit(body, pipeline.max_body)
    });
    let extensions = request.extensions_mut();
    extensions.insert(cap);
    extensions.insert(passage);
    extensions.insert(shared.clone());
    if let Some(peer) = state.peer {
        extensions.insert(Peer(peer));
    }
    // Also if a layer panics.
    let back = GiveBack {
        from: &shared,
        to: state,
    };
    let response = outer.call(request).await;
    drop(back);
    let is_cancelled = lock(&shared.0).progress == Progress::Running;
    if is_cancelled && let Some(context) = &state.context {
        context.rollback().await;
    }
    was_lost(&response).map_or(Ok(response), |refusal: Refusal| Err(refusal.into()))
}

/// Returns the state to `handle` when it is dropped.
struct GiveBack<'a> {
    from: &'a Shared,
    to: &'a mut RequestState,
}

impl Drop for GiveBack<'_> {
    fn drop(&mut self) {
        let state = lock(&self.from.0).state.take();
        if let Some(mut state) = state {
            state.move_into(self.to);
        }
    }
}

/// The state while `dispatch` adds to it. It goes back to the journey even if a layer drops the
/// future, as a timeout does.
struct Borrowed {
    shared: Shared,
    state: Option<RequestState>,
}

impl Drop for Borrowed {
    fn drop(&mut self) {
        lock(&self.shared.0).state = self.state.take();
    }
}

/// The router and everything after it, inside of all layers.
struct Dispatch(Weak<Pipeline>);

impl Call for Dispatch {
    fn call(&self, request: Request<Body>) -> BoxFuture<'static, Response> {
        let pipeline = self.0.upgrade();
        Box::pin(async move {
            match pipeline {
                Some(pipeline) => dispatch(&pipeline, request).await,
                None => lost(),
            }
        })
    }
}

async fn dispatch(pipeline: &Pipeline, request: Request<Body>) -> Response {
    let passage = Passage::of(&request);
    let (mut head, body) = request.into_parts();
    let (Some(passage), Some(shared)) = (passage, head.extensions.remove::<Shared>()) else {
        return lost();
    };
    let (state, is_preflight, account) = {
        let mut journey = lock(&shared.0);
        if journey.progress != Progress::Waiting {
            return lost();
        }
        journey.progress = Progress::Running;
        let account = journey.account.take();
        (journey.state.take(), journey.is_preflight, account)
    };
    let mut borrowed = Borrowed { shared, state };
    let Some(state) = &mut borrowed.state else {
        return lost();
    };
    let outcome = pipeline
        .dispatch(head, body, is_preflight, account.as_ref(), state)
        .await;
    let response = match outcome {
        Ok(response) => response,
        Err(rejection) => {
            if let Some(context) = &state.context {
                context.rollback().await;
            }
            let id = passage.request_id.as_str();
            rejection.into_response(pipeline, passage.uri.path(), id)
        }
    };
    lock(&borrowed.shared.0).progress = Progress::Ended;
    response
}
