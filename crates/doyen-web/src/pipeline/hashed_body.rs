//! A body that is hashed while the handler reads it.

use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use bytes::Bytes;
use doyen_core::idempotency::{BodyDigest, Content};
use doyen_core::sync::lock;
use http_body::{Frame, SizeHint};

use crate::Body;
use crate::body::BoxError;

/// The hash of a body that arrives.
#[derive(Clone)]
pub(super) struct Hashed(Arc<Mutex<State>>);

struct State {
    digest: Box<dyn BodyDigest>,
    has_ended: bool,
}

impl Hashed {
    pub(super) fn new(digest: Box<dyn BodyDigest>) -> Self {
        Self(Arc::new(Mutex::new(State {
            digest,
            has_ended: false,
        })))
    }

    /// Returns the same body, which is hashed when it is read.
    pub(super) fn of(&self, body: Body) -> Body {
        let state = Arc::clone(&self.0);
        Body::stream(HashedBody { body, state })
    }

    /// Returns the hash, if all of the body was read.
    pub(super) fn content(&self) -> Option<Content> {
        let state = lock(&self.0);
        let is_complete = state.has_ended || state.digest.is_closed();
        is_complete.then(|| state.digest.finish())
    }
}

struct HashedBody {
    body: Body,
    state: Arc<Mutex<State>>,
}

impl http_body::Body for HashedBody {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let this = self.get_mut();
        let polled = Pin::new(&mut this.body).poll_frame(cx);
        match &polled {
            Poll::Ready(Some(Ok(frame))) => {
                if let Some(bytes) = frame.data_ref() {
                    lock(&this.state).digest.update(bytes);
                }
            }
            Poll::Ready(None) => lock(&this.state).has_ended = true,
            Poll::Ready(Some(Err(_))) | Poll::Pending => {}
        }
        polled
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
