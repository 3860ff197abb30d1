//! Extractors: what a handler's parameters read from the request.
//!
//! | parameter | reads |
//! | --- | --- |
//! | a name that stands in the path | that segment |
//! | [`Query<T>`], [`Header<T>`], [`Cookie<T>`] | the fields of a struct with `#[derive(Input)]` |
//! | [`Path<T>`] | all path parameters into such a struct |
//! | [`Json<T>`], [`MergePatch<T>`], [`Form<T>`] | the body; the last parameter |
//! | [`Bytes`], `http::Request<Body>` | the raw body, the raw request; the last parameter |
//! | `Paging` | `?limit=` and `?cursor=`, or `?page=` and `?per_page=` |
//! | [`IfMatch`] | the version the client has seen; 428 without |
//! | [`Client`] | the address it comes from, and what it calls itself |
//! | any type that can be injected | from the graph |
//!
//! An extractor of your own implements [`FromParts`] (everything but the body) or [`FromRequest`] (the body) and describes itself, so that
//! it appears in the document.

mod body;
mod client;
mod fields;
mod form;
mod if_match;
mod inject;
mod json;
mod paging;
mod param;
mod raw;

pub use bytes::Bytes;

pub use client::Client;
pub use fields::{Cookie, Header, Path, Query};
pub use form::Form;
pub use if_match::{IfMatch, PRECONDITION_FAILED};
pub use inject::ViaInject;
pub use json::{Json, MergePatch};
pub use param::{Named, ParamName};

use std::future::Future;

use doyen_core::Refusal;
use doyen_core::inject::Needs;
use doyen_schema::contract::Contract;

use crate::request::Request;

/// How extractors of the crate and of users are told from injected types: never named by hand.
#[derive(Debug)]
pub struct ViaParts;

/// How a body extractor is told from one that needs only the parts: never named by hand.
#[derive(Debug)]
pub struct ViaBody;

/// A parameter that reads anything but the body.
///
/// `Ok(None)` means that the values are not acceptable and the reasons are in `failures`: the other parameters are read all the same, so
/// that the client learns everything at once.
#[diagnostic::on_unimplemented(
    message = "`{Self}` can not be a parameter of a handler",
    label = "neither an extractor nor a type that can be injected",
    note = "a parameter is a name from the path, an extractor (`Query<..>`, `Json<..>`, `Paging`, ...) or a type with `#[derive(Clone, Inject)]`",
    note = "to read it from the body write `Json<{Self}>`, from the query `Query<{Self}>`"
)]
pub trait FromParts<Via = ViaParts>: Sized + Send {
    /// Reads it.
    fn from_parts(
        request: &mut Request,
    ) -> impl Future<Output = Result<Option<Self>, Refusal>> + Send;

    /// Writes its part of the contract.
    fn describe(contract: &mut Contract<'_>);

    /// Says what it needs from the graph.
    fn needs(_: &mut Needs) {}
}

/// A parameter that may read the body: the last one.
#[diagnostic::on_unimplemented(
    message = "`{Self}` can not be a parameter of a handler",
    label = "neither an extractor nor a type that can be injected",
    note = "a parameter is a name from the path, an extractor (`Query<..>`, `Json<..>`, `Paging`, ...) or a type with `#[derive(Clone, Inject)]`",
    note = "to read it from the body write `Json<{Self}>`, from the query `Query<{Self}>`"
)]
pub trait FromRequest<Via = ViaBody>: Sized + Send {
    /// Reads it.
    fn from_request(
        request: &mut Request,
    ) -> impl Future<Output = Result<Option<Self>, Refusal>> + Send;

    /// Writes its part of the contract.
    fn describe(contract: &mut Contract<'_>);

    /// Says what it needs from the graph.
    fn needs(_: &mut Needs) {}
}

impl<Via, T: FromParts<Via>> FromRequest<(ViaParts, Via)> for T {
    async fn from_request(request: &mut Request) -> Result<Option<Self>, Refusal> {
        T::from_parts(request).await
    }
    fn describe(contract: &mut Contract<'_>) {
        T::describe(contract);
    }
    fn needs(needs: &mut Needs) {
        T::needs(needs);
    }
}
