//! Responses with a JSON body, and the response without a body.

use doyen_core::{Refusal, Unexpected};
use doyen_schema::contract::{Answer, Contract};
use doyen_schema::{Output, Schema};
use http::{HeaderValue, StatusCode, header};

use super::IntoResponse;
use crate::request::Parts;
use crate::{Body, Json, Response, conditions, etag, uri_reference};

pub(crate) const JSON: &str = "application/json";

/// 201 with the new resource. `Location` is its URL, if the type provides one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Created<T>(pub T);

/// 202 for work that continues after the response. The body says how to learn the outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Accepted<T>(pub T);

/// 204 without a body.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NoContent;

/// 200 with a body that must not be cached (RFC 9111 section 5.2.2.5), such as tokens and secrets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoStore<T>(pub T);

impl<T: Output> IntoResponse for Json<T> {
    fn into_response(self, parts: &Parts) -> Result<Response, Refusal> {
        write(StatusCode::OK, &self.0, parts)
    }
    fn describe(contract: &mut Contract<'_>) {
        answer::<T>(contract, 200, "The requested resource.");
    }
}

impl<T: Output> IntoResponse for Created<T> {
    fn into_response(self, parts: &Parts) -> Result<Response, Refusal> {
        let mut response = write(StatusCode::CREATED, &self.0, parts)?;
        if let Some(location) = self.0.location() {
            let location = uri_reference(&location);
            response.headers_mut().insert(header::LOCATION, location);
        }
        Ok(response)
    }
    fn describe(contract: &mut Contract<'_>) {
        let schema = T::schema(contract.components);
        let location = Schema::of("string").with("format", "uri-reference");
        let mut answer = Answer::with_body(201, "The created resource.", JSON, schema);
        if T::LOCATED {
            answer = answer.header("Location", "URL of the created resource.", location);
        }
        contract.operation.answers.push(tagged::<T>(answer));
    }
}

impl<T: Output> IntoResponse for Accepted<T> {
    fn into_response(self, parts: &Parts) -> Result<Response, Refusal> {
        write(StatusCode::ACCEPTED, &self.0, parts)
    }
    fn describe(contract: &mut Contract<'_>) {
        answer::<T>(contract, 202, "The request was accepted for processing.");
    }
}

impl<T: Output> IntoResponse for NoStore<T> {
    fn into_response(self, parts: &Parts) -> Result<Response, Refusal> {
        let mut response = write(StatusCode::OK, &self.0, parts)?;
        response
            .headers_mut()
            .insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        Ok(response)
    }
    fn describe(contract: &mut Contract<'_>) {
        answer::<T>(
            contract,
            200,
            "The requested resource. The response must not be cached.",
        );
    }
}

impl IntoResponse for NoContent {
    fn into_response(self, _: &Parts) -> Result<Response, Refusal> {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::NO_CONTENT;
        Ok(response)
    }
    fn describe(contract: &mut Contract<'_>) {
        contract
            .operation
            .answers
            .push(Answer::empty(204, "Success. The response has no body."));
    }
}

fn answer<T: Output>(contract: &mut Contract<'_>, status: u16, description: &str) {
    let schema = T::schema(contract.components);
    contract.operation.fields = contract.components.properties(&schema);
    contract
        .operation
        .answers
        .push(tagged::<T>(Answer::with_body(
            status,
            description,
            JSON,
            schema,
        )));
}

/// Adds the `ETag` header of types that have a version.
fn tagged<T: Output>(answer: Answer) -> Answer {
    if !T::TAGGED {
        return answer;
    }
    answer.header(
        "ETag",
        "Version of the resource, for `If-Match` and `If-None-Match`.",
        Schema::of("string"),
    )
}

fn write<T: Output>(status: StatusCode, value: &T, parts: &Parts) -> Result<Response, Refusal> {
    let tag = value.etag().map(|tag| etag::header(&tag)).transpose()?;
    if status == StatusCode::OK
        && let Some(tag) = &tag
        && let Some(response) = conditions::already_sent(parts, tag)
    {
        return Ok(response);
    }
    check_writable(std::slice::from_ref(value))?;
    let wanted = &parts.wanted;
    let bytes = if wanted.is_all() {
        serde_json::to_vec(value).map_err(Unexpected::from)?
    } else {
        let mut json = serde_json::to_value(value).map_err(Unexpected::from)?;
        wanted.apply(&mut json);
        serde_json::to_vec(&json).map_err(Unexpected::from)?
    };
    let mut response = bytes_response(status, bytes);
    if let Some(tag) = tag {
        response.headers_mut().insert(header::ETAG, tag);
    }
    Ok(response)
}

pub(crate) const UNWRITABLE: &str =
    "the response holds NaN, an infinite number or a date outside of the years 0001 to 9999";

/// Returns an error if the response is a number or a date that JSON cannot hold. Fields check their
/// values when they are written.
pub(crate) fn check_writable<T: Output>(values: &[T]) -> Result<(), Unexpected> {
    if values.iter().all(T::is_writable) {
        return Ok(());
    }
    Err(Unexpected::new(UNWRITABLE))
}

/// Returns a JSON response with these bytes.
pub(crate) fn bytes_response(status: StatusCode, bytes: Vec<u8>) -> Response {
    let mut response = Response::new(Body::whole(bytes));
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, HeaderValue::from_static(JSON));
    response
}
