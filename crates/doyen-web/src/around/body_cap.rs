//! What layers of all requests may read of a body.
//!
//! They run before the route is known. A layer that reads the whole body must not exceed the
//! largest limit of a route. A route that reads the body while it arrives has a limit of its own,
//! so it lifts this one.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Frame, SizeHint};

use crate::Body;
use crate::body::BoxError;

/// Lifts the limit of a body.
#[derive(Clone, Default)]
pub(crate) struct BodyCap(Arc<AtomicBool>);

impl BodyCap {
    /// Limits a body, until the limit is lifted.
    pub(crate) fn limit(&self, body: Body, max_bytes: usize) -> Body {
        if body.as_whole().is_some() || body.is_empty() {
            return body;
        }
        Body::stream(Capped {
            body,
            left: max_bytes,
            is_lifted: Arc::clone(&self.0),
        })
    }

    pub(crate) fn lift(&self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

struct Capped {
    body: Body,
    left: usize,
    is_lifted: Arc<AtomicBool>,
}

impl http_body::Body for Capped {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(cx));
        let length = match &frame {
            Some(Ok(frame)) => frame.data_ref().map_or(0, Bytes::len),
            _ => 0,
        };
        match self.left.checked_sub(length) {
            Some(left) => self.left = left,
            None if self.is_lifted.load(Ordering::Relaxed) => self.left = 0,
            None => {
                let error = io::Error::other("the body is larger than every route allows");
                return Poll::Ready(Some(Err(error.into())));
            }
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
