//! Redirects.

use doyen_core::{Refusal, Unexpected};
use doyen_schema::Schema;
use doyen_schema::contract::{Answer, Contract};
use http::{StatusCode, header};

use super::IntoResponse;
use crate::request::Parts;
use crate::{Body, Response, uri_reference};

/// A redirect with this status: `Redirect` is a 303, `Redirect<307>` is temporary and
/// `Redirect<308>` permanent.
///
/// It does not check the target: never use a URL from a request. Characters that a URL cannot have
/// are percent-encoded.
///
/// ```
/// use doyen_web::Redirect;
///
/// async fn old() -> Redirect<308> {
///     Redirect::permanent("/new")
/// }
/// # let _ = old;
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Redirect<const STATUS: u16 = 303> {
    to: String,
}

impl Redirect<303> {
    /// Creates a 303. The client follows it with `GET`.
    pub fn see_other(to: impl Into<String>) -> Self {
        Self { to: to.into() }
    }
}

impl Redirect<307> {
    /// Creates a 307. The client sends the same request to the new URL.
    pub fn temporary(to: impl Into<String>) -> Self {
        Self { to: to.into() }
    }
}

impl Redirect<308> {
    /// Creates a 308. The client sends this and future requests to the new URL.
    pub fn permanent(to: impl Into<String>) -> Self {
        Self { to: to.into() }
    }
}

impl<const STATUS: u16> IntoResponse for Redirect<STATUS> {
    fn into_response(self, _: &Parts) -> Result<Response, Refusal> {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::from_u16(STATUS).map_err(Unexpected::from)?;
        response
            .headers_mut()
            .insert(header::LOCATION, uri_reference(&self.to));
        Ok(response)
    }

    fn describe(contract: &mut Contract<'_>) {
        let meaning = match STATUS {
            303 => "Redirect. Follow it with `GET`.",
            307 => "Temporary redirect. Send the same request to the new URL.",
            _ => "Permanent redirect. Send this and future requests to the new URL.",
        };
        let location = Schema::of("string").with("format", "uri-reference");
        let answer = Answer::empty(STATUS, meaning).header("Location", "URL to follow.", location);
        contract.operation.answers.push(answer);
    }
}
