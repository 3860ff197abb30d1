//! JSON bodies.

use doyen_core::{At, Invalid, Place, Problem, Refusal};
use doyen_schema::contract::{Contract, RequestBody};
use doyen_schema::input::{Input, json};
use http::header::CONTENT_TYPE;

use super::{FromRequest, ViaBody, body};
use crate::request::Request;

/// Reads a request body or writes a response body as JSON (RFC 8259).
///
/// As a parameter it rejects another `Content-Type` (415), malformed JSON and duplicate keys (400),
/// a body over the limit (413), and invalid values (422 with every failure).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Json<T>(pub T);

/// Reads the body as a JSON merge patch (RFC 7396): missing fields stay unchanged, null clears, and
/// values replace.
///
/// Accepts `application/merge-patch+json` and `application/json`. Declare the fields as `Patch<T>`,
/// or as `Patch<Option<T>>` if null is allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MergePatch<T>(pub T);

const JSON: &[&str] = &["application/json"];
const MERGE: &[&str] = &["application/merge-patch+json", "application/json"];

impl<T> Json<T> {
    /// Returns the value.
    pub fn into_inner(self) -> T {
        self.0
    }
}

impl<T> MergePatch<T> {
    /// Returns the value.
    pub fn into_inner(self) -> T {
        self.0
    }
}

impl<T: Input> FromRequest<ViaBody> for Json<T> {
    async fn from_request(request: &mut Request) -> Result<Option<Self>, Refusal> {
        Ok(read(request, JSON).await?.map(Json))
    }
    fn describe(contract: &mut Contract<'_>) {
        describe::<T>(contract, JSON);
    }
}

/// `None` for a request without a body, and for a body that is `null`.
impl<T: Input> FromRequest<ViaBody> for Option<Json<T>> {
    async fn from_request(request: &mut Request) -> Result<Option<Self>, Refusal> {
        let is_typed = request.parts.head.headers.contains_key(CONTENT_TYPE);
        if !is_typed && http_body::Body::is_end_stream(&request.body) {
            return Ok(Some(None));
        }
        body::expect(request, JSON)?;
        let bytes = body::read(request).await?;
        if bytes.is_empty() {
            return Ok(Some(None));
        }
        Ok(parse::<Option<T>>(request, &bytes)
            .await?
            .map(|value| value.map(Json)))
    }
    fn describe(contract: &mut Contract<'_>) {
        describe::<Option<T>>(contract, JSON);
        if let Some(body) = &mut contract.operation.body {
            body.required = false;
        }
    }
}

impl<T: Input> FromRequest<ViaBody> for MergePatch<T> {
    async fn from_request(request: &mut Request) -> Result<Option<Self>, Refusal> {
        Ok(read(request, MERGE).await?.map(MergePatch))
    }
    fn describe(contract: &mut Contract<'_>) {
        describe::<T>(contract, MERGE);
    }
}

async fn read<T: Input>(request: &mut Request, media_types: &[&str]) -> Result<Option<T>, Refusal> {
    body::expect(request, media_types)?;
    let bytes = body::read(request).await?;
    parse(request, &bytes).await
}

async fn parse<T: Input>(request: &mut Request, bytes: &[u8]) -> Result<Option<T>, Refusal> {
    let at = At::root(Place::Body);
    let before = request.failures.len();
    let value = T::parse(
        json::parse(bytes, &json::Limits::default())?,
        &at,
        &mut request.failures,
    );
    match value {
        Some(value) if T::ASYNC && request.failures.len() == before => {
            value
                .verify(&request.parts.context, &at, &mut request.failures)
                .await;
            Ok((request.failures.len() == before).then_some(value))
        }
        value => Ok(value),
    }
}

fn describe<T: Input>(contract: &mut Contract<'_>, media_types: &[&'static str]) {
    let schema = T::schema(contract.components);
    contract.operation.body = Some(RequestBody {
        media_types: media_types.to_vec(),
        required: true,
        schema,
        description: String::new(),
    });
    contract.operation.fails(json::JsonError::catalogue());
    contract.operation.fails(body::problems());
    contract.operation.fails(Invalid::catalogue());
}
