//! Streamed responses.

use std::marker::PhantomData;

use bytes::Bytes;
use doyen_core::Refusal;
use doyen_schema::Schema;
use doyen_schema::contract::{Answer, Contract};
use futures_util::{StreamExt as _, TryStreamExt as _};
use http::{HeaderValue, header};
use http_body::Frame;
use http_body_util::StreamBody;

use super::{IntoResponse, MediaType, OctetStream};
use crate::body::BoxError;
use crate::request::Parts;
use crate::{Body, Response};

/// 200 with a body of this media type that is produced while it is sent. The unit of work is
/// committed and its connection returned before the first byte is sent, so a stream cannot use the
/// Session of the request.
///
/// ```
/// use bytes::Bytes;
/// use doyen_web::{Stream, response::Csv};
///
/// async fn export() -> Stream<Csv> {
///     let rows = ["id,name\n", "1,Ada\n"].map(|row| Ok::<_, std::io::Error>(Bytes::from(row)));
///     Stream::new(futures_util::stream::iter(rows))
/// }
/// # let _ = export;
/// ```
pub struct Stream<M = OctetStream> {
    media_type: PhantomData<fn() -> M>,
    body: Body,
}

impl<M: MediaType> std::fmt::Debug for Stream<M> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Stream")
            .field("media_type", &M::NAME)
            .finish_non_exhaustive()
    }
}

impl<M: MediaType> Stream<M> {
    /// Creates a stream that sends each chunk immediately. An error aborts the connection, so that
    /// the client notices that the body is incomplete.
    pub fn new<S, E>(chunks: S) -> Self
    where
        S: futures_util::Stream<Item = Result<Bytes, E>> + Send + 'static,
        E: Into<BoxError> + 'static,
    {
        let frames = chunks.map(|chunk| chunk.map(Frame::data).map_err(Into::<BoxError>::into));
        Self {
            media_type: PhantomData,
            body: Body::stream(StreamBody::new(frames.into_stream())),
        }
    }
}

impl<M: MediaType> IntoResponse for Stream<M> {
    fn into_response(self, _: &Parts) -> Result<Response, Refusal> {
        let mut response = Response::new(self.body);
        response.headers_mut().insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static(M::CONTENT_TYPE),
        );
        Ok(response)
    }

    fn describe(contract: &mut Contract<'_>) {
        let schema = Schema::of("string").with("contentMediaType", M::NAME);
        contract
            .operation
            .answers
            .push(Answer::with_body(200, "The stream.", M::NAME, schema));
    }
}
