//! Responses: the return types of handlers.
//!
//! | returned | status | body |
//! | --- | --- | --- |
//! | [`Json<T>`](crate::Json) | 200 | `T` |
//! | [`Created<T>`] | 201, `Location` | `T` |
//! | [`Accepted<T>`] | 202 | `T` |
//! | [`NoContent`] | 204 | none |
//! | `Page<T>` | 200, `Link` | the envelope of lists |
//! | [`Redirect`], `Redirect<307>`, `Redirect<308>` | that status, `Location` | none |
//! | [`Text`], [`Html`], [`Stream<M>`](Stream) | 200 | text, HTML, a stream of the [media type](MediaType) `M` |
//! | [`File`] | 200, 206 for a range | a file |
//! | [`Response`] | any; the document cannot say which | any |
//! | `Result<T, E>` | that of `T`, or that of the problem | |
//!
//! A type with a version sends it as `ETag`, and the edge responds with 304 where it fits.

mod file;
mod json;
mod links;
mod media_type;
mod page;
mod redirect;
mod stream;
mod text;

pub use file::{AnyMedia, File};
pub use json::{Accepted, Created, NoContent, NoStore};
pub(crate) use json::{fields_schema, thin};
pub use links::{Link, LinkMap, Linked, Links, RouteTable};
pub use media_type::{Csv, MediaType, NdJson, OctetStream, PlainText};
pub use redirect::Redirect;
pub use stream::Stream;
pub use text::{Html, Text};

use doyen_core::{Problem, Refusal};
use doyen_schema::contract::{Answer, Contract};

use crate::Response;
use crate::request::Parts;

/// A return type of a handler.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the return type of a handler",
    label = "cannot be converted into a response",
    note = "return `Json<..>`, `Created<..>`, `NoContent`, `Page<..>`, or a `Result` of one of these and an error with `#[derive(Problem)]`",
    note = "the type inside needs `#[derive(Output)]`"
)]
pub trait IntoResponse: Send {
    /// Converts the value into a response.
    ///
    /// # Errors
    ///
    /// Returns the problem to send instead.
    fn into_response(self, parts: &Parts) -> Result<Response, Refusal>;

    /// Adds its part to the contract.
    fn describe(contract: &mut Contract<'_>);
}

impl<T: IntoResponse, E: Problem> IntoResponse for Result<T, E> {
    fn into_response(self, parts: &Parts) -> Result<Response, Refusal> {
        self?.into_response(parts)
    }
    fn describe(contract: &mut Contract<'_>) {
        T::describe(contract);
        contract.operation.fails(E::catalogue());
    }
}

impl IntoResponse for Response {
    fn into_response(self, _: &Parts) -> Result<Response, Refusal> {
        Ok(self)
    }
    fn describe(contract: &mut Contract<'_>) {
        contract
            .operation
            .answers
            .push(Answer::any("The response."));
    }
}
