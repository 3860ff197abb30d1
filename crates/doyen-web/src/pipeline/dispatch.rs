//! From the head of a request to the handler and the commit.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use doyen_core::idempotency::IN_FLIGHT;
use doyen_core::inject::RequestFacts;
use doyen_core::problem::Plain;
use doyen_core::{Access, Failures, Refusal, Unexpected, WorkPhase};
use http::{HeaderValue, Method, StatusCode, header};

use super::cleanup::CleanupGuard;
use super::idempotency::Begun;
use super::rejection::Rejection;
use super::state::RequestState;
use super::{
    Pipeline, authorize, concurrency_class, hosts, idempotency, identify, panics, query,
    rate_limit, size_limits, slashes, version,
};
use crate::around::BodyCap;
use crate::budget::Account;
use crate::concurrency::Permit;
use crate::problem::{METHOD, NOT_FOUND, OVERLOADED, TIMEOUT};
use crate::request::{BodyLimits, Parts, Request};
use crate::response::WantedFields;
use crate::router::RouteMatch;
use crate::timeout::with_timeout;
use crate::{Body, Response};

impl Pipeline {
    pub(super) async fn dispatch(
        &self,
        mut head: http::request::Parts,
        body: Body,
        is_preflight: bool,
        account: Option<&Arc<Account>>,
        state: &mut RequestState,
    ) -> Result<Response, Rejection> {
        // Cheap checks before any lookup.
        size_limits::check_unread(&head)?;
        // Health probes are exempt: a full server must not be taken for a dead one.
        let permit = if hosts::is_probe(head.uri.path()) {
            Permit::uncounted()
        } else {
            let permit = self.concurrency.acquire();
            permit.ok_or_else(|| Plain::new(&OVERLOADED))?
        };
        let in_path = self
            .versions
            .as_ref()
            .and_then(|all| all.take_from_path(&mut head.uri));
        let (route, path_values) = match self.find_route(&head, is_preflight) {
            Ok(RouteMatch::Route { route, path_values }) => (route, path_values),
            // Preflights are not counted.
            Ok(RouteMatch::OtherMethods { allow }) => return Ok(options_response(&allow)),
            // Requests without a route are limited too, whatever is wrong with them.
            Ok(RouteMatch::None) => {
                rate_limit::check_unmatched(self, state.client, &mut state.rate_limit).await?;
                if let Some(location) = slashes::other_path(&self.router, &head) {
                    return Ok(slashes::redirect(location));
                }
                return Err(Plain::new(&NOT_FOUND).into());
            }
            Err(rejection) => {
                rate_limit::check_unmatched(self, state.client, &mut state.rate_limit).await?;
                return Err(rejection);
            }
        };
        let (info, endpoint) = (&route.info, &route.endpoint);
        state.route = Some(Arc::clone(info));
        if let Some(cap) = head.extensions.remove::<BodyCap>()
            && info.streams_body
        {
            cap.lift();
        }
        // Before any limit that counts by user, and before the body is read.
        let identified = identify::caller(self, &head, info, state.client).await;
        let caller = identified.as_ref().ok().and_then(Option::as_deref);
        state.caller = identified.as_ref().ok().cloned().flatten();
        // Decided before the rate limit, because shared limits count only permitted requests.
        let permitted = authorize::check(self, info, caller);
        let is_permitted = identified.is_ok() && permitted.is_ok();
        // Before credentials and permission are rejected, so that guessing is limited too.
        rate_limit::check(
            self,
            info,
            caller,
            is_permitted,
            state.client,
            &mut state.rate_limit,
        )
        .await?;
        let caller = identified?;
        // Before validation, so that an unauthorized caller learns nothing about the schema.
        permitted?;

        if let Some(versions) = self.versions.as_ref().filter(|_| info.versions.is_some()) {
            let version = versions.resolve(&head, in_path)?;
            version::unmark_tags(&version, &mut head.headers);
            state.version = Some(version);
        }

        let access = if head.method.is_safe() {
            Access::Read
        } else {
            Access::Write
        };
        let context = self.container.context_of(RequestFacts {
            access: Some(access),
            request_id: Some(state.request_id),
            trace: Some(state.trace),
            deadline: state.started.checked_add(info.timeout),
            caller: Some(caller),
            observation: state.observation.clone(),
        });
        // From here on, a client that disconnects leaves values that must be released.
        state.guard = Some(CleanupGuard::new(&context, &self.cleanups));
        state.context = Some(context.clone());
        let body_limits = BodyLimits {
            max_bytes: info.body_limit,
            timeout: self.options.body_time,
        };
        let parts = Parts {
            head,
            context: context.clone(),
            request_id: state.request_id,
            peer: state.peer,
            client: state.client,
            route: Arc::clone(info),
            path_values,
            body_limits,
            wanted: WantedFields::default(),
            version: state.version.clone(),
            is_conditional: true,
            permit,
            account: account.cloned(),
            charge: None,
        };
        let mut request = Request {
            parts,
            body,
            failures: Failures::with(info.strictness),
        };
        query::check(&mut request)?;
        // Before any work. Held until the commit, so that the work of the class is bounded.
        let _place = concurrency_class::admit(info.class.as_ref(), &request.parts).await?;

        // Extractors, handler and response, then the commit, all within the timeout of the route.
        let is_committing = AtomicBool::new(false);
        let mut keyed = None;
        let work = async {
            if let Some(mode) = info.idempotent {
                match idempotency::begin(self, mode, &mut request).await? {
                    Begun::Replay(response) => return Ok(response),
                    Begun::First(first) => keyed = Some(first),
                    Begun::Unkeyed => {}
                }
            }
            if let Some(version) = &state.version {
                version::up(version, &mut request).await?;
            }
            let called = endpoint.call(&mut request);
            let mut outcome = match keyed {
                None => called.await,
                // The key is released before the client has the error.
                Some(_) => panics::caught(called).await,
            };
            if let Some(version) = &state.version {
                let places = info.versions.as_ref();
                outcome = outcome.map_err(|refusal| version.down_refusal(places, refusal));
            }
            query::log_ignored(&request, info);
            let response = match outcome {
                Ok(response) if !is_error(&response) => response,
                outcome => {
                    // An error response that the handler built itself rolls back like any other
                    // error.
                    if outcome.is_ok() || keyed.is_some() {
                        context.rollback().await;
                    }
                    // It may have failed because of the effect of the first request.
                    if let Some(keyed) = &mut keyed
                        && let Some(response) = keyed.superseded().await?
                    {
                        return Ok(response);
                    }
                    if let Some(keyed) = keyed.take() {
                        keyed.release().await;
                    }
                    return outcome;
                }
            };
            // Last in the transaction, so that a row of the response locks nothing for longer.
            if let Some(keyed) = &mut keyed
                && !keyed.record(&context, &response).await?
            {
                context.rollback().await;
                let other = keyed.superseded().await?;
                return other.ok_or_else(|| Plain::new(&IN_FLIGHT).retry_after(1).into());
            }
            // The response is sent only after the commit.
            is_committing.store(true, Ordering::Relaxed);
            if let Some(observed) = context.observation() {
                observed.phase(WorkPhase::Commit);
            }
            context.commit().await?;
            if let Some(keyed) = keyed.take() {
                keyed.committed();
            }
            Ok::<_, Refusal>(response)
        };
        match with_timeout(info.timeout, work).await {
            Ok(done) => Ok(done?),
            // An interrupted commit may have succeeded, so "nothing was changed" could be false.
            Err(_) if is_committing.load(Ordering::Relaxed) => Err(Unexpected::outcome_unknown(
                "the commit took longer than the route allows",
            )
            .into()),
            Err(_) => {
                if let Some(keyed) = keyed {
                    // Boxed, so that other requests do not keep its memory.
                    Box::pin(async {
                        context.rollback().await;
                        keyed.release().await;
                    })
                    .await;
                }
                Err(Plain::new(&TIMEOUT).into())
            }
        }
    }

    /// Finds the route of a request. `OtherMethods` stands for OPTIONS and preflights, which get
    /// the methods of the path.
    fn find_route(
        &self,
        head: &http::request::Parts,
        is_preflight: bool,
    ) -> Result<RouteMatch<'_>, Rejection> {
        size_limits::check_head(head)?;
        size_limits::check_uri(&head.uri, &self.options)?;
        hosts::check(head, &self.options)?;
        let path = head.uri.path();
        // RFC 9110 section 9.3.7: `*` is the server as a whole, which has no list of methods.
        if path == "*" && head.method == Method::OPTIONS {
            return Ok(RouteMatch::OtherMethods {
                allow: String::new(),
            });
        }
        // Preflights have no credentials, so no route handles them, not even one for OPTIONS.
        if is_preflight && let Some(allow) = self.router.allow(path) {
            return Ok(RouteMatch::OtherMethods { allow });
        }
        match self.router.find(head.method.as_str(), path)? {
            RouteMatch::OtherMethods { allow } if head.method != Method::OPTIONS => {
                Err(Rejection {
                    refusal: Plain::new(&METHOD).into(),
                    header: HeaderValue::try_from(allow)
                        .ok()
                        .map(|allow| (header::ALLOW, allow)),
                })
            }
            found => Ok(found),
        }
    }
}

fn is_error(response: &Response) -> bool {
    response.status().is_client_error() || response.status().is_server_error()
}

/// Returns the response to OPTIONS: the methods of the path, if it has any.
fn options_response(allow: &str) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    if !allow.is_empty()
        && let Ok(allow) = HeaderValue::try_from(allow)
    {
        response.headers_mut().insert(header::ALLOW, allow);
    }
    response
}
