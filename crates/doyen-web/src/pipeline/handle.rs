//! What surrounds every request, whatever becomes of it.

use std::sync::Arc;
use std::time::Instant;

use doyen_core::problem::Plain;
use doyen_core::{RequestId, WorkKind, begin_work, within_observation, within_request};
use futures_util::FutureExt as _;
use futures_util::future::Either;
use http::{HeaderMap, HeaderName, Method, Request, StatusCode};

use super::cleanup::{self, CleanupGuard};
use super::rejection::Rejection;
use super::state::RequestState;
use super::{
    Pipeline, access_log, client_address, compression, cors, headers, observation, outer, panics,
    rate_limit, version,
};
use crate::budget::Account;
use crate::coding;
use crate::conditions::{self, Conditions, Verdict};
use crate::extract::READ_PRECONDITION_FAILED;
use crate::server::ConnectionInfo;
use crate::{Body, Response};

const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

impl Pipeline {
    /// Handles a request. Every error becomes a problem response.
    pub(crate) async fn handle(
        &self,
        request: http::Request<Body>,
        connection: ConnectionInfo,
        account: Option<&Arc<Account>>,
    ) -> Response {
        let started = Instant::now();
        let (head, body) = request.into_parts();
        let text = |name: HeaderName| single(&head.headers, name);
        // The client address first: limits and logs use it.
        let source = client_address::find(&self.options.proxies, connection, &head.headers);
        // Every log line and response has the id. An id that could forge a log line is replaced.
        let request_id = RequestId::accept_or_new(text(headers::REQUEST_ID));
        let (trace, observation) = begin_work(
            self.observer.as_deref(),
            WorkKind::Request,
            "",
            request_id,
            text(TRACEPARENT),
        );
        let mut state = RequestState {
            started,
            request_id,
            trace,
            peer: connection.peer,
            client: source.client,
            route: None,
            context: None,
            caller: None,
            rate_limit: None,
            version: None,
            guard: None,
            observation,
        };
        let method = head.method.clone();
        let uri = head.uri.clone();
        let conditions = Conditions::of(&head);
        let cors_request = cors::request(self.options.cors.as_ref(), &head);
        let accepted = coding::accepted(&head);
        let is_preflight = cors_request.as_ref().is_some_and(|cors| cors.is_preflight);

        // Panics are caught outside everything that can panic, so that they get a response and a
        // log line. Log lines inside carry the ids of the request.
        let observed = state.observation.clone();
        let outcome = {
            let work = match &self.outer {
                // A head that the server rejects does not reach the layers of the application.
                Some(outer) if !outer::skips(&head) => {
                    let request = Request::from_parts(head, body);
                    Either::Right(outer::run(
                        self,
                        outer,
                        request,
                        is_preflight,
                        account,
                        &mut state,
                    ))
                }
                _ => Either::Left(self.dispatch(head, body, is_preflight, account, &mut state)),
            };
            let mut work = std::pin::pin!(std::panic::AssertUnwindSafe(work).catch_unwind());
            std::future::poll_fn(|cx| {
                within_request(request_id, trace, || match &observed {
                    None => work.as_mut().poll(cx),
                    Some(observed) => within_observation(observed, || work.as_mut().poll(cx)),
                })
            })
            .await
        };
        let outcome = match outcome {
            Ok(outcome) => outcome,
            Err(panic) => Err(panics::unexpected(&*panic).into()),
        };
        let mut response = match outcome {
            Ok(response) => response,
            Err(rejection) => {
                // Roll back before the client can see the error.
                if let Some(context) = &state.context {
                    context.rollback().await;
                }
                let id = state.request_id.as_str();
                rejection.into_response(self, uri.path(), id)
            }
        };
        // Before anything that depends on the bytes or the tag: both differ between versions.
        if let (Some(version), Some(route)) = (&state.version, &state.route) {
            version::down(version, route, &mut response);
        }
        // Paths of handlers and of redirects. Links have the prefix from the start.
        if !self.options.root_path.is_empty() {
            self.options.root_path.apply(response.headers_mut(), "");
        }
        // Before the headers: a 304 keeps them and has no body.
        if let Some(conditions) = conditions {
            match conditions.evaluate(state.caller.as_deref(), accepted, &response) {
                Verdict::Send => {}
                Verdict::NotModified(tag) => conditions::not_modified(&mut response, tag),
                Verdict::Failed => {
                    let rejection = Rejection::from(Plain::new(&READ_PRECONDITION_FAILED));
                    response = rejection.into_response(self, uri.path(), state.request_id.as_str());
                }
            }
        }
        // Before the compression, which hides the size of the response.
        if let Some(observed) = &observed {
            observation::end(self, &**observed, &state, &method, &response);
        }
        // Before the headers: what the route set shows whether the response is secret.
        let is_compressible = self.options.compression
            && (compression::is_allowed(&response) || conditions::is_of_encoded(&response));
        if is_compressible && let Some(coding) = accepted.best() {
            compression::apply(&mut response, coding).await;
        }
        // Nothing is awaited after this. The cleanup is scheduled below.
        state
            .guard
            .take()
            .into_iter()
            .for_each(CleanupGuard::disarm);
        // On every response, including errors.
        let facts = headers::ResponseFacts {
            route: state.route.as_deref(),
            caller: state.caller.as_deref(),
            request_id: state.request_id.as_str(),
            is_secure: source.is_secure,
            is_compressible,
            is_limited: state.rate_limit.is_some(),
            is_success: response.status().is_success()
                || response.status() == StatusCode::NOT_MODIFIED,
        };
        headers::apply(&mut response, &self.base_headers, &facts);
        let is_counted = state.rate_limit.is_some();
        // Also on a request that was rejected later, since it was counted.
        rate_limit::apply(&mut response, state.rate_limit.take());
        cors::apply(self.options.cors.as_ref(), cors_request, &mut response);
        if method == Method::HEAD {
            headers::strip_body(&mut response);
        }
        access_log::write(
            self,
            &state,
            &method,
            uri.path(),
            &mut response,
            started,
            is_counted,
        );
        if let Some(context) = state.context.take() {
            cleanup::close(context, &self.cleanups);
        }
        response
    }
}

/// Returns the text of a header, unless there is more than one: neither can be trusted then.
fn single(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?;
    values.next().is_none().then_some(())?;
    value.to_str().ok()
}
