//! Request and response bodies, and responses.

use std::any::Any;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Frame, SizeHint};
use http_body_util::BodyExt as _;
use http_body_util::combinators::UnsyncBoxBody;

/// A response of a handler or of the edge.
pub type Response = http::Response<Body>;

/// The error of a body that ends early.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// A request or response body, complete or streamed.
///
/// Most bodies are complete and small. They are not boxed.
pub struct Body(Inner);

enum Inner {
    Whole(Option<Bytes>),
    Stream(UnsyncBoxBody<Bytes, BoxError>),
}

impl std::fmt::Debug for Body {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.0 {
            Inner::Whole(bytes) => f
                .debug_tuple("Body")
                .field(&bytes.as_ref().map_or(0, Bytes::len))
                .finish(),
            Inner::Stream(_) => f.write_str("Body(..)"),
        }
    }
}

impl Default for Body {
    fn default() -> Self {
        Self::empty()
    }
}

impl Body {
    /// Creates an empty body.
    pub const fn empty() -> Self {
        Self(Inner::Whole(None))
    }

    /// Creates a complete body.
    pub fn whole(bytes: impl Into<Bytes>) -> Self {
        Self(Inner::Whole(
            Some(bytes.into()).filter(|bytes| !bytes.is_empty()),
        ))
    }

    /// Creates a body that is produced while it is sent.
    pub fn stream<B>(body: B) -> Self
    where
        B: http_body::Body<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        Self(Inner::Stream(body.map_err(Into::into).boxed_unsync()))
    }

    /// Creates a body from any other. A [`Body`] is returned as it is.
    pub fn new<B>(body: B) -> Self
    where
        B: http_body::Body<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        if http_body::Body::is_end_stream(&body) {
            return Self::empty();
        }
        let mut body = Some(body);
        if let Some(own) = (&mut body as &mut dyn Any).downcast_mut::<Option<Self>>() {
            return own.take().unwrap_or_else(Self::empty);
        }
        body.map_or_else(Self::empty, Self::stream)
    }

    /// Returns the bytes if the body is complete and not empty.
    pub const fn as_whole(&self) -> Option<&Bytes> {
        match &self.0 {
            Inner::Whole(bytes) => bytes.as_ref(),
            Inner::Stream(_) => None,
        }
    }

    /// True if the body is produced while it is sent.
    pub(crate) const fn is_streamed(&self) -> bool {
        matches!(self.0, Inner::Stream(_))
    }

    /// True if the body is known to be empty.
    pub fn is_empty(&self) -> bool {
        match &self.0 {
            Inner::Whole(bytes) => bytes.is_none(),
            Inner::Stream(body) => http_body::Body::is_end_stream(body),
        }
    }
}

impl http_body::Body for Body {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        match &mut self.get_mut().0 {
            Inner::Whole(bytes) => Poll::Ready(bytes.take().map(|bytes| Ok(Frame::data(bytes)))),
            Inner::Stream(body) => Pin::new(body).poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        match &self.0 {
            Inner::Whole(bytes) => {
                SizeHint::with_exact(bytes.as_ref().map_or(0, |bytes| bytes.len() as u64))
            }
            Inner::Stream(body) => body.size_hint(),
        }
    }
}
