//! The response of an upstream.

use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use serde::de::DeserializeOwned;

use crate::retry::asked_pause;
use crate::{CallError, CallErrorKind};

/// A complete response. Its body is in memory, at most `max_response` bytes.
#[derive(Clone)]
pub struct Response {
    pub(crate) client: &'static str,
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    pub(crate) tries: u32,
}

/// Without headers and body, which may contain secrets.
impl std::fmt::Debug for Response {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Response")
            .field("client", &self.client)
            .field("status", &self.status)
            .field("bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}

impl Response {
    /// Returns the status.
    pub const fn status(&self) -> StatusCode {
        self.status
    }

    /// Returns the headers.
    pub const fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// Returns a header, if it is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// Returns the body.
    pub const fn body(&self) -> &Bytes {
        &self.body
    }

    /// Returns the number of tries that the call needed.
    pub const fn tries(&self) -> u32 {
        self.tries
    }

    /// Returns the response if its status is 2xx.
    ///
    /// # Errors
    ///
    /// Returns [`CallErrorKind::Status`] for any other status.
    pub fn success(self) -> Result<Self, CallError> {
        if self.status.is_success() {
            return Ok(self);
        }
        let kind = CallErrorKind::Status(self.status.as_u16());
        let mut error = CallError::new(self.client, kind);
        error.retry_after = asked_pause(&self.headers);
        Err(error)
    }

    /// Parses the body as JSON, whatever its media type.
    ///
    /// # Errors
    ///
    /// Returns [`CallErrorKind::Body`] if it is not a `T`.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, CallError> {
        serde_json::from_slice(&self.body).map_err(|error| {
            // The text of the error can quote the body.
            let place = format!("line {}, column {}", error.line(), error.column());
            CallError::new(self.client, CallErrorKind::Body).caused_by(place)
        })
    }
}
