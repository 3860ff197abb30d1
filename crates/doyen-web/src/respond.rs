//! Answers: what a handler's return type becomes on the wire.
//!
//! | returned | status | body |
//! | --- | --- | --- |
//! | [`Json<T>`](crate::Json) | 200 | `T` |
//! | [`Created<T>`] | 201, `Location` | `T` |
//! | [`Accepted<T>`] | 202 | `T` |
//! | [`NoContent`] | 204 | none |
//! | `Page<T>` | 200, `Link` | the envelope of every list |
//! | [`Redirect`] | 303, 307 or 308 | none |
//! | [`Text`], [`Html`], [`Stream`] | 200 | text, HTML, bytes as they come |
//! | `Result<T, E>` | that of `T`, or that of the problem | |
//!
//! A type that knows its version sends it as `ETag`; the edge answers 304 by itself.

mod json;
mod links;
mod page;
mod redirect;
mod stream;
mod text;

pub use json::{Accepted, Created, NoContent, NoStore};
pub(crate) use json::{fields_schema, thin};
pub use links::{Link, LinkMap, Linked, Links, RouteTable};
pub use redirect::Redirect;
pub use stream::Stream;
pub use text::{Html, Text};

use doyen_core::{Problem, Refusal};
use doyen_schema::contract::Contract;

use crate::Response;
use crate::request::Parts;

/// What a handler may return.
#[diagnostic::on_unimplemented(
    message = "`{Self}` can not be the answer of a handler",
    label = "no answer can be made of this",
    note = "return `Json<..>`, `Created<..>`, `NoContent`, `Page<..>`, or a `Result` of one of these and an error with `#[derive(Problem)]`",
    note = "the type inside needs `#[derive(Output)]`"
)]
pub trait Respond: Send {
    /// Makes the response.
    ///
    /// # Errors
    ///
    /// The problem to answer with instead.
    fn respond(self, parts: &Parts) -> Result<Response, Refusal>;

    /// Writes its part of the contract.
    fn describe(contract: &mut Contract<'_>);
}

impl<T: Respond, E: Problem> Respond for Result<T, E> {
    fn respond(self, parts: &Parts) -> Result<Response, Refusal> {
        self?.respond(parts)
    }
    fn describe(contract: &mut Contract<'_>) {
        T::describe(contract);
        contract.operation.fails(E::catalogue());
    }
}

impl Respond for Response {
    fn respond(self, _: &Parts) -> Result<Response, Refusal> {
        Ok(self)
    }
    fn describe(contract: &mut Contract<'_>) {
        contract
            .operation
            .answers
            .push(doyen_schema::contract::Answer::empty(200, "The answer."));
    }
}
