//! The requests of one connection: passes them to the service and observes the responses.
//!
//! HTTP/1.1 has one at a time, so their state is part of the connection. HTTP/2 has many, and each
//! is charged to the account of the connection until its response is sent.

use std::convert::Infallible;
use std::future::Future;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use doyen_core::sync::lock;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Version, header};
use hyper::body::Incoming;
use hyper::upgrade::OnUpgrade;

use super::activity::{Activity, Busy};
use super::flow::Flow;
use super::receiving::{self, DrainLimits};
use super::{ConnectionInfo, http2_head, sending};
use crate::budget::{Account, Charge};
use crate::rejected_head::RejectedHead;
use crate::service::Service;
use crate::upgrade::{CanUpgrade, Upgrade};
use crate::{Body, Response};

/// Memory that an HTTP/2 request takes until its response exists, in addition to headers and body:
/// the state of its stream and of its handler.
const REQUEST_BYTES: usize = 8 << 10;

/// The part of it that remains until the response is sent: the state of the stream and the response
/// headers.
const RESPONSE_BYTES: usize = 3 << 10;

/// Why a stream is reset when the connection is closing because its client holds too much: the
/// client must not mistake the end for a response.
const CLOSING: h2::Reason = h2::Reason::ENHANCE_YOUR_CALM;

const EVENT_STREAM: &[u8] = b"text/event-stream";

/// The state that the requests of a connection share.
pub(super) struct Requests {
    pub(super) service: Service,
    pub(super) connection: ConnectionInfo,
    pub(super) activity: Activity,
    pub(super) flow: Arc<Flow>,
    pub(super) account: Arc<Account>,
    /// What takes over the connection after a 101.
    pub(super) upgrade: Mutex<Option<PendingUpgrade>>,
    /// The response that takes over the connection from the parser.
    pub(super) event_stream: Mutex<Option<Response>>,
    /// True once there is one: the connection asks at each poll.
    pub(super) has_event_stream: AtomicBool,
}

/// A connection that leaves HTTP when its response is written.
pub(super) struct PendingUpgrade {
    pub(super) connection: OnUpgrade,
    pub(super) upgrade: Upgrade,
}

/// An HTTP/2 request that is being handled.
pub(super) struct OpenStream {
    charge: Charge,
    /// Bytes that are released when the response exists.
    transient: usize,
    busy: Busy,
}

impl Requests {
    /// Serves a request over HTTP/1.1.
    pub(super) async fn http1(
        self: Arc<Self>,
        mut request: http::Request<Incoming>,
    ) -> Result<Response, Infallible> {
        let busy = self.activity.begin();
        let rejected = self.flow.next_request();
        let is_upgrade = request.version() == Version::HTTP_11
            && has_token(request.headers(), header::CONNECTION, "upgrade");
        let connection = is_upgrade.then(|| {
            request.extensions_mut().insert(CanUpgrade);
            hyper::upgrade::on(&mut request)
        });
        let may_stream =
            request.version() == Version::HTTP_11 && http_body::Body::is_end_stream(request.body());
        let request = self.receive(request, &busy);
        let mut response = self.respond(reject(request, rejected)).await;
        if response.status() == StatusCode::SWITCHING_PROTOCOLS {
            let upgrade = response.extensions_mut().remove::<Upgrade>();
            *lock(&self.upgrade) =
                connection
                    .zip(upgrade)
                    .map(|(connection, upgrade)| PendingUpgrade {
                        connection,
                        upgrade,
                    });
            return Ok(response);
        }
        // Not while the parser holds a part of an earlier response.
        if may_stream && is_event_stream(&response) && self.flow.unflushed() == 0 {
            let response = response.map(|body| sending::http1(body, &busy, &self.flow));
            *lock(&self.event_stream) = Some(response);
            self.has_event_stream.store(true, Ordering::Relaxed);
            // The connection drops the parser, and this future with it.
            return std::future::pending().await;
        }
        if rejected.is_some() || self.flow.is_closing() || self.service.is_draining() {
            let close = HeaderValue::from_static("close");
            response.headers_mut().insert(header::CONNECTION, close);
        }
        Ok(response.map(|body| sending::http1(body, &busy, &self.flow)))
    }

    /// Returns the work that takes over the connection after a 101.
    pub(super) fn take_upgrade(&self) -> Option<PendingUpgrade> {
        lock(&self.upgrade).take()
    }

    /// Returns the response that takes over the connection from the parser.
    pub(super) fn take_event_stream(&self) -> Option<Response> {
        match self.has_event_stream.load(Ordering::Relaxed) {
            true => lock(&self.event_stream).take(),
            false => None,
        }
    }

    /// Observes the body of a request over HTTP/1.1.
    fn receive(&self, request: http::Request<Incoming>, busy: &Busy) -> http::Request<Body> {
        let (head, body) = request.into_parts();
        if http_body::Body::is_end_stream(&body) {
            return http::Request::from_parts(head, Body::empty());
        }
        let options = self.service.options();
        // After the last request of a connection there is no reason to read a body to its end.
        let is_last = head.version == Version::HTTP_10
            || has_token(&head.headers, header::CONNECTION, "close")
            || self.service.is_draining();
        let limits = DrainLimits {
            max_bytes: if is_last { 0 } else { options.body_limit },
            timeout: options.body_time,
        };
        let waits = has_token(&head.headers, header::EXPECT, "100-continue");
        let body = receiving::http1(body, waits, limits, busy, &self.flow);
        http::Request::from_parts(head, body)
    }

    /// Charges an HTTP/2 request. This happens before its task starts, because many tasks of a
    /// connection can wait for a core.
    pub(super) fn open(&self, headers: &HeaderMap) -> OpenStream {
        let fields = field_bytes(headers);
        OpenStream {
            charge: self.account.charge(REQUEST_BYTES + fields),
            transient: REQUEST_BYTES - RESPONSE_BYTES + fields,
            busy: self.activity.begin(),
        }
    }

    /// Serves a request over HTTP/2.
    pub(super) async fn http2(
        self: Arc<Self>,
        stream: OpenStream,
        request: http::Request<Incoming>,
    ) -> Result<Response, h2::Error> {
        let OpenStream {
            mut charge,
            transient,
            busy,
        } = stream;
        if self.account.is_closing() {
            return Err(CLOSING.into());
        }
        let rejected = if self.account.is_full() {
            Some(RejectedHead::UnreadResponses)
        } else {
            http2_head::check(request.uri(), request.headers())?
        };
        let request = request.map(|body| {
            if http_body::Body::is_end_stream(&body) {
                Body::empty()
            } else {
                Body::stream(body)
            }
        });
        let (head, body) = self.respond(reject(request, rejected)).await.into_parts();
        charge.remove(transient);
        let charge = charge.into_response();
        let body = sending::http2(body, &busy, &self.flow, charge).ok_or(CLOSING)?;
        Ok(Response::from_parts(head, body))
    }

    // Not `async`: each async layer would keep a copy of the request.
    fn respond(&self, request: http::Request<Body>) -> impl Future<Output = Response> + Send {
        self.service.serve(request, self.connection, &self.account)
    }
}

/// True for a response whose events are sent while it lasts.
fn is_event_stream(response: &Response) -> bool {
    // Most bodies are whole, which costs no lookup.
    response.body().is_streamed()
        && response
            .headers()
            .get(header::CONTENT_TYPE)
            .is_some_and(|value| value.as_bytes().starts_with(EVENT_STREAM))
}

/// Adds the reason for the rejection of a request to its extensions.
fn reject(mut request: http::Request<Body>, rejected: Option<RejectedHead>) -> http::Request<Body> {
    if let Some(rejected) = rejected {
        request.extensions_mut().insert(rejected);
    }
    request
}

/// True if the list in a header has this element.
fn has_token(headers: &HeaderMap, name: HeaderName, token: &str) -> bool {
    let values = headers.get_all(name).iter();
    values
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|element| element.trim().eq_ignore_ascii_case(token))
}

/// Returns the bytes of names and values.
fn field_bytes(headers: &HeaderMap) -> usize {
    let field = |(name, value): (&HeaderName, &HeaderValue)| name.as_str().len() + value.len();
    headers.iter().map(field).sum()
}
