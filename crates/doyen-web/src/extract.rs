//! Extractors: the parameters of handlers.
//!
//! | parameter | reads |
//! | --- | --- |
//! | a name in the path template | that segment |
//! | `#[query]`, `#[header]`, `#[cookie]`, `#[path]` in front of a parameter | a value of that place |
//! | `#[body]`, `#[form]` in front of parameters | the members of a JSON object, the fields of a form |
//! | the type that an `#[extractor]` returns | whatever the parameters of that function read |
//! | [`Query<T>`], [`Header<T>`], [`Cookie<T>`] | the fields of a struct with `#[derive(Input)]` |
//! | [`Path<T>`] | all path parameters, into such a struct |
//! | [`Json<T>`], [`MergePatch<T>`], [`Form<T>`] | the body; the last parameter |
//! | `Option<Json<T>>` | the body, or `None` if the request has none |
//! | [`Bytes`], `http::Request<Body>` | the raw body, the raw request; the last parameter |
//! | `Paging` | `?limit=` and `?cursor=`, or `?page=` and `?per_page=` |
//! | [`IfMatch`] | the version that the client has read; 428 without |
//! | [`Credentials<S>`] | the credential of a security scheme, such as [`Basic`]; 401 without |
//! | [`Client`] | the client address and the user agent |
//! | any type that can be injected | nothing; it comes from the injection graph |
//!
//! Your own extractor implements [`FromRequestParts`] (without the body) or [`FromRequest`] (with
//! the body). It describes itself, so that it appears in the OpenAPI document.

mod body;
mod client;
mod credentials;
mod fields;
mod form;
mod if_match;
mod inject;
mod json;
mod paging;
mod param;
mod raw;
mod version;

pub use bytes::Bytes;

pub(crate) use body::limited;
pub use body::{BodyStream, HeldMemory, unsupported_media_type};
pub(crate) use body::{read as read_body, reading_problems};
pub use client::Client;
pub(crate) use credentials::Head;
pub use credentials::{
    Basic, BasicCredential, BearerToken, Credentials, ParseCredential, Scheme, credential,
    presented,
};
pub use fields::{Cookie, Header, Path, Query};
pub use form::Form;
pub(crate) use if_match::READ_PRECONDITION_FAILED;
pub use if_match::{IfMatch, PRECONDITION_FAILED};
pub use inject::{Injected, ViaInject};
pub use json::{Json, MergePatch};
pub use param::{Named, ParamName};
pub use version::ApiVersion;

use std::future::Future;

use doyen_core::Refusal;
use doyen_core::inject::Needs;
use doyen_schema::contract::Contract;

use crate::request::Request;

/// Marks extractors, so that they do not conflict with injected types. Inferred.
#[derive(Debug)]
pub struct ViaParts;

/// Marks extractors that read the body, so that they do not conflict with others. Inferred.
#[derive(Debug)]
pub struct ViaBody;

/// A parameter that reads anything except the body.
///
/// `Ok(None)` means that values are invalid and that the reasons are in `failures`. The other
/// parameters are still read, so that the client gets all failures at once.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a parameter of a handler",
    label = "neither an extractor nor a type that can be injected",
    note = "a parameter is a name from the path, an extractor (`Query<..>`, `Json<..>`, `Paging`, ...) or a type with `#[derive(Clone, Inject)]`",
    note = "to read it from the query, write `#[query]` in front of the parameter; `#[header]`, `#[cookie]`, `#[form]` and `#[body]` are the other places. To read it from the whole body, write `Json<{Self}>`"
)]
pub trait FromRequestParts<Via = ViaParts>: Sized + Send {
    /// Reads the value.
    fn from_request_parts(
        request: &mut Request,
    ) -> impl Future<Output = Result<Option<Self>, Refusal>> + Send;

    /// Adds its part to the contract.
    fn describe(contract: &mut Contract<'_>);

    /// Adds the types that it needs from the injection graph.
    fn needs(_: &mut Needs) {}
}

/// A parameter that can read the body. It must be the last one.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a parameter of a handler",
    label = "neither an extractor nor a type that can be injected",
    note = "a parameter is a name from the path, an extractor (`Query<..>`, `Json<..>`, `Paging`, ...) or a type with `#[derive(Clone, Inject)]`",
    note = "to read it from the query, write `#[query]` in front of the parameter; `#[header]`, `#[cookie]`, `#[form]` and `#[body]` are the other places. To read it from the whole body, write `Json<{Self}>`"
)]
pub trait FromRequest<Via = ViaBody>: Sized + Send {
    /// Reads the value.
    fn from_request(
        request: &mut Request,
    ) -> impl Future<Output = Result<Option<Self>, Refusal>> + Send;

    /// Adds its part to the contract.
    fn describe(contract: &mut Contract<'_>);

    /// Adds the types that it needs from the injection graph.
    fn needs(_: &mut Needs) {}
}

impl<Via, T: FromRequestParts<Via>> FromRequest<(ViaParts, Via)> for T {
    async fn from_request(request: &mut Request) -> Result<Option<Self>, Refusal> {
        T::from_request_parts(request).await
    }
    fn describe(contract: &mut Contract<'_>) {
        T::describe(contract);
    }
    fn needs(needs: &mut Needs) {
        T::needs(needs);
    }
}
