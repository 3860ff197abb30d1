//! Why a step ends the request.

use std::sync::Arc;

use doyen_core::{Kind, Refusal};
use http::{HeaderName, HeaderValue, header};

use super::Pipeline;
use crate::Response;
use crate::problem::Cause;

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
        pipeline: &Pipeline,
        path: &str,
        request_id: &str,
    ) -> Response {
        let mut response = pipeline.problems.response(&self.refusal, path, request_id);
        let info = self.refusal.info();
        let headers = response.headers_mut();
        if info.kind == Kind::Unauthenticated && !headers.contains_key(header::WWW_AUTHENTICATE) {
            headers.insert(header::WWW_AUTHENTICATE, pipeline.challenges.of(info.code));
        }
        if let Some((name, value)) = self.header {
            response.headers_mut().insert(name, value);
        }
        response
            .extensions_mut()
            .insert(Cause(Arc::from(self.refusal)));
        response
    }
}
