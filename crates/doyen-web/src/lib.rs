//! The edge: the server, the router and the trip of a request.
//!
//! This is the only crate that names hyper. A typed async function becomes a [`Route`], routes and bindings a [`Module`], modules a
//! [`Service`], and a [`Server`] answers with it.
//!
//! ```
//! use doyen_core::anyone;
//! use doyen_web::{Body, Module, Route, Routes, Service, Text};
//!
//! async fn hello() -> Text {
//!     Text("hello".into())
//! }
//!
//! # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
//! let route = Route::get("/hello").name("hello").allow(anyone).handler(hello);
//! let service = Service::builder().module(Module::new("greetings").routes(Routes::new(vec![route]))).build().unwrap();
//! let request = http::Request::get("/hello").body(Body::empty()).unwrap();
//! assert_eq!(service.handle(request, None).await.status(), 200);
//! # });
//! ```
//!
//! | room | holds |
//! | --- | --- |
//! | [`extract`] | what parameters read |
//! | [`respond`] | what answers become |
//! | `trip` | every duty of a request, in order |
//! | [`server`] | connections: accept, limit, drain |

mod body;
mod etag;
pub mod extract;
mod handler;
mod meter;
mod module;
mod patience;
mod problem;
mod rejected_head;
mod request;
pub mod respond;
mod route;
mod router;
pub mod server;
mod service;
mod trip;

pub use body::{Body, BoxError};
pub use extract::{Client, Cookie, Form, Header, IfMatch, Json, MergePatch, Path, Query};
pub use handler::Handler;
pub use meter::{BUCKETS, Reading};
pub use module::Module;
pub use problem::{Cause, Classifier};
pub use request::{Parts, Request};
pub use respond::{
    Accepted, Created, Html, LinkMap, Links, NoContent, NoStore, Redirect, Respond, Stream, Text,
};
pub use route::{Route, Routes};
pub use server::{Server, ServerOptions};
pub use service::{
    Builder, Cors, Drain, EdgeOptions, EverybodyTrusted, ForwardedField, HostName, Network,
    NotAHost, NotANetwork, NotAnOrigin, Origin, Pressure, RateLimits, Service, StartError,
    TrustedProxies, WrongCors,
};

/// A response on its way out.
pub type Response = http::Response<Body>;

/// What the route macros write against. Not part of the public API.
#[doc(hidden)]
pub mod __private {
    pub use crate::extract::{FromParts, FromRequest, Named, ParamName, ViaBody, ViaParts};
    pub use crate::respond::{Linked, Respond};
    pub use crate::{Route, Routes};

    /// Points at a path parameter whose type is not read from text.
    pub const fn check_named<T: doyen_core::Input>() {}
    /// Points at a parameter that is neither an extractor nor injectable.
    pub const fn check_part<T: FromParts<Via>, Via>() {}
    /// Points at a last parameter that is neither an extractor nor injectable.
    pub const fn check_last<T: FromRequest<Via>, Via>() {}
    /// Points at an answer that can not be made into a response.
    pub const fn check_answer<T: Respond>() {}
}
