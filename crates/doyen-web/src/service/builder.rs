//! Building a service: every route is described, the injection graph is checked, and all mistakes
//! are reported together.

use std::fmt;
use std::sync::Arc;

use doyen_core::inject::{Container, ContainerBuilder, Needs};
use doyen_core::{
    AccessSink, Cache, Caller, Clock, CredentialHeader, CredentialSource, Idempotency, Idempotent,
    Identify, Place, Refusal, RequestCredentials, RequestObserver, SecurityScheme,
};
use doyen_schema::contract::{Operation, OutboundCall};
use doyen_schema::{Components, ProblemContract, ProblemFormat};

use super::describe::{catalogue, describe, describe_limits, duplicates, mistakes, path_error};
use super::{Contracts, Drain, Inner, Service, StartError};
use crate::around::{BoxLayer, Refuser, Slot, layered};
use crate::budget::Budget;
use crate::cache_rule::RouteCache;
use crate::concurrency::ConcurrencyLimit;
use crate::concurrency_class::Classes;
use crate::guard::guarded;
use crate::meter::Meter;
use crate::module::Module;
use crate::options::EdgeOptions;
use crate::pipeline::{self, BaseHeaders, MaskedPaths, Pipeline};
use crate::problem::{Challenges, Classifier, MISDIRECTED, ProblemWriter};
use crate::rate_limits::{RateLimits, RouteLimits};
use crate::response::RouteTable;
use crate::route::Route;
use crate::route_info::RouteInfo;
use crate::router::{MountedRoute, Router};
use crate::versions::{RouteVersions, VersionSet, Versions};

/// Collects the parts of an application.
#[derive(Default)]
pub struct Builder {
    modules: Vec<Module>,
    container: ContainerBuilder,
    shared: Option<Container>,
    roots: Vec<(String, Needs)>,
    identify: Option<Arc<dyn Identify>>,
    identify_first: Option<Arc<dyn Identify>>,
    limits: Option<RateLimits>,
    idempotency: Option<Arc<dyn Idempotency>>,
    versions: Option<(Versions, Arc<dyn Clock>)>,
    response_cache: Option<Cache>,
    sink: Option<Arc<dyn AccessSink>>,
    observer: Option<Arc<dyn RequestObserver>>,
    classifiers: Vec<Classifier>,
    format: Option<Arc<dyn ProblemFormat>>,
    request_layers: Vec<BoxLayer>,
    route_layers: Vec<BoxLayer>,
    options: EdgeOptions,
    webhooks: Vec<OutboundCall>,
}

/// Returns the query parameter that carries the credential of a scheme.
fn query_name(scheme: &SecurityScheme) -> Option<String> {
    match scheme.source() {
        CredentialSource::Query(name) => Some(name.to_string()),
        _ => None,
    }
}

/// Asks the first, then the second. The document and the challenge are those of the second.
struct InOrder(Arc<dyn Identify>, Option<Arc<dyn Identify>>);

#[async_trait::async_trait]
impl Identify for InOrder {
    async fn identify(
        &self,
        credentials: RequestCredentials<'_>,
    ) -> Result<Option<Arc<Caller>>, Refusal> {
        match (self.0.identify(credentials).await?, &self.1) {
            (None, Some(second)) => second.identify(credentials).await,
            (found, _) => Ok(found),
        }
    }
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

    /// Returns the bindings, to add or replace some.
    pub const fn container(&mut self) -> &mut ContainerBuilder {
        &mut self.container
    }

    /// Uses the container of another service, which has everything that the routes of this one
    /// need. Bindings of this builder and its modules are ignored.
    #[must_use]
    pub fn shared_container(mut self, container: Container) -> Self {
        self.shared = Some(container);
        self
    }

    /// Adds something other than a route that needs injected values, such as a command or a job.
    /// The graph is checked from it too.
    #[must_use]
    pub fn root(mut self, name: &str, needs: Needs) -> Self {
        self.roots.push((name.to_owned(), needs));
        self
    }

    /// Sets the port that identifies callers. Without it every caller is anonymous.
    #[must_use]
    pub fn identify(mut self, identify: Arc<dyn Identify>) -> Self {
        self.identify = Some(identify);
        self
    }

    /// Sets what identifies callers before that port, for tests. The document does not show it.
    #[must_use]
    pub fn identify_first(mut self, identify: Arc<dyn Identify>) -> Self {
        self.identify_first = Some(identify);
        self
    }

    /// Sets the rate limits. Without them nothing is limited.
    #[must_use]
    pub fn limits(mut self, limits: RateLimits) -> Self {
        self.limits = Some(limits);
        self
    }

    /// Sets the store of idempotency keys, for the routes that take them.
    #[must_use]
    pub fn idempotency(mut self, store: Arc<dyn Idempotency>) -> Self {
        self.idempotency = Some(store);
        self
    }

    /// Sets the versions of the API. The clock tells which have ended.
    #[must_use]
    pub fn versions(mut self, versions: Versions, clock: Arc<dyn Clock>) -> Self {
        self.versions = Some((versions, clock));
        self
    }

    /// Sets the cache that stores the responses of routes with `cache = ..stored(..)`.
    #[must_use]
    pub fn response_cache(mut self, cache: Cache) -> Self {
        self.response_cache = Some(cache);
        self
    }

    /// Sets the destination of the access log, which has one line for each request.
    #[must_use]
    pub fn access_log(mut self, sink: Arc<dyn AccessSink>) -> Self {
        self.sink = Some(sink);
        self
    }

    /// Sets the observer, which learns what happens in the requests that it chooses, and in jobs,
    /// event handlers and messages of the same container.
    #[must_use]
    pub fn observer(mut self, observer: Arc<dyn RequestObserver>) -> Self {
        self.container.observer(Arc::clone(&observer));
        self.observer = Some(observer);
        self
    }

    /// Adds a classifier, which tells transient faults from bugs.
    #[must_use]
    pub fn classifier(mut self, classifier: Classifier) -> Self {
        self.classifiers.push(classifier);
        self
    }

    /// Sets the format of every problem. The default is RFC 9457.
    #[must_use]
    pub fn problem_format(mut self, format: Arc<dyn ProblemFormat>) -> Self {
        self.format = Some(format);
        self
    }

    /// Adds a layer around all requests or around all routes. The first one that is added is the
    /// outermost.
    #[must_use]
    pub fn layer(mut self, slot: Slot, layer: BoxLayer) -> Self {
        match slot {
            Slot::Request => self.request_layers.push(layer),
            Slot::Route => self.route_layers.push(layer),
        }
        self
    }

    /// Sets limits and timeouts.
    #[must_use]
    pub fn options(mut self, options: EdgeOptions) -> Self {
        self.options = options;
        self
    }

    /// Describes a request that the service sends on its own.
    #[must_use]
    pub fn webhook(mut self, call: OutboundCall) -> Self {
        self.webhooks.push(call);
        self
    }

    /// Describes every route, checks the graph, and builds the service.
    ///
    /// # Errors
    ///
    /// Returns every mistake, not only the first.
    pub fn build(mut self) -> Result<Service, Vec<StartError>> {
        let mut errors = Vec::new();
        let mut components = Components::new();
        components.strictness(self.options.strictness);
        let mut table = RouteTable::default();
        let mut described: Vec<(Route, Operation)> = Vec::new();
        let mut limits = Vec::new();
        let mut modules = Vec::new();
        let versions = self.versions.take();
        let versions = versions.map(|(all, clock)| VersionSet::new(all, clock));
        let versions = versions.transpose().unwrap_or_else(|wrong| {
            errors.extend(wrong.into_iter().map(StartError::Version));
            None
        });
        let versions = versions.map(Arc::new);
        for module in self.modules {
            modules.push((module.name.clone(), module.description));
            for bind in module.bindings {
                (bind.apply)(&mut self.container);
            }
            let layers = self.route_layers.iter().cloned();
            let layers: Vec<BoxLayer> = layers.chain(module.layers).collect();
            for route in module.routes {
                let mut route = route.within(&module.guards, &layers);
                if route.idempotent == Some(Idempotent::IfSupported) && self.idempotency.is_none() {
                    route.idempotent = None;
                }
                if route.idempotent.is_some() && self.idempotency.is_none() {
                    errors.push(StartError::NoIdempotency(format!("{route:?}")));
                }
                // A hidden route leaves no schema in the document.
                let mut unused = Components::new();
                unused.strictness(self.options.strictness);
                let shared = if route.operation.hidden {
                    &mut unused
                } else {
                    &mut components
                };
                shared.describe_route(route.strictness.or(self.options.strictness));
                let mut operation = describe(&route, &module.name, &self.request_layers, shared);
                if !self.options.hosts.is_empty() {
                    operation.fails([&MISDIRECTED]);
                }
                if let Some(versions) = versions.as_ref().filter(|_| !operation.hidden) {
                    versions.describe(&mut operation);
                }
                let root = &self.options.root_path;
                if !root.is_empty() && root.below(&operation.path).is_some() {
                    errors.push(StartError::BelowRoot(
                        format!("{} {}", operation.method, operation.path),
                        root.as_str().to_owned(),
                    ));
                }
                let has_store = self.response_cache.is_some();
                errors.extend(mistakes(&route, &operation, has_store));
                match describe_limits(&route, &mut operation, self.limits.as_ref()) {
                    Ok(route_limits) => limits.push(route_limits),
                    Err(error) => errors.push(error),
                }
                if let (Some(id), Some(allow)) = (route.linked, route.allow) {
                    let path = format!("{}{}", self.options.root_path.as_str(), operation.path);
                    table.add(id, operation.method, path, allow);
                }
                self.roots.push((
                    format!("{} {}", operation.method, operation.path),
                    route.needs.clone(),
                ));
                described.push((route, operation));
            }
        }
        errors.extend(duplicates(&described));
        let early = self
            .request_layers
            .iter()
            .filter(|layer| layer.needs_route());
        errors.extend(early.map(|layer| StartError::NeedsRoute(layer.name())));
        let drain = Arc::new(Drain::default());
        let built = match self.shared {
            Some(container) => Ok(container),
            None => {
                self.container.provide(Arc::clone(&drain));
                self.container.provide(Arc::new(table));
                if let Some(versions) = &versions {
                    self.container.provide(Arc::clone(versions));
                }
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
        let format = self.format.take();
        let format = format.map(|format| ProblemContract::new(format, &mut components));
        let webhooks = self.webhooks.into_iter();
        let webhooks = webhooks.map(|call| {
            let schema = call.describe(&mut components);
            (call, schema)
        });
        let webhooks: Vec<_> = webhooks.collect();
        let components = match components.finish() {
            Ok(mut named) => {
                named.problems.clone_from(&format);
                named.webhooks = webhooks;
                named
            }
            Err(clashes) => {
                errors.extend(clashes.into_iter().map(StartError::Name));
                return Err(errors);
            }
        };
        let changed = versions
            .as_ref()
            .map(|all| all.schemas())
            .unwrap_or_default();
        for name in &changed {
            if !components.schemas.contains_key(*name) {
                errors.push(StartError::Version(format!(
                    "a change of a version names the schema `{name}`, which is not in the OpenAPI document. Correct the name"
                )));
            }
        }
        let (Some(container), true) = (container, errors.is_empty()) else {
            return Err(errors);
        };

        let identify = self.identify.as_ref();
        let mut schemes =
            identify.map_or_else(|| vec![SecurityScheme::bearer()], |one| one.schemes());
        schemes.sort_by(|one, other| one.rank().cmp(&other.rank()));
        schemes.dedup();
        let refuser = Refuser::default();
        let mut classes = Classes::default();
        let mut operations = Vec::with_capacity(described.len());
        let mut routes = Vec::with_capacity(described.len());
        let mut masked_paths = MaskedPaths::default();
        for ((route, mut operation), limits) in described.into_iter().zip(limits) {
            operation.fails(container.problems(&route.needs));
            if !operation.allow.is_public() {
                operation.fails(identify.map_or_else(Vec::new, |one| one.problems()));
                operation.schemes.clone_from(&schemes);
            }
            operation
                .problems
                .sort_by_key(|problem| (problem.kind.status(), problem.code));
            let Some(endpoint) = route.endpoint else {
                continue;
            };
            // Inside of guards and layers: a stored response never replaces a check.
            let endpoint = match &route.cache {
                Some(rule) if rule.is_stored() => pipeline::stored(endpoint),
                _ => endpoint,
            };
            let endpoint = guarded(route.guards.iter(), endpoint);
            let endpoint = layered(route.layers.iter(), endpoint, &refuser);
            let hidden = &operation.hidden_parameters;
            let names = operation
                .parameters
                .iter()
                .chain(hidden)
                .filter(|parameter| parameter.place == Place::Query);
            let mut query_names: Vec<String> =
                names.map(|parameter| parameter.name.clone()).collect();
            let class = route.concurrency.as_ref();
            let class = class.map(|class| classes.mount(class, &query_names));
            let class = class.transpose().unwrap_or_else(|why| {
                let label = format!("{} {}", operation.method, operation.path);
                errors.push(StartError::Class(label, why));
                None
            });
            if route.mask_path {
                masked_paths.add(&operation.path);
            }
            // A key in the query is no unknown parameter, on a public route neither.
            let read = operation.credentials.iter().map(|(scheme, _)| scheme);
            query_names.extend(schemes.iter().chain(read).filter_map(query_name));
            let cache = route.cache.as_ref();
            let cache = cache.map(|rule| RouteCache::new(rule, self.response_cache.as_ref()));
            let info = Arc::new(RouteInfo {
                cache,
                timeout: route.timeout.unwrap_or(self.options.timeout),
                body_limit: route.body_limit.unwrap_or(self.options.body_limit),
                sparse: route.sparse,
                subtree: route.subtree,
                is_socket: operation.socket.is_some(),
                protocol: route.protocol,
                mask_path: route.mask_path,
                strictness: route.strictness.or(self.options.strictness),
                query_names,
                response_headers: route.response_headers.clone(),
                open_query: operation.open_query,
                class,
                method: operation.method,
                path: operation.path.clone(),
                root_path: self.options.root_path.clone(),
                allow: operation.allow,
                fields: operation.fields.clone(),
                limits,
                idempotent: route.idempotent,
                streams_body: operation.streams_body,
                versions: versions
                    .as_ref()
                    // A socket is in a document of its own.
                    .filter(|_| !operation.hidden || operation.socket.is_some())
                    .map(|_| RouteVersions::new(&operation, &components, &changed)),
                meter: Meter::default(),
            });
            routes.push(MountedRoute { info, endpoint });
            operations.push(operation);
        }
        if !errors.is_empty() {
            return Err(errors);
        }
        let catalogue = catalogue(&operations);
        let credentials = identify.map_or_else(Vec::new, |one| one.credential_headers());
        if let Some(cors) = &mut self.options.cors {
            cors.add_headers(&operations, &credentials);
        }
        let unmatched_limits = self.limits.as_ref().map(RouteLimits::unmatched).transpose();
        let unmatched_limits = unmatched_limits.map_err(|error| {
            vec![StartError::Limit(
                "requests without a route".to_owned(),
                error,
            )]
        })?;
        let limits = routes.iter().map(|route| route.info.body_limit);
        let max_body = limits.max().unwrap_or_default();
        let router = Router::new(routes)
            .map_err(|(path, error)| vec![StartError::BadPath(path, path_error(&error))])?;
        let has_other_credentials = identify.is_some()
            && (credentials
                .iter()
                .any(|one| matches!(one, CredentialHeader::Named(_)))
                || schemes.iter().any(|one| one.credential_header().is_none()));
        let cleanups = tokio_util::task::TaskTracker::new();
        cleanups.close();
        let layers = self.request_layers;
        let budget = Budget::new(self.options.buffer_limit);
        let pipeline = Arc::new_cyclic(|this| Pipeline {
            outer: pipeline::outer(&layers, this, &refuser),
            router,
            unmatched_meter: Meter::default(),
            masked_paths,
            container,
            identify: match self.identify_first {
                Some(first) => Some(Arc::new(InOrder(first, self.identify))),
                None => self.identify,
            },
            idempotency: self.idempotency,
            versions,
            rate_limits: self.limits,
            unmatched_limits,
            access_log: self.sink,
            observer: self.observer,
            problems: ProblemWriter {
                classifiers: self.classifiers,
                format,
                root_path: self.options.root_path.clone(),
            },
            challenges: Challenges::new(&schemes),
            has_other_credentials,
            base_headers: BaseHeaders::new(&self.options, &credentials),
            concurrency: ConcurrencyLimit::new(self.options.max_requests),
            max_body: max_body.max(self.options.body_limit),
            options: self.options,
            cleanups,
        });
        pipeline::refuse_with(&refuser, &pipeline);
        Ok(Service {
            inner: Arc::new(Inner {
                budget,
                pipeline,
                contracts: Arc::new(Contracts {
                    operations,
                    components,
                    modules,
                }),
                catalogue,
                drain,
            }),
        })
    }
}
