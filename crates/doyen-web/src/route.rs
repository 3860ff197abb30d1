//! Routes: a method, a path, a handler and the policies beside it.
//!
//! The attributes are thin sugar over this builder:
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
use doyen_core::{Allow, Limit, Restrict};
use doyen_schema::contract::{Contract, Operation};

use crate::handler::{Endpoint, Erased, Handler};
use crate::meter::Meter;
use crate::respond::Linked;
use crate::service::Limited;

/// A route before it is mounted.
#[derive(Clone)]
pub struct Route {
    pub(crate) operation: Operation,
    pub(crate) name: String,
    pub(crate) allow: Option<Allow>,
    pub(crate) faults: Vec<RouteFault>,
    pub(crate) limit: Option<Limit>,
    pub(crate) timeout: Option<Duration>,
    pub(crate) body_limit: Option<usize>,
    pub(crate) sparse: bool,
    pub(crate) linked: Option<TypeId>,
    pub(crate) endpoint: Option<Arc<dyn Endpoint>>,
    pub(crate) describe: Option<fn(&mut Contract<'_>)>,
    pub(crate) needs: Needs,
}

/// A policy that a later one would silently replace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RouteFault {
    /// Two access policies that cannot be combined.
    Allows(Allow, Allow),
    /// A policy that was given twice.
    Repeated(&'static str),
}

/// A route in its place, as the trip sees it.
pub(crate) struct Entry {
    pub(crate) operation: Operation,
    pub(crate) timeout: Duration,
    pub(crate) body_limit: usize,
    pub(crate) sparse: bool,
    pub(crate) query_names: Vec<String>,
    pub(crate) endpoint: Arc<dyn Endpoint>,
    pub(crate) limited: Option<Limited>,
    pub(crate) meter: Meter,
}

impl std::fmt::Debug for Route {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.operation.method, self.operation.path)
    }
}

impl std::fmt::Debug for Entry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.operation.method, self.operation.path)
    }
}

macro_rules! method {
    ($function:ident, $method:literal) => {
        #[doc = concat!("A route for `", $method, "`.")]
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

    method!(get, "GET");
    method!(post, "POST");
    method!(put, "PUT");
    method!(patch, "PATCH");
    method!(delete, "DELETE");

    /// A route for any method.
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
                limits: Vec::new(),
                unlimited: None,
                parameters: Vec::new(),
                body: None,
                answers: Vec::new(),
                fields: Vec::new(),
                problems: Vec::new(),
            },
            name: String::new(),
            allow: None,
            faults: Vec::new(),
            limit: None,
            timeout: None,
            body_limit: None,
            sparse: false,
            linked: None,
            endpoint: None,
            describe: None,
            needs: Needs::default(),
        }
    }

    /// The method.
    pub const fn method(&self) -> &'static str {
        self.operation.method
    }

    /// The function that answers.
    #[must_use]
    pub fn handler<Args: 'static, H: Handler<Args>>(mut self, handler: H) -> Self {
        self.endpoint = Some(Arc::new(Erased::<H, Args>::new(handler)));
        self.describe = Some(H::describe);
        H::needs(&mut self.needs);
        self
    }

    /// Who may call it: `anyone`, `signed_in` or a scope. There is no default; without it the application does not start.
    ///
    /// Given twice, both hold: `signed_in` and a scope are the scope. The application does not
    /// start with two policies that are not one, such as `anyone` and `signed_in`.
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

    /// How often it may be called, in place of the default: `per_user(20, MINUTE)` and its kin, several of them, or `unlimited("why")`.
    ///
    /// Given twice, the application does not start: give several policies at once.
    #[must_use]
    pub fn limit(mut self, limit: impl Into<Limit>) -> Self {
        if self.limit.replace(limit.into()).is_some() {
            self.faults.push(RouteFault::Repeated("limit"));
        }
        self
    }

    /// The name of the handler: the operation id is made of the module's name and this.
    #[must_use]
    pub fn name(mut self, name: &str) -> Self {
        name.clone_into(&mut self.name);
        self
    }

    /// An operation id of its own, for clients that were generated from an older name.
    #[must_use]
    pub fn id(mut self, id: &str) -> Self {
        id.clone_into(&mut self.operation.id);
        self
    }

    /// One line for the document.
    #[must_use]
    pub fn summary(mut self, summary: &str) -> Self {
        summary.clone_into(&mut self.operation.summary);
        self
    }

    /// Everything else worth saying, as Markdown.
    #[must_use]
    pub fn description(mut self, description: &str) -> Self {
        description.clone_into(&mut self.operation.description);
        self
    }

    /// A group to show it in, instead of the module's.
    #[must_use]
    pub fn tag(mut self, tag: &str) -> Self {
        self.operation.tags.push(tag.to_owned());
        self
    }

    /// Marks it as one that clients should stop using.
    #[must_use]
    pub const fn deprecated(mut self) -> Self {
        self.operation.deprecated = true;
        self
    }

    /// Leaves it out of the document.
    #[must_use]
    pub const fn hidden(mut self) -> Self {
        self.operation.hidden = true;
        self
    }

    /// How long it may take; 30 s by default. Then 503 with the code `timeout`, and everything is rolled back.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        if self.timeout.replace(timeout).is_some() {
            self.faults.push(RouteFault::Repeated("timeout"));
        }
        self
    }

    /// How many bytes the body may have; 1 MiB by default. More is 413.
    #[must_use]
    pub fn body_limit(mut self, bytes: usize) -> Self {
        if self.body_limit.replace(bytes).is_some() {
            self.faults.push(RouteFault::Repeated("body_limit"));
        }
        self
    }

    /// Offers `?fields=a,b`: the answer, or each item of the page, has only these.
    #[must_use]
    pub const fn sparse(mut self) -> Self {
        self.sparse = true;
        self
    }

    /// Makes it a target of [`Links`](crate::respond::Links).
    #[must_use]
    pub fn linked<R: Linked>(mut self) -> Self {
        self.linked = Some(TypeId::of::<R>());
        self
    }
}

/// Some routes: what `routes![..]` gives.
#[derive(Clone, Debug, Default)]
pub struct Routes(pub(crate) Vec<Route>);

impl Routes {
    /// These routes.
    pub const fn new(routes: Vec<Route>) -> Self {
        Self(routes)
    }

    /// Restricts who may call all of them. It holds together with the policy of each route, as
    /// [`Route::allow`] given twice does: a route under it states `signed_in` or the same policy.
    #[must_use]
    pub fn allow(self, allow: impl Restrict) -> Self {
        let allow = allow.restricted();
        Self(self.0.into_iter().map(|route| route.allow(allow)).collect())
    }

    /// Puts all of them under a path.
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
