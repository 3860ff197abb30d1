//! An answer on its way: who is waited for, the server or the client.
//!
//! A body that is produced while it is sent keeps its connection busy while the server works on the next part, not while the client does not
//! take the last one: else who never reads would keep a place for ever.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::Version;
use http_body::{Frame, SizeHint};

use super::activity::{Activity, Busy, HandedOver};
use crate::Body;
use crate::body::BoxError;

/// The body of an answer that was made, watched until it is with the socket.
pub(super) fn watched(body: Body, version: Version, made: &Busy) -> Body {
    match body.as_whole() {
        // HTTP/2 keeps what its client has no window for, and the socket shows nothing of it.
        Some(bytes) if version == Version::HTTP_2 => {
            return Body::whole(on_its_way(&made.activity(), bytes.clone()));
        }
        Some(_) => return body,
        None if body.is_empty() => return body,
        None => {}
    }
    let activity = made.activity();
    Body::stream(Produced {
        body,
        _until: activity.hand_over(),
        activity,
        working: None,
    })
}

/// A body that is produced while it is sent.
struct Produced {
    body: Body,
    activity: Activity,
    /// There while the next part is being made.
    working: Option<Busy>,
    _until: HandedOver,
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
            ..
        } = self.get_mut();
        working.get_or_insert_with(|| activity.begin());
        let made = Pin::new(body).poll_frame(cx);
        if made.is_ready() {
            *working = None;
        }
        made.map_ok(|frame| frame.map_data(|bytes| on_its_way(activity, bytes)))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// These bytes, counted until the last of them is written or dropped.
fn on_its_way(activity: &Activity, bytes: Bytes) -> Bytes {
    struct Counted {
        bytes: Bytes,
        _until: HandedOver,
    }

    impl AsRef<[u8]> for Counted {
        fn as_ref(&self) -> &[u8] {
            &self.bytes
        }
    }

    Bytes::from_owner(Counted {
        bytes,
        _until: activity.hand_over(),
    })
}
