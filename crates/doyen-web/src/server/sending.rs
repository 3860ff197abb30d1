//! An answer on its way: who is waited for, the server or the client.
//!
//! A body that is produced while it is sent keeps its connection busy while the server works on the next part, not while the client does not
//! take the last one: else who never reads would keep a place for ever.

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

/// Bytes that the head of a response takes, about.
const HEAD_BYTES: usize = 1 << 10;

/// The body of a response over HTTP/1.1, watched until it is written.
pub(super) fn http1(body: Body, made: &Busy, flow: &Arc<Flow>) -> Body {
    let whole = body.as_whole().map_or(0, Bytes::len);
    flow.hand_over(HEAD_BYTES + whole);
    if whole > 0 || body.is_empty() {
        return body;
    }
    Body::stream(Produced::new(body, made, flow, None))
}

/// The body of a response over HTTP/2, watched until it is written. `charge` is that of its request.
/// `None` if the connection is closing: its memory is needed now, not when the connection is gone.
pub(super) fn http2(body: Body, made: &Busy, flow: &Arc<Flow>, mut charge: Charge) -> Option<Body> {
    if let Some(bytes) = body.as_whole() {
        charge.add(bytes.len());
        if charge.is_closing() {
            return None;
        }
        // HTTP/2 keeps what its client has no window for, and the socket shows nothing of it.
        let bytes = on_its_way(&made.activity(), bytes.clone(), Some(charge));
        return Some(Body::whole(bytes));
    }
    if body.is_empty() {
        flow.keep_until_sent(charge);
        return Some(body);
    }
    Some(Body::stream(Produced::new(body, made, flow, Some(charge))))
}

/// A body that is produced while it is sent.
struct Produced {
    body: Body,
    activity: Activity,
    /// There while the next part is being made.
    working: Option<Busy>,
    flow: Arc<Flow>,
    charge: Option<Charge>,
    _until: HandedOver,
}

impl Produced {
    fn new(body: Body, made: &Busy, flow: &Arc<Flow>, charge: Option<Charge>) -> Self {
        let activity = made.activity();
        Self {
            body,
            _until: activity.hand_over(),
            activity,
            working: None,
            flow: Arc::clone(flow),
            charge,
        }
    }
}

impl http_body::Body for Produced {
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
        let made = Pin::new(body).poll_frame(cx);
        if made.is_ready() {
            *working = None;
        }
        made.map_ok(|frame| {
            frame.map_data(|bytes| {
                let charge = charge.as_ref().map(|whole| whole.sibling(bytes.len()));
                if charge.is_none() {
                    flow.hand_over(bytes.len());
                }
                on_its_way(activity, bytes, charge)
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

/// These bytes, counted until the last of them is written or dropped.
fn on_its_way(activity: &Activity, bytes: Bytes, charge: Option<Charge>) -> Bytes {
    struct Counted {
        bytes: Bytes,
        _charge: Option<Charge>,
        _until: HandedOver,
    }

    impl AsRef<[u8]> for Counted {
        fn as_ref(&self) -> &[u8] {
            &self.bytes
        }
    }

    Bytes::from_owner(Counted {
        bytes,
        _charge: charge,
        _until: activity.hand_over(),
    })
}
