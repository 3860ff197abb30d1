//! Routes: a method, a path, a handler and policies.
//!
//! The route attributes generate calls of this builder:
//!
//! ```
//! use doyen_core::anyone;
//! use doyen_web::{Route, Text};
//!
//! async fn hello() -> Text {
//!     Text("hello".into())
//! }
//!
//! let route = Route::get("/hello").allow(anyone).handler(hello).summary("Say hello.");
//! assert_eq!(route.method(), "GET");
//! ```

use std::any::TypeId;
use std::sync::Arc;
use std::time::Duration;

use doyen_core::inject::Needs;
use doyen_core::{Allow, Idempotent, Limit, Restrict, Strictness};
use doyen_schema::Schema;
use doyen_schema::contract::{Contract, HeaderInfo, Operation, OutboundCall};
use http::{HeaderName, HeaderValue};

use crate::around::{Around, BoxLayer, TowerLayer};
use crate::cache_rule::{CacheRule, IntoCacheRule};
use crate::concurrency_class::ConcurrencyClass;
use crate::extract::FromRequestParts;
use crate::guard::Guard;
use crate::handler::{Endpoint, Erased, Generated, Handler};
use crate::response::Linked;

/// A route that is not mounted yet.
#[derive(Clone)]
pub struct Route {
    pub(crate) operation: Operation,
    pub(crate) name: String,
    pub(crate) allow: Option<Allow>,
    pub(crate) faults: Vec<RouteFault>,
    pub(crate) limit: Option<Limit>,
    pub(crate) cache: Option<CacheRule>,
    pub(crate) concurrency: Option<ConcurrencyClass>,
    pub(crate) idempotent: Option<Idempotent>,
    pub(crate) timeout: Option<Duration>,
    pub(crate) body_limit: Option<usize>,
    pub(crate) sparse: bool,
    pub(crate) mask_path: bool,
    pub(crate) protocol: Option<&'static str>,
    pub(crate) strictness: Strictness,
    pub(crate) response_headers: Vec<(HeaderName, HeaderValue)>,
    pub(crate) callbacks: Vec<OutboundCall>,
    pub(crate) linked: Option<TypeId>,
    pub(crate) endpoint: Option<Arc<dyn Endpoint>>,
    pub(crate) describe: Option<fn(&mut Contract<'_>)>,
    pub(crate) needs: Needs,
    /// True if the route serves every path below its own.
    pub(crate) subtree: bool,
    pub(crate) guards: Vec<Guard>,
    /// Those of the list of routes, before `guards`.
    pub(crate) list_guards: Vec<Guard>,
    /// The first one is the outermost.
    pub(crate) layers: Vec<BoxLayer>,
    /// Those of the list of routes, around `layers`.
    pub(crate) list_layers: Vec<BoxLayer>,
}

/// A policy that a later one would silently replace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RouteFault {
    /// Two access policies that cannot be combined.
    Allows(Allow, Allow),
    /// A policy that was given twice.
    Repeated(&'static str),
}

impl std::fmt::Debug for Route {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.operation.method, self.operation.path)
    }
}

macro_rules! method {
    ($function:ident, $method:literal) => {
        #[doc = concat!("Creates a route for `", $method, "`.")]
        pub fn $function(path: &str) -> Self {
            Self::new($method, path)
        }
    };
}

impl Route {
    /// Returns the operation id: the one that was set, or one made of the module and the name.
    pub(crate) fn operation_id(&self, module: &str) -> String {
        match self.operation.id.as_str() {
            "" => format!("{module}_{}", self.name),
            id => id.to_owned(),
        }
    }

    /// Adds the guards and layers of the module, before those of the route, and everything that
    /// they inject.
    pub(crate) fn within(mut self, guards: &[Guard], layers: &[BoxLayer]) -> Self {
        let own = self.list_guards.drain(..).chain(self.guards);
        self.guards = guards.iter().cloned().chain(own).collect();
        let own = self.list_layers.drain(..).chain(self.layers);
        self.layers = layers.iter().cloned().chain(own).collect();
        for layer in &self.layers {
            self.needs.0.extend_from_slice(&layer.needs.0);
        }
        for guard in &self.guards {
            (guard.needs)(&mut self.needs);
        }
        self
    }

    method!(get, "GET");
    method!(post, "POST");
    method!(put, "PUT");
    method!(patch, "PATCH");
    method!(delete, "DELETE");

    /// Creates a route for any method.
    pub fn new(method: &'static str, path: &str) -> Self {
        Self {
            operation: Operation {
                method,
                path: path.to_owned(),
                id: String::new(),
                summary: String::new(),
                description: String::new(),
                tags: Vec::new(),
                deprecated: false,
                hidden: false,
                allow: doyen_core::signed_in.into(),
                schemes: Vec::new(),
                credentials: Vec::new(),
                limits: Vec::new(),
                unlimited: None,
                parameters: Vec::new(),
                hidden_parameters: Vec::new(),
                callbacks: Vec::new(),
                returns: String::new(),
                edits: Vec::new(),
                body: None,
                streams_body: false,
                open_query: false,
                answers: Vec::new(),
                common_headers: Vec::new(),
                fields: Vec::new(),
                problems: Vec::new(),
                extras: Vec::new(),
                socket: None,
            },
            name: String::new(),
            allow: None,
            faults: Vec::new(),
            limit: None,
            cache: None,
            concurrency: None,
            idempotent: None,
            timeout: None,
            body_limit: None,
            sparse: false,
            mask_path: false,
            protocol: None,
            strictness: Strictness::new(),
            response_headers: Vec::new(),
            callbacks: Vec::new(),
            linked: None,
            endpoint: None,
            describe: None,
            needs: Needs::default(),
            subtree: false,
            guards: Vec::new(),
            list_guards: Vec::new(),
            layers: Vec::new(),
            list_layers: Vec::new(),
        }
    }

    /// Returns the method.
    pub const fn method(&self) -> &'static str {
        self.operation.method
    }

    /// Sets the handler.
    #[must_use]
    pub fn handler<Args: 'static, H: Handler<Args>>(mut self, handler: H) -> Self {
        self.endpoint = Some(Arc::new(Erased::<H, Args>::new(handler)));
        self.describe = Some(H::describe);
        H::needs(&mut self.needs);
        self
    }

    /// Sets the handler that a route attribute generates. Not part of the public API.
    #[doc(hidden)]
    #[must_use]
    pub fn generated<T: Generated>(self, handler: T) -> Self {
        self.handler::<T::Args, T::Handler>(handler.handler())
    }

    /// Sets the access policy: `anyone`, `signed_in`, a scope or a role. It has no default: without
    /// it the application does not start.
    ///
    /// Several calls combine: `signed_in` and a scope result in the scope. The application does not
    /// start if the policies cannot be combined, such as `anyone` and `signed_in`.
    #[must_use]
    pub fn allow(mut self, allow: impl Into<Allow>) -> Self {
        let allow = allow.into();
        match self.allow {
            None => self.allow = Some(allow),
            Some(first) => match first.and(allow) {
                Some(both) => self.allow = Some(both),
                None => self.faults.push(RouteFault::Allows(first, allow)),
            },
        }
        self
    }

    /// Sets the rate limits that replace the default: `per_user(20, MINUTE)` and similar, several
    /// of them, or `unlimited("reason")`.
    ///
    /// The application does not start if this is called twice. Pass several policies at once.
    #[must_use]
    pub fn limit(mut self, limit: impl Into<Limit>) -> Self {
        if self.limit.replace(limit.into()).is_some() {
            self.faults.push(RouteFault::Repeated("limit"));
        }
        self
    }

    /// Sets which caches can keep the responses: [`private(secs(30))`](crate::private),
    /// [`public(secs(30))`](crate::public) or [`none`](crate::none).
    #[must_use]
    pub fn cache(mut self, rule: impl IntoCacheRule) -> Self {
        if self.cache.replace(rule.into_rule()).is_some() {
            self.faults.push(RouteFault::Repeated("cache"));
        }
        self
    }

    /// Sets the [concurrency class](crate::class), which bounds how many requests of an expensive
    /// route are handled at once. Further ones wait for a short time, then get a 503.
    #[must_use]
    pub fn concurrency(mut self, class: ConcurrencyClass) -> Self {
        if self.concurrency.replace(class).is_some() {
            self.faults.push(RouteFault::Repeated("concurrency"));
        }
        self
    }

    /// Takes the header `Idempotency-Key`: a request that is sent again with the same key has one
    /// effect and gets the same response.
    #[must_use]
    pub fn idempotent(mut self, mode: Idempotent) -> Self {
        if self.idempotent.replace(mode).is_some() {
            self.faults.push(RouteFault::Repeated("idempotent"));
        }
        self
    }

    /// Sets the name of the handler. The operation id is the name of the module, `_` and this name.
    #[must_use]
    pub fn name(mut self, name: &str) -> Self {
        name.clone_into(&mut self.name);
        self
    }

    /// Sets the operation id, for clients that were generated with another name.
    #[must_use]
    pub fn id(mut self, id: &str) -> Self {
        id.clone_into(&mut self.operation.id);
        self
    }

    /// Sets the summary in the OpenAPI document.
    #[must_use]
    pub fn summary(mut self, summary: &str) -> Self {
        summary.clone_into(&mut self.operation.summary);
        self
    }

    /// Sets the description in the OpenAPI document, in Markdown.
    #[must_use]
    pub fn description(mut self, description: &str) -> Self {
        description.clone_into(&mut self.operation.description);
        self
    }

    /// Adds a tag, which replaces that of the module.
    #[must_use]
    pub fn tag(mut self, tag: &str) -> Self {
        self.operation.tags.push(tag.to_owned());
        self
    }

    /// Sets the description of the successful response in the OpenAPI document.
    #[must_use]
    pub fn returns(mut self, description: &str) -> Self {
        description.clone_into(&mut self.operation.returns);
        self
    }

    /// Adds a header with a fixed value to every response of the route, also to one that is refused
    /// before the handler: without credentials, above a rate limit, with a body that is too large.
    #[must_use]
    pub fn response_header(
        mut self,
        name: HeaderName,
        value: HeaderValue,
        description: &str,
    ) -> Self {
        let text = value.to_str().unwrap_or_default();
        self.operation.common_headers.push(HeaderInfo {
            name: name.as_str().to_owned().into(),
            description: description.to_owned().into(),
            schema: Schema::of("string").with("const", text),
            optional: false,
        });
        self.response_headers.push((name, value));
        self
    }

    /// Describes a request that the service sends because of a call.
    #[must_use]
    pub fn callback(mut self, call: OutboundCall) -> Self {
        self.callbacks.push(call);
        self
    }

    /// Sets a function over the finished operation in the OpenAPI document, for what no other
    /// option says: extensions, examples, external documentation.
    #[must_use]
    pub fn document(mut self, edit: fn(&mut serde_json::Value)) -> Self {
        self.operation.edits.push(edit);
        self
    }

    /// Sets the WebSocket subprotocol that a client must offer (`Sec-WebSocket-Protocol`). Only a
    /// route that opens sockets uses it.
    #[must_use]
    pub const fn protocol(mut self, name: &'static str) -> Self {
        self.protocol = Some(name);
        self
    }

    /// Marks the route as deprecated.
    #[must_use]
    pub const fn deprecated(mut self) -> Self {
        self.operation.deprecated = true;
        self
    }

    /// Omits the route from the OpenAPI document.
    #[must_use]
    pub const fn hidden(mut self) -> Self {
        self.operation.hidden = true;
        self
    }

    /// Writes the template of the path to the access log instead of the path, which contains a
    /// secret: `/password-resets/{token}`.
    #[must_use]
    pub const fn mask_path(mut self) -> Self {
        self.mask_path = true;
        self
    }

    /// Sets how strictly requests are read. Switches that are not set are those of the module, then
    /// of the application.
    #[must_use]
    pub const fn strictness(mut self, strictness: Strictness) -> Self {
        self.strictness = strictness.or(self.strictness);
        self
    }

    /// Sets the maximum duration of a request. Default 30 s. Longer requests get a 503 with the
    /// code `timeout` and are rolled back.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        if self.timeout.replace(timeout).is_some() {
            self.faults.push(RouteFault::Repeated("timeout"));
        }
        self
    }

    /// Sets the maximum body size in bytes. Default 1 MiB. Larger bodies get a 413.
    #[must_use]
    pub fn body_limit(mut self, bytes: usize) -> Self {
        if self.body_limit.replace(bytes).is_some() {
            self.faults.push(RouteFault::Repeated("body_limit"));
        }
        self
    }

    /// Adds the parameters `?fields=a,b`, which selects the fields of the response or of each item,
    /// and `?nulls=omit`, which leaves out the fields whose value is null.
    #[must_use]
    pub const fn sparse(mut self) -> Self {
        self.sparse = true;
        self
    }

    /// Adds an extractor that runs before those of the handler, and describes itself in the
    /// document of the route. Its value is not passed to the handler. For an injected type, write
    /// [`Injected<T>`](crate::extract::Injected).
    #[must_use]
    pub fn guard<G: FromRequestParts + 'static>(mut self) -> Self {
        self.guards.push(Guard::of::<G>());
        self
    }

    /// Adds a function around the handler: see [`Around`]. The first one that is added is the
    /// outermost.
    #[must_use]
    pub fn around<Args: 'static, F: Around<Args>>(mut self, function: F) -> Self {
        self.layers.push(BoxLayer::around(function));
        self
    }

    /// Adds a `tower` layer around the handler. The first one that is added is the outermost.
    #[must_use]
    pub fn layer(mut self, layer: impl TowerLayer) -> Self {
        self.layers.push(layer.boxed());
        self
    }

    /// Makes the route a target of [`Links`](crate::response::Links).
    #[must_use]
    pub fn linked<R: Linked>(mut self) -> Self {
        self.linked = Some(TypeId::of::<R>());
        self
    }
}

/// A list of routes, created by `routes![..]`.
#[derive(Clone, Debug, Default)]
pub struct Routes(pub(crate) Vec<Route>);

impl Routes {
    /// Creates a list.
    pub const fn new(routes: Vec<Route>) -> Self {
        Self(routes)
    }

    /// Adds an access policy to all routes. It combines with the policy of each route like two
    /// calls of [`Route::allow`]: each route must have `signed_in` or the same policy.
    #[must_use]
    pub fn allow(self, allow: impl Restrict) -> Self {
        let allow = allow.restricted();
        Self(self.0.into_iter().map(|route| route.allow(allow)).collect())
    }

    /// Adds a function over the finished operation of all routes: see [`Route::document`].
    #[must_use]
    pub fn document(self, edit: fn(&mut serde_json::Value)) -> Self {
        let routes = self.0.into_iter();
        Self(routes.map(|route| route.document(edit)).collect())
    }

    /// Sets how strictly requests of all routes are read. Switches that a route sets itself stay.
    #[must_use]
    pub fn strictness(mut self, strictness: Strictness) -> Self {
        for route in &mut self.0 {
            route.strictness = route.strictness.or(strictness);
        }
        self
    }

    /// Adds a [guard](Route::guard) to all routes, before those of each route.
    #[must_use]
    pub fn guard<G: FromRequestParts + 'static>(mut self) -> Self {
        for route in &mut self.0 {
            route.list_guards.push(Guard::of::<G>());
        }
        self
    }

    /// Adds a function around all routes, outside of the layers of each route.
    #[must_use]
    pub fn around<Args: 'static, F: Around<Args>>(mut self, function: F) -> Self {
        for route in &mut self.0 {
            route.list_layers.push(BoxLayer::around(function.clone()));
        }
        self
    }

    /// Adds a `tower` layer around all routes, outside of the layers of each route. It is applied
    /// to each route: state of its service is shared by the requests of one route.
    #[must_use]
    pub fn layer(mut self, layer: impl TowerLayer) -> Self {
        let layer = layer.boxed();
        for route in &mut self.0 {
            route.list_layers.push(layer.clone());
        }
        self
    }

    /// Adds a path prefix to all routes.
    #[must_use]
    pub fn at(mut self, prefix: &str) -> Self {
        for route in &mut self.0 {
            let own = std::mem::take(&mut route.operation.path);
            route.operation.path = match (prefix.trim_end_matches('/'), own.as_str()) {
                (prefix, "/" | "") if !prefix.is_empty() => prefix.to_owned(),
                (prefix, own) => format!("{prefix}{own}"),
            };
        }
        self
    }
}
