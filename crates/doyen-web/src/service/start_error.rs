//! Why an application does not start.

use std::fmt;

use crate::limit::PlanError;
use doyen_core::Allow;
use doyen_core::inject::GraphError;
use doyen_schema::NameClash;

/// A mistake that prevents the application from starting.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StartError {
    /// A route has no access policy.
    NoAllow(String),
    /// A route has two access policies that cannot be combined.
    Allows(String, Allow, Allow),
    /// Something that counts once was given more than once: its name, and the route or the
    /// application.
    Repeated(String, &'static str),
    /// A route has no handler.
    NoHandler(String),
    /// A path is malformed, or it is ambiguous with another one.
    BadPath(String, String),
    /// A path begins with the root path, so that public URLs would be ambiguous: the route, and the
    /// root path.
    BelowRoot(String, String),
    /// Two routes have the same method and path.
    SameRoute(String),
    /// Two routes have the same operation id.
    SameId(String, String, String),
    /// No parameter of the handler reads a path parameter.
    UnreadPath(String, String),
    /// The rate limits of a route are invalid.
    Limit(String, PlanError),
    /// The concurrency class of a route is invalid.
    Class(String, String),
    /// A route takes idempotency keys, and the application has no store for them.
    NoIdempotency(String),
    /// A route with a safe method takes idempotency keys.
    SafeIdempotent(String),
    /// The versions of the API are invalid.
    Version(String),
    /// The cache policy of a route is invalid.
    Cache(String, String),
    /// A layer around all requests has extractors or injected types: its type.
    NeedsRoute(&'static str),
    /// The injection graph is invalid.
    Graph(GraphError),
    /// Two types have the same name in the OpenAPI document.
    Name(NameClash),
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            StartError::NoAllow(route) => write!(
                f,
                "{route}: it has no access policy. Add `.allow(anyone)`, `.allow(signed_in)` or a scope"
            ),
            StartError::Allows(route, first, second) => write!(
                f,
                "{route}: it allows `{first}` and also `{second}`, and they cannot be combined. Keep one. A policy for all routes of a list (`Routes::allow`) fits routes that state `signed_in`"
            ),
            StartError::Repeated(owner, what) => write!(
                f,
                "{owner}: `{what}` is given more than once, and only the last one would count. Keep one"
            ),
            StartError::NoHandler(route) => {
                write!(f, "{route}: it has no handler. Add `.handler(function)`")
            }
            StartError::BadPath(route, why)
            | StartError::Class(route, why)
            | StartError::Cache(route, why) => {
                write!(f, "{route}: {why}")
            }
            StartError::BelowRoot(route, root) => write!(
                f,
                "{route}: `server.root_path` is `{root}`, which the proxy removes from each path, and the path of the route begins with it. Remove it from the path, or remove the setting"
            ),
            StartError::SameRoute(route) => write!(
                f,
                "{route}: it is mounted twice. Remove one, or mount it under another path with `.at(..)`"
            ),
            StartError::SameId(id, one, other) => {
                write!(
                    f,
                    "{one} and {other} have the same operation id `{id}`. Rename a handler, or set an id with `id = \"..\"`"
                )
            }
            StartError::UnreadPath(route, name) => {
                write!(
                    f,
                    "{route}: no parameter reads `{{{name}}}`. Name a parameter of the handler `{name}`, or use `Path<..>`"
                )
            }
            StartError::NeedsRoute(name) => write!(
                f,
                "`{name}` surrounds all requests and takes more than `Request` and `Next`, but neither a route nor a caller is known there. Surround the routes instead (`Slot::Route`, `Module::around`)"
            ),
            StartError::Limit(route, error) => write!(f, "{route}: {error}"),
            StartError::NoIdempotency(route) => write!(
                f,
                "{route}: it is `idempotent`, and no plugin stores keys. Add the feature `idempotency` of `doyen`, or do not leave out the plugin `idempotency`"
            ),
            StartError::SafeIdempotent(route) => write!(
                f,
                "{route}: it is `idempotent`, and its method changes nothing. Remove the policy"
            ),
            StartError::Version(why) => f.write_str(why),
            StartError::Graph(error) => error.fmt(f),
            StartError::Name(clash) => clash.fmt(f),
        }
    }
}

impl std::error::Error for StartError {}
