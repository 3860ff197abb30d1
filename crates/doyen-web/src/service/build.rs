//! Building a service: every route described, the graph checked, every mistake named at once.

use std::collections::{BTreeMap, HashSet};
use std::fmt;
use std::sync::Arc;

use crate::limit::PlanError;
use doyen_core::AccessSink;
use doyen_core::inject::{Container, ContainerBuilder, GraphError, Needs};
use doyen_core::limit::QUOTA_EXCEEDED;
use doyen_core::problem::{INTERNAL, UNAVAILABLE};
use doyen_core::{Allow, FORBIDDEN, INVALID, Identify, Place, UNAUTHENTICATED};
use doyen_schema::Components;
use doyen_schema::NameClash;
use doyen_schema::contract::{Contract, Operation, Parameter};

use super::{Drain, EdgeOptions, Inner, Limited, RateLimits, Service};
use crate::meter::Meter;
use crate::module::Module;
use crate::problem::{self, Classifier, TIMEOUT, URI_TOO_LONG};
use crate::respond::RouteTable;
use crate::route::{Entry, Route, RouteFault};
use crate::router::Router;
use crate::server::Budget;
use crate::trip::{BaseHeaders, Load};

/// One mistake that keeps an application from starting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StartError {
    /// A route does not say who may call it.
    NoAllow(String),
    /// A route has two access policies that cannot be combined.
    Allows(String, Allow, Allow),
    /// Something that counts once was given more than once: its name, and the route or the
    /// application.
    Repeated(String, &'static str),
    /// A route has no handler.
    NoHandler(String),
    /// A path is not well-formed, or two paths can not be told apart.
    BadPath(String, String),
    /// Two routes have one method and path.
    SameRoute(String),
    /// Two routes have one operation id.
    SameId(String, String, String),
    /// No parameter of the handler reads a part of the path.
    UnreadPath(String, String),
    /// The words of a route about how often it may be called make no sense.
    Limit(String, PlanError),
    /// Something is wrong with the graph.
    Graph(GraphError),
    /// Two types want one name in the document.
    Name(NameClash),
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            StartError::NoAllow(route) => write!(
                f,
                "{route}: nothing says who may call it. Add `.allow(anyone)`, `.allow(signed_in)` or a scope"
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
            StartError::BadPath(route, why) => write!(f, "{route}: {why}"),
            StartError::SameRoute(route) => write!(
                f,
                "{route}: mounted twice. Remove one, or put it under another path with `.at(..)`"
            ),
            StartError::SameId(id, one, other) => {
                write!(
                    f,
                    "{one} and {other} are both called `{id}`. Rename a handler, or give one an own id with `id = \"..\"`"
                )
            }
            StartError::UnreadPath(route, name) => {
                write!(
                    f,
                    "{route}: no parameter reads `{{{name}}}`. Call a parameter of the handler `{name}`, or take `Path<..>`"
                )
            }
            StartError::Limit(route, error) => write!(f, "{route}: {error}"),
            StartError::Graph(error) => error.fmt(f),
            StartError::Name(clash) => clash.fmt(f),
        }
    }
}

impl std::error::Error for StartError {}

/// Collects what an application is made of.
#[derive(Default)]
pub struct Builder {
    modules: Vec<Module>,
    container: ContainerBuilder,
    shared: Option<Container>,
    roots: Vec<(String, Needs)>,
    identify: Option<Arc<dyn Identify>>,
    limits: Option<RateLimits>,
    sink: Option<Arc<dyn AccessSink>>,
    classifiers: Vec<Classifier>,
    options: EdgeOptions,
}

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder")
            .field("modules", &self.modules)
            .finish_non_exhaustive()
    }
}

impl Builder {
    /// Adds a module.
    #[must_use]
    pub fn module(mut self, module: Module) -> Self {
        self.modules.push(module);
        self
    }

    /// The bindings, to add or replace some.
    pub const fn container(&mut self) -> &mut ContainerBuilder {
        &mut self.container
    }

    /// Uses the container of another service, with everything that the routes of this one need.
    /// Bindings of this builder and its modules are ignored.
    #[must_use]
    pub fn shared_container(mut self, container: Container) -> Self {
        self.shared = Some(container);
        self
    }

    /// Something besides routes that asks for injected values: a command, a job. The graph is checked from it too.
    #[must_use]
    pub fn root(mut self, name: &str, needs: Needs) -> Self {
        self.roots.push((name.to_owned(), needs));
        self
    }

    /// Who tells callers apart. Without one nobody is ever logged in.
    #[must_use]
    pub fn identify(mut self, identify: Arc<dyn Identify>) -> Self {
        self.identify = Some(identify);
        self
    }

    /// How often routes may be called, and who counts. Without it nothing is limited.
    #[must_use]
    pub fn limits(mut self, limits: RateLimits) -> Self {
        self.limits = Some(limits);
        self
    }

    /// Where the one line of each request goes.
    #[must_use]
    pub fn access_log(mut self, sink: Arc<dyn AccessSink>) -> Self {
        self.sink = Some(sink);
        self
    }

    /// Who tells passing faults from bugs.
    #[must_use]
    pub fn classifier(mut self, classifier: Classifier) -> Self {
        self.classifiers.push(classifier);
        self
    }

    /// Limits and times.
    #[must_use]
    pub fn options(mut self, options: EdgeOptions) -> Self {
        self.options = options;
        self
    }

    /// Describes every route, checks the graph, and builds the service.
    ///
    /// # Errors
    ///
    /// Every mistake there is, not only the first.
    pub fn build(mut self) -> Result<Service, Vec<StartError>> {
        let mut errors = Vec::new();
        let mut components = Components::new();
        let mut table = RouteTable::default();
        let mut described: Vec<(Route, Operation)> = Vec::new();
        let mut limited = Vec::new();
        let mut modules = Vec::new();
        for module in self.modules {
            modules.push((module.name.clone(), module.description));
            for bind in module.bindings {
                (bind.apply)(&mut self.container);
            }
            for route in module.routes {
                // What is not in the document leaves no schema in it either.
                let mut aside = Components::new();
                let shared = if route.operation.hidden {
                    &mut aside
                } else {
                    &mut components
                };
                let mut operation = describe(&route, &module.name, shared);
                errors.extend(mistakes(&route, &operation));
                match limit(&route, &mut operation, self.limits.as_ref()) {
                    Ok(one) => limited.push(one),
                    Err(error) => errors.push(error),
                }
                if let (Some(id), Some(allow)) = (route.linked, route.allow) {
                    table.add(id, operation.method, operation.path.clone(), allow);
                }
                self.roots.push((
                    format!("{} {}", operation.method, operation.path),
                    route.needs.clone(),
                ));
                described.push((route, operation));
            }
        }
        errors.extend(doubles(&described));
        let drain = Arc::new(Drain::default());
        let built = match self.shared {
            Some(container) => Ok(container),
            None => {
                self.container.provide(Arc::clone(&drain));
                self.container.provide(Arc::new(table));
                self.container.build(&self.roots)
            }
        };
        let container = match built {
            Ok(container) => Some(container),
            Err(graph) => {
                errors.extend(graph.into_iter().map(StartError::Graph));
                None
            }
        };
        let components = match components.finish() {
            Ok(components) => components,
            Err(clash) => {
                errors.push(StartError::Name(clash));
                return Err(errors);
            }
        };
        let (Some(container), true) = (container, errors.is_empty()) else {
            return Err(errors);
        };

        let mut operations = Vec::with_capacity(described.len());
        let mut entries = Vec::with_capacity(described.len());
        for ((route, mut operation), limited) in described.into_iter().zip(limited) {
            operation.fails(container.problems(&route.needs));
            if let (Some(identify), false) = (&self.identify, operation.allow.is_public()) {
                operation.fails(identify.problems());
            }
            operation
                .problems
                .sort_by_key(|problem| (problem.kind.status(), problem.code));
            let Some(endpoint) = route.endpoint else {
                continue;
            };
            let names = operation
                .parameters
                .iter()
                .filter(|parameter| parameter.place == Place::Query);
            entries.push(Arc::new(Entry {
                timeout: route.timeout.unwrap_or(self.options.timeout),
                body_limit: route.body_limit.unwrap_or(self.options.body_limit),
                sparse: route.sparse,
                query_names: names.map(|parameter| parameter.name.clone()).collect(),
                operation: operation.clone(),
                endpoint,
                limited,
                meter: Meter::default(),
            }));
            operations.push(operation);
        }
        let catalogue = catalogue(&operations);
        if let Some(cors) = &mut self.options.cors {
            cors.learn(&operations);
        }
        let unmatched = self.limits.as_ref().map(Limited::unmatched).transpose();
        let unmatched = unmatched.map_err(|error| {
            vec![StartError::Limit(
                "requests without a route".to_owned(),
                error,
            )]
        })?;
        let router = Router::new(entries)
            .map_err(|(path, error)| vec![StartError::BadPath(path, reason(&error))])?;
        let credentials = self.identify.as_ref();
        let credentials = credentials.map_or_else(Vec::new, |one| one.credential_headers());
        let endings = tokio_util::task::TaskTracker::new();
        endings.close();
        Ok(Service {
            inner: Arc::new(Inner {
                router,
                unrouted: Meter::default(),
                container,
                identify: self.identify,
                limits: self.limits,
                unmatched,
                sink: self.sink,
                classifiers: self.classifiers,
                base_headers: BaseHeaders::new(&self.options, &credentials),
                load: Load::new(self.options.max_requests),
                budget: Budget::new(self.options.buffer_limit),
                options: self.options,
                operations,
                components,
                catalogue,
                modules,
                drain,
                endings,
            }),
        })
    }
}

/// The whole contract of a route, but for what its injected types can fail with.
fn describe(route: &Route, module: &str, components: &mut Components) -> Operation {
    let mut operation = route.operation.clone();
    operation.id = route.operation_id(module);
    if operation.tags.is_empty() {
        operation.tags.push(module.to_owned());
    }
    if let Some(allow) = route.allow {
        operation.allow = allow;
    }
    if let Some(describe) = route.describe {
        describe(&mut Contract {
            operation: &mut operation,
            components,
        });
    }
    if route.sparse && !operation.fields.is_empty() {
        crate::respond::thin(&mut operation.answers, components);
        let schema = crate::respond::fields_schema(&operation.fields);
        operation.parameter(Parameter {
            place: Place::Query,
            name: "fields".to_owned(),
            required: false,
            schema,
            description: "Comma-separated fields to return. If omitted, all fields are returned."
                .to_owned(),
            deprecated: false,
            commas: true,
        });
        operation.fails([&INVALID]);
    }
    if !operation.allow.is_public() {
        operation.fails([&UNAUTHENTICATED]);
        if operation.allow.scope().is_some() || operation.allow.roles().next().is_some() {
            operation.fails([&FORBIDDEN]);
        }
    }
    // An unknown name in the query is refused on every route.
    operation.fails([&INVALID, &INTERNAL, &UNAVAILABLE, &TIMEOUT, &URI_TOO_LONG]);
    operation
}

/// How often a route may be called, and what its contract says of that.
fn limit(
    route: &Route,
    operation: &mut Operation,
    limits: Option<&RateLimits>,
) -> Result<Option<Limited>, StartError> {
    let Some(limits) = limits else {
        return Ok(None);
    };
    let label = format!("{} {}", operation.method, operation.path);
    let limited = Limited::new(&label, route.limit.as_ref(), limits)
        .map_err(|error| StartError::Limit(label, error))?;
    operation.unlimited = limited.plan.unlimited();
    if operation.unlimited.is_none() {
        operation.limits = limited.plan.describe();
        operation.fails([&QUOTA_EXCEEDED]);
    }
    Ok(Some(limited))
}

fn mistakes(route: &Route, operation: &Operation) -> Vec<StartError> {
    let label = format!("{} {}", operation.method, operation.path);
    let mut errors = Vec::new();
    if route.allow.is_none() {
        errors.push(StartError::NoAllow(label.clone()));
    }
    errors.extend(route.faults.iter().map(|fault| match *fault {
        RouteFault::Allows(first, second) => StartError::Allows(label.clone(), first, second),
        RouteFault::Repeated(what) => StartError::Repeated(label.clone(), what),
    }));
    if route.endpoint.is_none() {
        errors.push(StartError::NoHandler(label.clone()));
    }
    if !operation.path.starts_with('/') {
        errors.push(StartError::BadPath(
            label.clone(),
            "a path begins with `/`".to_owned(),
        ));
    }
    for name in names(&operation.path) {
        let read = operation
            .parameters
            .iter()
            .any(|parameter| parameter.place == Place::Path && parameter.name == name);
        if !read && !operation.hidden {
            errors.push(StartError::UnreadPath(label.clone(), name.to_owned()));
        }
    }
    errors
}

/// Why the router does not take a path.
fn reason(error: &matchit::InsertError) -> String {
    match error {
        matchit::InsertError::Conflict { with } => format!(
            "it can not be told apart from `{with}`. Give both parameters one name, or one of the paths another word"
        ),
        other => format!("it is not well-formed: {other}"),
    }
}

/// The names in a path template.
fn names(path: &str) -> impl Iterator<Item = &str> {
    path.split('/')
        .filter_map(|segment| segment.strip_prefix('{')?.strip_suffix('}'))
        .map(|name| name.trim_start_matches('*'))
}

fn doubles(described: &[(Route, Operation)]) -> Vec<StartError> {
    let mut errors = Vec::new();
    let mut places = HashSet::new();
    let mut ids: BTreeMap<&str, String> = BTreeMap::new();
    for (_, operation) in described {
        let label = format!("{} {}", operation.method, operation.path);
        if !places.insert(label.clone()) {
            errors.push(StartError::SameRoute(label.clone()));
        } else if let Some(other) = ids.insert(&operation.id, label.clone()) {
            errors.push(StartError::SameId(operation.id.clone(), other, label));
        }
    }
    errors
}

/// Every row once, by its code.
fn catalogue(operations: &[Operation]) -> Vec<&'static doyen_core::ProblemInfo> {
    let all = operations
        .iter()
        .flat_map(|operation| operation.problems.iter().copied());
    let by_code: BTreeMap<&str, _> = all
        .chain(problem::own())
        .map(|problem| (problem.code, problem))
        .collect();
    by_code.into_values().collect()
}
