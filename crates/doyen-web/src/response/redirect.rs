//! Redirects.

use doyen_core::Refusal;
use doyen_schema::Schema;
use doyen_schema::contract::{Answer, Contract};
use http::{StatusCode, header};

use super::IntoResponse;
use crate::request::Parts;
use crate::{Body, Response, uri_reference};

/// A redirect.
///
/// It does not check the target: never use a URL from a request. Characters that a URL cannot have
/// are percent-encoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Redirect {
    status: StatusCode,
    to: String,
}

impl Redirect {
    /// Creates a 303. The client follows it with `GET`.
    pub fn see_other(to: impl Into<String>) -> Self {
        Self {
            status: StatusCode::SEE_OTHER,
            to: to.into(),
        }
    }

    /// Creates a 307. The client sends the same request to the new URL.
    pub fn temporary(to: impl Into<String>) -> Self {
        Self {
            status: StatusCode::TEMPORARY_REDIRECT,
            to: to.into(),
        }
    }

    /// Creates a 308. The client sends this and future requests to the new URL.
    pub fn permanent(to: impl Into<String>) -> Self {
        Self {
            status: StatusCode::PERMANENT_REDIRECT,
            to: to.into(),
        }
    }
}

impl IntoResponse for Redirect {
    fn into_response(self, _: &Parts) -> Result<Response, Refusal> {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = self.status;
        response
            .headers_mut()
            .insert(header::LOCATION, uri_reference(&self.to));
        Ok(response)
    }

    fn describe(contract: &mut Contract<'_>) {
        let location = Schema::of("string").with("format", "uri-reference");
        // The status is chosen at run time, so all three are documented.
        for (status, meaning) in [
            (303, "Redirect. Follow it with `GET`."),
            (
                307,
                "Temporary redirect. Send the same request to the new URL.",
            ),
            (
                308,
                "Permanent redirect. Send this and future requests to the new URL.",
            ),
        ] {
            let answer = Answer::empty(status, meaning);
            contract.operation.answers.push(answer.header(
                "Location",
                "URL to follow.",
                location.clone(),
            ));
        }
    }
}
