//! Request bodies over HTTP/1.1 while they arrive.
//!
//! The next request on a connection follows the body. If no handler reads a body, it has to be
//! discarded, or the connection has to close. The parser would close it without an announcement,
//! and the client would lose its next request. So an unread body is discarded in the background if
//! its length is known and small. Otherwise the response announces the close (RFC 9112 section
//! 9.6).

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body as _, Frame, SizeHint};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use tokio::runtime::Handle;
use tokio::time::{Instant, timeout_at};

use super::activity::Busy;
use super::flow::Flow;
use crate::Body;

/// Limits of a body that is discarded.
#[derive(Clone, Copy)]
pub(super) struct DrainLimits {
    pub(super) max_bytes: usize,
    /// From the head of the request on.
    pub(super) timeout: Duration,
}

/// Returns the body of a request, observed until it has arrived. `waits` is true for a client that
/// sends it only when asked to (`Expect: 100-continue`).
pub(super) fn http1(
    body: Incoming,
    waits: bool,
    limits: DrainLimits,
    request: &Busy,
    flow: &Arc<Flow>,
) -> Body {
    Body::stream(Received {
        body: Some(body),
        is_coming: !waits,
        max_bytes: limits.max_bytes,
        deadline: Instant::now() + limits.timeout,
        request: request.again(),
        flow: Arc::clone(flow),
    })
}

/// A body that arrives.
struct Received {
    /// Set until it has arrived or failed.
    body: Option<Incoming>,
    /// False while the client may decide not to send it.
    is_coming: bool,
    max_bytes: usize,
    deadline: Instant,
    request: Busy,
    flow: Arc<Flow>,
}

impl http_body::Body for Received {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        self.is_coming = true;
        let Some(body) = &mut self.body else {
            return Poll::Ready(None);
        };
        let frame = Pin::new(body).poll_frame(cx);
        if matches!(frame, Poll::Ready(None | Some(Err(_)))) {
            // The parser closes the connection after an error.
            self.body = None;
        }
        if matches!(frame, Poll::Ready(Some(Err(_)))) {
            self.flow.close();
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(Incoming::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body
            .as_ref()
            .map_or_else(SizeHint::new, Incoming::size_hint)
    }
}

impl Drop for Received {
    fn drop(&mut self) {
        let unread = self.body.take().filter(|body| !body.is_end_stream());
        let Some(mut body) = unread else {
            return;
        };
        let length = body.size_hint().exact();
        let is_short = length.is_some_and(|length| length <= self.max_bytes as u64);
        let deadline = self.deadline;
        match Handle::try_current() {
            Ok(runtime) if self.is_coming && is_short && Instant::now() < deadline => {
                let request = self.request.again();
                runtime.spawn(async move {
                    let rest = async { while let Some(Ok(_)) = body.frame().await {} };
                    // A client that is too slow has not completed its request.
                    let _ = timeout_at(deadline, rest).await;
                    drop(request);
                });
            }
            _ => self.flow.close(),
        }
    }
}
