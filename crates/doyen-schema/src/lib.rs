//! The contract of a service: what it reads, what it writes, and the document of both.
//!
//! | module | contents |
//! | --- | --- |
//! | [`input`] | [`Input`]: parses and validates values; readers for JSON and for text |
//! | [`rule`] | the rules of `#[validate(..)]` |
//! | [`output`] | [`Output`]: serializes and describes values |
//! | [`contract`] | the description of one route |
//! | [`problem_format`] | the errors of an application in another format than RFC 9457 |
//!
//! [`Schema`] is one JSON Schema, and [`Components`] are the named schemas that a document shares.
//! [`document`] generates the OpenAPI document.

// The macros generate paths that begin with `::doyen::__private`; here that is this crate.
extern crate self as doyen;

mod components;
pub mod contract;
mod id;
pub mod input;
mod iso_duration;
mod openapi;
pub mod output;
pub mod problem_format;
pub mod rule;
mod schema;
mod secret;

pub use components::{Components, Direction, NameClash, Named};
pub use doyen_macros::{Input, Output};
pub use input::Input;
pub use iso_duration::{IsoDuration, NotADuration};
pub use openapi::{
    Difference, DocumentEdit, Info, Licence, diff, document, document_text, path_key,
};
pub use output::Output;
pub use problem_format::{
    FastApiErrors, ProblemContract, ProblemFormat, ProblemSchemas, ProblemView,
};
pub use schema::Schema;

/// Keeps the code of `#[derive(Input)]` and `#[derive(Output)]`; see the macro of doyen-core.
#[doc(hidden)]
#[macro_export]
macro_rules! __with_schema {
    ($($code:tt)*) => { $($code)* };
}

/// Names for generated code. Not part of the public API.
#[doc(hidden)]
pub mod __private {
    pub use doyen_core::__private::*;
    pub use serde;

    pub use crate::__with_schema as with_schema;
    pub use crate::{Components, Input, Output, Schema, input, output, rule};
}
