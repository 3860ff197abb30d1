//! Responses with text and HTML.

use doyen_core::Refusal;
use doyen_schema::Schema;
use doyen_schema::contract::{Answer, Contract};
use http::{HeaderValue, header};

use super::IntoResponse;
use crate::request::Parts;
use crate::{Body, Response};

/// 200 with plain text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text(pub String);

/// 200 with HTML. The text is sent unchanged: escape untrusted input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Html(pub String);

macro_rules! text {
    ($name:ident, $media:literal, $full:literal) => {
        impl IntoResponse for $name {
            fn into_response(self, _: &Parts) -> Result<Response, Refusal> {
                let mut response = Response::new(Body::whole(self.0));
                response
                    .headers_mut()
                    .insert(header::CONTENT_TYPE, HeaderValue::from_static($full));
                Ok(response)
            }
            fn describe(contract: &mut Contract<'_>) {
                contract.operation.answers.push(Answer::with_body(
                    200,
                    "The requested resource.",
                    $media,
                    Schema::of("string"),
                ));
            }
        }
    };
}

text!(Text, "text/plain", "text/plain; charset=utf-8");
text!(Html, "text/html", "text/html; charset=utf-8");
