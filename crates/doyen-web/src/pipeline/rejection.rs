//! Why a step ends the request.

use std::sync::Arc;

use doyen_core::Refusal;
use http::{HeaderName, HeaderValue};

use crate::Response;
use crate::problem::{self, Cause, Classifier};

/// A problem, and a response header that belongs to it.
pub(super) struct Rejection {
    pub(super) refusal: Refusal,
    pub(super) header: Option<(HeaderName, HeaderValue)>,
}

impl<R: Into<Refusal>> From<R> for Rejection {
    fn from(refusal: R) -> Self {
        Self {
            refusal: refusal.into(),
            header: None,
        }
    }
}

impl Rejection {
    /// Converts it into a problem response for this path.
    pub(super) fn into_response(
        self,
        path: &str,
        request_id: &str,
        classifiers: &[Classifier],
    ) -> Response {
        let mut response = problem::response(&self.refusal, path, request_id, classifiers);
        if let Some((name, value)) = self.header {
            response.headers_mut().insert(name, value);
        }
        response
            .extensions_mut()
            .insert(Cause(Arc::from(self.refusal)));
        response
    }
}
