//! What runs around the handler of a route: functions, and any `tower` layer.
//!
//! A function gets the request and what comes [`Next`]. Parameters before these two are extractors
//! or injected types, and appear in the document of each route that the function surrounds:
//!
//! ```
//! use doyen_web::around::{Next, Request};
//! use doyen_web::{Client, Response};
//!
//! async fn stamp(client: Client, request: Request, next: Next) -> Response {
//!     let mut response = next.run(request).await;
//!     let known = if client.agent.is_some() { "1" } else { "0" };
//!     response.headers_mut().insert("x-agent", http::HeaderValue::from_static(known));
//!     response
//! }
//! # doyen_web::Route::get("/").around(stamp);
//! ```
//!
//! There are two places:
//!
//! | place | added by | runs |
//! | --- | --- | --- |
//! | route | `Route`, `Routes` and `Module`: `around`, `layer` | after authorization, inside of the timeout and the unit of work |
//! | request | `App::around`, `App::layer`; `Builder::layer` | around the router, for every request, also for a 404 |
//!
//! Panics, early responses and errors in either place get the headers, the log line and the problem
//! format of the application. A route without a layer has no trace of this module.

mod body_cap;
mod endpoint;
mod function;
mod layer;
mod next;
mod passage;
mod tower;

pub use function::{Around, AroundResponse};
pub use layer::{BoxLayer, Slot, TowerLayer};
pub use next::{Next, Request};

pub(crate) use body_cap::BodyCap;
pub(crate) use endpoint::layered;
pub(crate) use next::{Call, Stack};
pub(crate) use passage::{Passage, Refuser, lost, was_lost};
pub use tower::Oneshot;
pub(crate) use tower::oneshot;
