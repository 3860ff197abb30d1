//! The raw body and the raw request.

use bytes::Bytes;
use doyen_core::Refusal;
use doyen_schema::Schema;
use doyen_schema::contract::{Contract, RequestBody};

use super::{FromRequest, ViaBody, body};
use crate::request::Request;

impl FromRequest<ViaBody> for Bytes {
    async fn from_request(request: &mut Request) -> Result<Option<Self>, Refusal> {
        body::read(request).await.map(Some)
    }
    fn describe(contract: &mut Contract<'_>) {
        contract.operation.body = Some(any_body());
        contract.operation.fails(body::problems());
    }
}

/// The whole request with its unread body, which fails when it exceeds the size limit of the route.
impl FromRequest<ViaBody> for http::Request<crate::Body> {
    async fn from_request(request: &mut Request) -> Result<Option<Self>, Refusal> {
        let body = body::bounded(request)?;
        Ok(Some(http::Request::from_parts(
            request.parts.head.clone(),
            body,
        )))
    }
    fn describe(contract: &mut Contract<'_>) {
        // A GET or a HEAD has no body (RFC 9110 section 9.3.1).
        if contract.operation.method != "GET" {
            contract.operation.body = Some(any_body());
        }
        contract.operation.fails([body::too_large()]);
    }
}

/// The contract of a body of any media type, which may be missing.
fn any_body() -> RequestBody {
    RequestBody {
        media_types: vec!["*/*"],
        required: false,
        schema: Schema::any(),
        description: String::new(),
    }
}
