//! The trip of a request: every duty in order, one line of reason each.
//!
//! Each duty is a small file with a plain function; this file calls them. The duties before the router are owed to every request, those
//! after it follow the policies of the route.

mod allow;
mod client;
mod compress;
mod conditional;
mod cors;
mod ending;
mod headers;
mod hosts;
mod identify;
mod limit;
mod limits;
mod load;
mod query;
mod vary;

pub(crate) use headers::{BaseHeaders, lines as header_lines};
pub(crate) use limits::Limits;
pub(crate) use load::{Load, Slot};

use std::future::Future as _;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use doyen_core::AccessRecord;
use doyen_core::inject::{Context, Facts};
use doyen_core::problem::Plain;
use doyen_core::{
    Access, Caller, Clock as _, DeniedBecause, Failures, Problem, Refusal, RequestId, SystemClock,
    TraceContext, Unexpected, within_request,
};
use futures_util::FutureExt as _;
use http::{HeaderName, HeaderValue, Method, StatusCode, header};

use crate::patience::within;
use crate::problem::{Cause, METHOD, NOT_FOUND, OVERLOADED, TIMEOUT};
use crate::request::{Parts, Request};
use crate::route::Entry;
use crate::router::Found;
use crate::server::Account;
use crate::service::Inner;
use crate::{Body, Response};

const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

/// What is known at the end of the trip, whatever happened on the way.
struct Journey {
    request_id: RequestId,
    trace: TraceContext,
    peer: Option<SocketAddr>,
    client: Option<IpAddr>,
    entry: Option<Arc<Entry>>,
    context: Option<Context>,
    caller: Option<Arc<Caller>>,
    limit: Option<limit::Shown>,
    guard: Option<ending::Guard>,
}

/// A refusal, and a header field that goes with it.
struct Stop {
    refusal: Refusal,
    header: Option<(HeaderName, HeaderValue)>,
}

impl<R: Into<Refusal>> From<R> for Stop {
    fn from(refusal: R) -> Self {
        Self {
            refusal: refusal.into(),
            header: None,
        }
    }
}

pub(crate) async fn run(
    inner: &Arc<Inner>,
    request: http::Request<Body>,
    peer: Option<SocketAddr>,
    account: Option<&Arc<Account>>,
) -> Response {
    let started = Instant::now();
    let (head, body) = request.into_parts();
    let text = |name: HeaderName| head.headers.get(name).and_then(|value| value.to_str().ok());
    // 4 Before anything counts by it or writes it down. Who is not trusted changes nothing by what it sends.
    let source = client::find(&inner.options.proxies, peer, &head.headers);
    let mut journey = Journey {
        // 1 The id first: every line and every answer after this carries it. An id that could forge a log line is replaced.
        request_id: RequestId::accept_or_new(text(headers::REQUEST_ID)),
        trace: TraceContext::continue_or_start(text(TRACEPARENT)),
        peer,
        client: source.client,
        entry: None,
        context: None,
        caller: None,
        limit: None,
        guard: None,
    };
    let method = head.method.clone();
    let uri = head.uri.clone();
    let etags = conditional::wanted(&head);
    let asked = cors::ask(inner.options.cors.as_ref(), &head);
    let gzip = compress::wanted(&head);
    let preflight = asked.as_ref().is_some_and(|asked| asked.preflight);

    // 3 A panic is caught outside everything that can panic, so that it too becomes an answer and a line in the log.
    // 2 Whatever is logged on the way says which request it belongs to.
    let (id, trace) = (journey.request_id, journey.trace);
    let outcome = {
        let mut trip = std::pin::pin!(
            std::panic::AssertUnwindSafe(serve(
                inner,
                head,
                body,
                preflight,
                account,
                &mut journey
            ))
            .catch_unwind()
        );
        std::future::poll_fn(|cx| within_request(id, trace, || trip.as_mut().poll(cx))).await
    };
    let stopped = match outcome {
        Ok(Ok(response)) => Ok(response),
        Ok(Err(stop)) => Err(stop),
        Err(panic) => Err(Unexpected::new(format!("panicked: {}", panic_text(&*panic))).into()),
    };
    let mut response = match stopped {
        Ok(response) => response,
        Err(stop) => {
            // The unit of work is undone before the client can read that it was.
            if let Some(context) = &journey.context {
                context.rollback().await;
            }
            refuse(inner, stop, uri.path(), journey.request_id.as_str())
        }
    };
    // 11 Validators before headers: a 304 keeps them and loses the body.
    conditional::apply(&method, etags, journey.caller.as_deref(), &mut response);
    // 7 What a route gave is compressed, not what the edge adds: it tells which answers are secret.
    let compressible = inner.options.compression && compress::fits(&response);
    if compressible && gzip {
        compress::apply(&mut response).await;
    }
    // Nothing is waited for any more: what is left to do is done below.
    journey
        .guard
        .take()
        .into_iter()
        .for_each(ending::Guard::disarm);
    // 6 Headers last, on every answer alike, errors included.
    let about = headers::About {
        route: journey.entry.as_deref(),
        caller: journey.caller.as_deref(),
        request_id: journey.request_id.as_str(),
        secure: source.secure,
        compressible,
        limited: journey.limit.is_some(),
    };
    headers::apply(&mut response, &inner.base_headers, &about);
    let counted = journey.limit.is_some();
    // 9 Also on what was refused later: it counted.
    limit::apply(&mut response, journey.limit.take());
    cors::apply(inner.options.cors.as_ref(), asked, &mut response);
    if method == Method::HEAD {
        headers::strip_body(&mut response);
    }
    // What was made for this request is released in reverse order; nothing waits for it.
    log(
        inner,
        &journey,
        &method,
        uri.path(),
        &response,
        started,
        counted,
    );
    if let Some(context) = journey.context.take() {
        ending::close(context, &inner.endings);
    }
    response
}

async fn serve(
    inner: &Arc<Inner>,
    head: http::request::Parts,
    body: Body,
    preflight: bool,
    account: Option<&Arc<Account>>,
    journey: &mut Journey,
) -> Result<Response, Stop> {
    // 5 Cheap limits before anything is looked up.
    limits::check_unread(&head)?;
    // Balancers and supervisors are answered however busy it is: else a full server would be taken for a dead one.
    let slot = if hosts::is_probe(head.uri.path()) {
        Slot::free()
    } else {
        inner.load.enter().ok_or_else(|| Plain::new(&OVERLOADED))?
    };
    let (entry, path_values) = match find(inner, &head, preflight) {
        Ok(Found::Route { entry, path_values }) => (Arc::clone(entry), path_values),
        // A browser's preflight is not counted.
        Ok(Found::OtherMethods { allow }) => return Ok(options(allow)),
        // A request that no route answers is limited as well, whatever is wrong with it.
        Ok(Found::Nothing) => {
            limit::check_unmatched(inner, journey.client, &mut journey.limit).await?;
            return Err(Plain::new(&NOT_FOUND).into());
        }
        Err(refused) => {
            limit::check_unmatched(inner, journey.client, &mut journey.limit).await?;
            return Err(refused);
        }
    };
    journey.entry = Some(Arc::clone(&entry));
    // 8 Who is it? Before any limit that counts by user, and before the body is read.
    let identified = identify::caller(inner, &head, &entry, journey.client).await;
    let caller = identified.as_ref().ok().and_then(Option::as_deref);
    journey.caller = identified.as_ref().ok().cloned().flatten();
    // 10 May they? Decided here, told only after 9: what a route shares among all is counted by those alone who may call it.
    let permitted = allow::check(&entry, caller);
    // 9 How often? Before 10 is told, and before bad credentials are: guessing is limited like everything else.
    let counted = identified.is_ok() && permitted.is_ok();
    limit::check(
        inner,
        &entry,
        caller,
        counted,
        journey.client,
        &mut journey.limit,
    )
    .await?;
    let caller = identified?;
    // Before validation: who may not call learns nothing of what a call looks like.
    permitted?;

    let access = if head.method.is_safe() {
        Access::Read
    } else {
        Access::Write
    };
    let context = inner.container.context_of(Facts {
        access: Some(access),
        request_id: Some(journey.request_id),
        trace: Some(journey.trace),
        caller: Some(caller),
    });
    // From here on a client that goes away leaves things to release: the guard in `ending` sees to it.
    journey.guard = Some(ending::Guard::new(&context, &inner.endings));
    journey.context = Some(context.clone());
    let limits = Limits {
        body: entry.body_limit,
        body_time: inner.options.body_time,
    };
    let parts = Parts {
        head,
        context: context.clone(),
        request_id: journey.request_id,
        peer: journey.peer,
        client: journey.client,
        entry: Arc::clone(&entry),
        path_values,
        limits,
        picked: Vec::new(),
        slot,
        account: account.cloned(),
        charge: None,
    };
    let mut request = Request {
        parts,
        body,
        failures: Failures::new(),
    };
    query::check(&mut request)?;

    // Extractors, handler, answer; then the commit, still inside the time of the route.
    let committing = AtomicBool::new(false);
    let work = async {
        let response = entry.endpoint.call(&mut request).await?;
        // An error answer that a handler made by hand undoes its work like any other.
        if response.status().is_client_error() || response.status().is_server_error() {
            context.rollback().await;
            return Ok(response);
        }
        // 12 The answer leaves only after the commit.
        committing.store(true, Ordering::Relaxed);
        context.commit().await?;
        Ok::<_, Refusal>(response)
    };
    match within(entry.timeout, work).await {
        Ok(done) => Ok(done?),
        // A commit that was cut may have happened: "nothing was changed" could be a lie.
        Err(_) if committing.load(Ordering::Relaxed) => {
            Err(Unexpected::outcome_unknown("the commit took longer than the route allows").into())
        }
        Err(_) => Err(Plain::new(&TIMEOUT).into()),
    }
}

/// The route of a request; `OtherMethods` for OPTIONS and preflights, which are answered with the
/// methods of the path.
fn find<'a>(
    inner: &'a Inner,
    head: &http::request::Parts,
    preflight: bool,
) -> Result<Found<'a>, Stop> {
    limits::check_header(head)?;
    limits::check_uri(&head.uri, &inner.options)?;
    hosts::check(head, &inner.options)?;
    let path = head.uri.path();
    // 6 A preflight never has credentials: no route of the application is asked, not even one for OPTIONS.
    if preflight && let Some(allow) = inner.router.allow(path) {
        return Ok(Found::OtherMethods { allow });
    }
    match inner.router.find(head.method.as_str(), path)? {
        Found::OtherMethods { allow } if head.method != Method::OPTIONS => Err(Stop {
            refusal: Plain::new(&METHOD).into(),
            header: HeaderValue::try_from(allow)
                .ok()
                .map(|allow| (header::ALLOW, allow)),
        }),
        found => Ok(found),
    }
}

fn refuse(inner: &Inner, stop: Stop, path: &str, request_id: &str) -> Response {
    let mut response =
        crate::problem::response(&stop.refusal, path, request_id, &inner.classifiers);
    if let Some((name, value)) = stop.header {
        response.headers_mut().insert(name, value);
    }
    response
        .extensions_mut()
        .insert(Cause(Arc::from(stop.refusal)));
    response
}

/// OPTIONS says which methods an address knows.
fn options(allow: &str) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    if let Ok(allow) = HeaderValue::try_from(allow) {
        response.headers_mut().insert(header::ALLOW, allow);
    }
    response
}

fn panic_text(panic: &(dyn std::any::Any + Send)) -> &str {
    panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no message")
}

/// One line a request, at its end.
fn log(
    inner: &Inner,
    journey: &Journey,
    method: &Method,
    path: &str,
    response: &Response,
    started: Instant,
    counted: bool,
) {
    // 2 Counted under the template of the route, never under the path.
    let meter = journey
        .entry
        .as_ref()
        .map_or(&inner.unrouted, |entry| &entry.meter);
    let duration = started.elapsed();
    meter.record(response.status().as_u16(), duration);
    let code = response
        .extensions()
        .get::<crate::problem::Code>()
        .map(|code| code.0);
    let shed = code == Some(OVERLOADED.code);
    if shed {
        inner.load.note_shed();
    }
    let Some(sink) = &inner.sink else { return };
    let problem: Option<&dyn Problem> = response.extensions().get::<Cause>().map(|cause| &*cause.0);
    let cause = problem.and_then(Problem::cause);
    // A policy's reason has a field of its own: whoever asks why somebody was refused searches for it.
    let denied = cause.and_then(|cause| cause.downcast_ref::<DeniedBecause>());
    let statistics = journey
        .context
        .as_ref()
        .map(Context::statistics)
        .unwrap_or_default();
    sink.write(&AccessRecord {
        request_id: journey.request_id.as_str(),
        trace_id: journey.trace.trace_id(),
        method: method.as_str(),
        path,
        route: journey
            .entry
            .as_ref()
            .map(|entry| entry.operation.path.as_str()),
        status: response.status().as_u16(),
        duration,
        bytes: http_body::Body::size_hint(response.body())
            .exact()
            .unwrap_or(0),
        client: journey.client,
        user: journey.caller.as_deref().map(|caller| &*caller.subject),
        queries: statistics.statements,
        query_time: statistics.time,
        problem: code,
        denied_because: denied.map(DeniedBecause::reason),
        shed,
        // A stranger can cause any number of these: refusals, and what no limit counts.
        sampled: code.is_some() || (inner.limits.is_some() && !counted && journey.caller.is_none()),
        cause: cause.filter(|_| denied.is_none()),
        ..AccessRecord::at(SystemClock.now())
    });
}
