//! Response bodies while they are sent.
//!
//! A streamed body keeps its connection busy while the server produces the next part, but not while
//! the client does not read the last one. Otherwise a client that never reads could keep a
//! connection open forever.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Frame, SizeHint};

use super::activity::{Activity, Busy, HandedOver};
use super::flow::Flow;
use crate::Body;
use crate::body::BoxError;
use crate::budget::Charge;

/// Approximate size of a response head.
const HEAD_BYTES: usize = 1 << 10;

/// Returns the body of a response over HTTP/1.1, observed until it is written.
pub(super) fn http1(body: Body, request: &Busy, flow: &Arc<Flow>) -> Body {
    let whole = body.as_whole().map_or(0, Bytes::len);
    flow.hand_over(HEAD_BYTES + whole);
    if whole > 0 || body.is_empty() {
        return body;
    }
    Body::stream(Streamed::new(body, request, flow, None))
}

/// Returns the body of a response over HTTP/2, observed until it is written. `charge` is that of
/// the request. Returns `None` if the connection is closing, because its memory is needed now.
pub(super) fn http2(
    body: Body,
    request: &Busy,
    flow: &Arc<Flow>,
    mut charge: Charge,
) -> Option<Body> {
    if let Some(bytes) = body.as_whole() {
        charge.add(bytes.len());
        if charge.is_closing() {
            return None;
        }
        // The HTTP/2 implementation buffers what exceeds the client's window, unseen by the socket.
        let bytes = tracked(&request.activity(), bytes.clone(), Some(charge));
        return Some(Body::whole(bytes));
    }
    if body.is_empty() {
        flow.keep_until_sent(charge);
        return Some(body);
    }
    Some(Body::stream(Streamed::new(
        body,
        request,
        flow,
        Some(charge),
    )))
}

/// A streamed body.
struct Streamed {
    body: Body,
    activity: Activity,
    /// Set while the next part is being produced.
    working: Option<Busy>,
    flow: Arc<Flow>,
    charge: Option<Charge>,
    _handed_over: HandedOver,
}

impl Streamed {
    fn new(body: Body, request: &Busy, flow: &Arc<Flow>, charge: Option<Charge>) -> Self {
        let activity = request.activity();
        Self {
            body,
            _handed_over: activity.hand_over(),
            activity,
            working: None,
            flow: Arc::clone(flow),
            charge,
        }
    }
}

impl http_body::Body for Streamed {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let Self {
            body,
            activity,
            working,
            flow,
            charge,
            ..
        } = self.get_mut();
        working.get_or_insert_with(|| activity.begin());
        let frame = Pin::new(body).poll_frame(cx);
        if frame.is_ready() {
            *working = None;
        }
        frame.map_ok(|frame| {
            frame.map_data(|bytes| {
                let charge = charge
                    .as_ref()
                    .map(|response| response.sibling(bytes.len()));
                if charge.is_none() {
                    flow.hand_over(bytes.len());
                }
                tracked(activity, bytes, charge)
            })
        })
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// Returns the bytes, which count as handed over until the last reference is dropped.
fn tracked(activity: &Activity, bytes: Bytes, charge: Option<Charge>) -> Bytes {
    struct Tracked {
        bytes: Bytes,
        _charge: Option<Charge>,
        _handed_over: HandedOver,
    }

    impl AsRef<[u8]> for Tracked {
        fn as_ref(&self) -> &[u8] {
            &self.bytes
        }
    }

    Bytes::from_owner(Tracked {
        bytes,
        _charge: charge,
        _handed_over: activity.hand_over(),
    })
}
