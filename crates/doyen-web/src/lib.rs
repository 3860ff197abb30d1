//! The edge: the server, the router and the request pipeline.
//!
//! This is the only crate that uses hyper. A typed async function becomes a [`Route`], routes and
//! bindings a [`Module`], modules a [`Service`], and a [`Server`] serves it.
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
//! let module = Module::new("greetings").routes(Routes::new(vec![route]));
//! let service = Service::builder().module(module).build().unwrap();
//! let request = http::Request::get("/hello").body(Body::empty()).unwrap();
//! assert_eq!(service.handle(request, None).await.status(), 200);
//! # });
//! ```
//!
//! Each module imports only from those above it:
//!
//! | module | contents |
//! | --- | --- |
//! | `body`, `problem`, `options`, `budget`, `concurrency`, ... | what the rest is built from |
//! | `content` | files and bytes with ranges and validators |
//! | `request`, `route_info` | a request, and the data of its route |
//! | [`extract`], [`response`] | parameters and return values of handlers |
//! | [`around`] | layers: functions and `tower` layers around handlers |
//! | `guard`, `handler`, `route`, `module`, `mount`, `files` | what an application declares |
//! | `router`, `pipeline` | every step of a request, in order |
//! | `service` | checks what is declared, and builds the pipeline |
//! | [`server`] | connections: accept, limit, drain |

pub mod around;
mod body;
mod budget;
mod cache_rule;
mod coding;
mod concurrency;
mod concurrency_class;
mod conditions;
mod content;
mod credentials;
mod etag;
pub mod extract;
mod files;
mod guard;
mod handler;
pub mod limit;
mod meter;
mod module;
mod mount;
mod options;
mod pipeline;
mod problem;
mod rate_limits;
mod rejected_head;
mod request;
pub mod response;
mod root_path;
mod route;
mod route_info;
mod router;
pub mod server;
mod service;
mod timeout;
#[cfg(feature = "tls")]
mod tls;
mod upgrade;
mod uri_reference;
pub mod versions;

pub use around::Next;
pub use body::{Body, BoxError, Response};
pub use cache_rule::{CacheRule, IntoCacheRule, none, private, public};
pub use concurrency_class::{ConcurrencyClass, class};
pub use content::{Chunks, RANGE_NOT_SATISFIABLE, ReadPart};
pub use credentials::RetainedCredentials;
pub use extract::{
    ApiVersion, Basic, Client, Cookie, Credentials, Form, Header, IfMatch, Json, MergePatch, Path,
    Query,
};
pub use files::Files;
pub use handler::Handler;
pub use http;
pub use meter::{DURATION_BUCKETS, RouteMetrics};
pub use module::{Module, ModuleClaims, ModuleJobs};
pub use mount::Peer;
pub use options::{
    Cidr, Cors, EdgeOptions, ForwardedHeader, HostName, InvalidCidr, InvalidCors, InvalidHostName,
    InvalidOrigin, Origin, TrustedProxies, TrustedProxy, TrustsAllAddresses,
};
pub use problem::{Cause, Classifier, problem_code};
pub use rate_limits::RateLimits;
pub use request::{Parts, Request};
pub use response::{
    Accepted, Created, CsvRows, Either, File, Html, IntoResponse, JsonLines, LinkMap, Links,
    NoContent, NoStore, Redirect, SetCookie, Sse, Status, Stream, Text,
};
pub use root_path::{InvalidRootPath, RootPath};
pub use route::{Route, Routes};
pub use server::{
    BindError, Drained, ListenAddress, OpenListener, Server, ServerOptions, SocketMode, Transport,
    ignore_other_signals, shutdown_signal,
};
pub use service::{Builder, Contracts, Drain, Pressure, Service, StartError};
#[cfg(feature = "tls")]
pub use tls::{Tls, TlsError, Validity};
pub use upgrade::{Upgrade, Upgraded};
pub use uri_reference::uri_reference;
pub use versions::{FieldStep, Version, VersionChange, VersionSet, Versions};

/// What the route macros generate code against. Not part of the public API.
#[doc(hidden)]
pub mod __private {
    pub use doyen_core::Refusal;
    pub use doyen_core::inject::{Needs, Node};
    pub use doyen_schema::contract::Contract;

    pub use crate::extract::{Cookie, Form, Header, Json, Path, Query};
    /// Checks a parameter of a function around handlers.
    pub const fn around_part<T: FromRequestParts<Via>, Via>() {}

    /// Returns what a test has put in the place of an extractor.
    pub fn replaced<T: 'static>(request: &Request) -> Option<T> {
        request.parts.context.container().extracted()
    }

    pub use crate::extract::{FromRequest, FromRequestParts, Named, ParamName, ViaBody, ViaParts};
    pub use crate::handler::{part, returned};
    pub use crate::response::{IntoResponse, Linked};
    pub use crate::{Parts, Request, Response, Route, Routes};
    pub use doyen_core::Idempotent;
}
