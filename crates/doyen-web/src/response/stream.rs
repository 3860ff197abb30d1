//! Streamed responses.

use bytes::Bytes;
use doyen_core::Refusal;
use doyen_schema::Schema;
use doyen_schema::contract::{Answer, Contract};
use futures_util::{StreamExt as _, TryStreamExt as _};
use http::{HeaderValue, header};
use http_body::Frame;
use http_body_util::StreamBody;

use super::IntoResponse;
use crate::body::BoxError;
use crate::request::Parts;
use crate::{Body, Response};

/// 200 with a body that is produced while it is sent. The unit of work is committed and its
/// connection returned before the first byte is sent, so a stream cannot use the Session of the
/// request.
pub struct Stream {
    media_type: HeaderValue,
    body: Body,
}

impl std::fmt::Debug for Stream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Stream")
            .field("media_type", &self.media_type)
            .finish_non_exhaustive()
    }
}

impl Stream {
    /// Creates a stream that sends each chunk immediately. An error aborts the connection, so that
    /// the client notices that the body is incomplete.
    pub fn new<S, E>(media_type: &'static str, chunks: S) -> Self
    where
        S: futures_util::Stream<Item = Result<Bytes, E>> + Send + 'static,
        E: Into<BoxError> + 'static,
    {
        let frames = chunks.map(|chunk| chunk.map(Frame::data).map_err(Into::<BoxError>::into));
        Self {
            media_type: HeaderValue::from_static(media_type),
            body: Body::stream(StreamBody::new(frames.into_stream())),
        }
    }
}

impl IntoResponse for Stream {
    fn into_response(self, _: &Parts) -> Result<Response, Refusal> {
        let mut response = Response::new(self.body);
        response
            .headers_mut()
            .insert(header::CONTENT_TYPE, self.media_type);
        Ok(response)
    }

    fn describe(contract: &mut Contract<'_>) {
        let schema = Schema::of("string").with("contentMediaType", "application/octet-stream");
        contract.operation.answers.push(Answer::with_body(
            200,
            "The stream.",
            "application/octet-stream",
            schema,
        ));
    }
}
