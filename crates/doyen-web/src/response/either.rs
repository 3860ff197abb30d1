//! One of two responses.

use doyen_core::Refusal;
use doyen_schema::contract::Contract;

use super::IntoResponse;
use crate::Response;
use crate::request::Parts;

/// One of two responses: `Either<Json<Item>, Status<201, Json<Item>>>`. The document has both; with
/// the same status and media type it has one response of either shape.
///
/// For more than two, name them: an enum with `#[derive(Responses)]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Either<A, B> {
    /// The first response.
    Left(A),
    /// The second response.
    Right(B),
}

impl<A: IntoResponse, B: IntoResponse> IntoResponse for Either<A, B> {
    fn into_response(self, parts: &Parts) -> Result<Response, Refusal> {
        match self {
            Either::Left(response) => response.into_response(parts),
            Either::Right(response) => response.into_response(parts),
        }
    }

    fn describe(contract: &mut Contract<'_>) {
        A::describe(contract);
        B::describe(contract);
    }
}
