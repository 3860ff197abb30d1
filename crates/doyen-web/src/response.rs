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
//! | [`JsonLines<T>`], [`CsvRows<T>`], [`Sse<T>`] | 200 | JSON Lines, CSV, server-sent events |
//! | [`Status<202, R>`](Status), [`Either<A, B>`](Either) | another status; one of two responses | |
//! | `response.with_headers(..)`, `.with_cookie(..)` | that of the response | with headers, a cookie |
//! | `Result<T, E>` | that of `T`, or that of the problem | |
//!
//! A type with a version sends it as `ETag`, and the edge responds with 304 where it fits.

mod cookie;
mod either;
mod fields;
mod file;
mod headers;
mod json;
mod json_lines;
mod links;
mod media_type;
mod page;
mod redirect;
mod sse;
mod status;
mod stream;
mod text;

pub use cookie::{CookieSpec, SameSite, SetCookie, WithCookie};
pub use either::Either;
pub(crate) use fields::{WantedFields, describe_sparse};
pub use file::{AnyMedia, File, attachment};
pub use headers::{ResponseHeaders, WithHeaders};
pub use json::{Accepted, Created, NoContent, NoStore};
pub use json_lines::{CsvRows, JsonLines};
pub use links::{Link, LinkMap, Linked, Links, RouteTable};
pub use media_type::{Csv, MediaType, NdJson, OctetStream, PlainText};
pub use redirect::Redirect;
pub use sse::{Event, Sse};
pub use status::Status;
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
    note = "the type inside needs `#[derive(Output)]`; for a map or a list, write `Json<BTreeMap<String, ..>>` or `Json<Vec<..>>`"
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

    /// Adds headers: the fields of a struct with `#[derive(Output)]`.
    fn with_headers<H: ResponseHeaders>(self, headers: H) -> WithHeaders<Self, H>
    where
        Self: Sized,
    {
        WithHeaders::new(self, headers)
    }

    /// Sets or removes a cookie.
    fn with_cookie<C: CookieSpec>(self, cookie: SetCookie<C>) -> WithCookie<Self, C>
    where
        Self: Sized,
    {
        WithCookie::new(self, cookie)
    }
}

impl<T: IntoResponse, E: Problem> IntoResponse for Result<T, E> {
    fn into_response(self, parts: &Parts) -> Result<Response, Refusal> {
        self?.into_response(parts)
    }
    fn describe(contract: &mut Contract<'_>) {
        T::describe(contract);
        contract.operation.fails(E::catalogue());
        contract.operation.fails_with(E::extras());
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
