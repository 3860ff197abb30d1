//! What a plugin can register.

use std::any::{Any, TypeId, type_name};
use std::collections::HashMap;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use doyen_core::cache::CacheStore;
use doyen_core::inject::{ContainerBuilder, Inject, Need, Needs};
use doyen_core::{
    AccessSink, Cache, Clock, Idempotency, Identify, Port, RequestObserver, Unexpected,
};
#[cfg(feature = "database")]
use doyen_data::Database;
use doyen_secret::{KeyDeriver, Seed};
use doyen_settings::Environment;
use doyen_web::around::{BoxLayer, Slot};
use doyen_web::{Classifier, HostName, Module, RateLimits, ServerOptions};

use crate::claims::{Claims, Kind, Owner};
use crate::fault::Fault;
use crate::health::{self, Health, Impact};
use crate::lifecycle::{DrainEntry, ServiceEntry, TaskEntry};
use crate::metrics::{Family, Metrics, Samples};
use crate::nats::Nats;
use crate::redis::Redis;
use crate::tls::PublicTls;
use crate::{Built, SetupError, Shutdown, Stop, TaskKind};

/// What a plugin can know about its application.
#[derive(Clone, Debug)]
pub struct AppInfo {
    /// The name of its binary.
    pub name: &'static str,
    /// The display name.
    pub title: String,
    /// The version.
    pub version: String,
    /// The environment.
    pub environment: Environment,
    /// The URL of the public listener on this machine.
    pub local_url: String,
}

/// A line of the text that is printed when the application serves in development: extension point
/// for [`Registrar::contribute`].
#[derive(Clone, Copy, Debug)]
pub struct BannerLink {
    /// The label: `Docs`.
    pub label: &'static str,
    /// The path: `/docs`.
    pub path: &'static str,
    /// True for a path of the admin listener.
    pub admin: bool,
}

/// A part of `/diagnostics` on the admin address: extension point for [`Registrar::contribute`].
/// It must contain no secrets.
#[derive(Clone)]
pub struct AdminReport {
    /// The name of the member: `breakers`.
    pub name: &'static str,
    read: Arc<dyn Fn() -> serde_json::Value + Send + Sync>,
}

impl AdminReport {
    /// Creates a report. `read` must not wait.
    pub fn new(
        name: &'static str,
        read: impl Fn() -> serde_json::Value + Send + Sync + 'static,
    ) -> Self {
        let read = Arc::new(read);
        Self { name, read }
    }

    /// Reads it.
    pub fn read(&self) -> serde_json::Value {
        (self.read)()
    }
}

impl std::fmt::Debug for AdminReport {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("AdminReport").field(&self.name).finish()
    }
}

/// Logging that was started. It is flushed last.
pub type Flush = Box<dyn FnOnce() + Send>;

type Bind = Box<dyn FnOnce(&mut ContainerBuilder) + Send>;
type Finish = Box<dyn FnOnce(&mut Registrar<'_>) -> Result<(), SetupError> + Send>;
type AfterBuild = Box<dyn FnOnce(&Built) + Send>;
type StartLogs = Box<dyn FnOnce() -> Result<Flush, SetupError> + Send>;

/// An item of an extension point.
pub(crate) struct Contribution(Box<dyn Any + Send>);

impl Contribution {
    pub(crate) fn new<P: Any + Send>(item: P) -> Self {
        Self(Box::new(item))
    }
}

/// A layer that was registered, with its plugin.
pub(crate) struct LayerEntry {
    pub(crate) plugin: &'static str,
    pub(crate) slot: Slot,
    pub(crate) layer: BoxLayer,
}

/// A further listener.
pub(crate) struct Listener {
    /// The setting of its address.
    pub(crate) key: &'static str,
    pub(crate) options: ServerOptions,
}

/// Everything that was registered.
pub(crate) struct Draft {
    pub(crate) info: AppInfo,
    pub(crate) seed: Seed,
    pub(crate) clock: Arc<dyn Clock>,
    #[cfg(feature = "database")]
    pub(crate) database: Database,
    pub(crate) redis: Option<Redis>,
    pub(crate) nats: Option<Nats>,
    pub(crate) tls: Option<PublicTls>,
    pub(crate) plugins: Vec<&'static str>,
    /// Plugins that another plugin requires.
    pub(crate) required: Vec<&'static str>,
    pub(crate) claims: Claims,
    pub(crate) faults: Vec<Fault>,
    pub(crate) bindings: Vec<Bind>,
    /// Which plugin supplies a type, and what the supplier needs.
    pub(crate) suppliers: HashMap<TypeId, (&'static str, Option<Need>)>,
    pub(crate) roots: Vec<(String, Needs)>,
    pub(crate) modules: Vec<Module>,
    /// The names of the modules of the application itself.
    pub(crate) own_modules: Vec<String>,
    pub(crate) admin: Vec<Module>,
    pub(crate) listener: Option<Listener>,
    pub(crate) admin_hosts: Vec<HostName>,
    pub(crate) identifiers: Vec<Arc<dyn Identify>>,
    pub(crate) limits: Option<RateLimits>,
    pub(crate) idempotency: Option<Arc<dyn Idempotency>>,
    pub(crate) response_cache: Option<Cache>,
    pub(crate) access_log: Option<Arc<dyn AccessSink>>,
    pub(crate) observers: Vec<Arc<dyn RequestObserver>>,
    pub(crate) start_logs: Option<StartLogs>,
    pub(crate) has_banner: bool,
    pub(crate) classifiers: Vec<Classifier>,
    /// Layers of plugins, in the order of registration; those of the application are last.
    pub(crate) layers: Vec<LayerEntry>,
    pub(crate) health: Arc<Health>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) commands: Vec<crate::Command>,
    pub(crate) services: Vec<ServiceEntry>,
    pub(crate) tasks: Vec<TaskEntry>,
    pub(crate) drains: Vec<DrainEntry>,
    pub(crate) contributions: Vec<Contribution>,
    pub(crate) finishes: Vec<(Owner, Finish)>,
    pub(crate) after_build: Vec<AfterBuild>,
}

impl Draft {
    pub(crate) fn contributions<P: Any + Clone + Send + Sync>(&self) -> Vec<P> {
        self.contributions
            .iter()
            .filter_map(|contribution| contribution.0.downcast_ref::<P>().cloned())
            .collect()
    }
}

/// Collects what one plugin adds to the application.
///
/// | method | for |
/// | --- | --- |
/// | [`info`](Self::info), [`has`](Self::has), [`clock`](Self::clock), [`database`](Self::database), [`redis`](Self::redis), [`nats`](Self::nats), [`derive_key`](Self::derive_key) | what a plugin may use |
/// | [`provide`](Self::provide), [`bind`](Self::bind), [`bind_default`](Self::bind_default), [`needs`](Self::needs) | injection |
/// | [`contribute`](Self::contribute), [`contributions`](Self::contributions), [`finish`](Self::finish) | extension points between plugins |
/// | [`module`](Self::module), [`admin`](Self::admin) | routes of the public and of the admin listener |
/// | [`identify`](Self::identify), [`rate_limits`](Self::rate_limits), [`idempotency`](Self::idempotency), [`response_cache`](Self::response_cache), [`access_log`](Self::access_log), [`observe_requests`](Self::observe_requests), [`classify_errors`](Self::classify_errors), [`layer`](Self::layer) | places in the request pipeline |
/// | [`health`](Self::health), [`metrics`](Self::metrics) | operations |
/// | [`service`](Self::service), [`task`](Self::task), [`on_drain`](Self::on_drain) | background work |
/// | [`fault`](Self::fault) | reporting a mistake and going on |
pub struct Registrar<'a> {
    pub(crate) draft: &'a mut Draft,
    pub(crate) owner: Owner,
}

impl std::fmt::Debug for Registrar<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Registrar")
            .field("plugin", &self.owner.name)
            .finish_non_exhaustive()
    }
}

/// What a plugin may use.
impl Registrar<'_> {
    /// Returns facts about the application.
    pub fn info(&self) -> &AppInfo {
        &self.draft.info
    }

    /// Returns true if the application has a plugin of this name.
    pub fn has(&self, name: &str) -> bool {
        self.draft.plugins.contains(&name)
    }

    /// Returns true if another plugin requires this one.
    pub fn is_required(&self) -> bool {
        self.draft.required.contains(&self.owner.name)
    }

    /// Returns the clock.
    pub fn clock(&self) -> Arc<dyn Clock> {
        Arc::clone(&self.draft.clock)
    }

    /// Returns the database. It is not connected yet: keep it and use it once the plugin starts.
    #[cfg(feature = "database")]
    pub fn database(&self) -> Database {
        self.draft.database.clone()
    }

    /// Returns the connection to Redis, if the setting `redis.url` is set.
    pub fn redis(&self) -> Option<Redis> {
        self.draft.redis.clone()
    }

    /// Returns TLS of the public listener.
    #[cfg(feature = "tls")]
    pub(crate) fn tls(&self) -> Option<PublicTls> {
        self.draft.tls.clone()
    }

    /// Returns the connection to NATS, if the setting `nats.url` is set.
    pub fn nats(&self) -> Option<Nats> {
        self.draft.nats.clone()
    }

    /// Returns a key for one purpose, derived from the root secret. The same purpose always gives
    /// the same key, on all nodes: never change it once data depends on it.
    pub fn derive_key(&self, purpose: &str) -> [u8; 32] {
        self.draft.seed.derive(purpose)
    }

    /// Returns a source of further keys below one purpose, for keys whose number is not known yet.
    pub fn derive_keys(&self, purpose: &str) -> KeyDeriver {
        self.draft.seed.deriver(purpose)
    }
}

/// Injection.
impl Registrar<'_> {
    /// Provides a value, injectable as `Arc<T>`.
    pub fn provide<T: ?Sized + Send + Sync + 'static>(&mut self, value: Arc<T>) {
        if self.supply::<T>(None) {
            self.draft
                .bindings
                .push(Box::new(move |container| container.provide(value)));
        }
    }

    /// Binds a port to an adapter.
    pub fn bind<P: ?Sized + Port<A>, A: Inject>(&mut self) {
        if self.supply::<P>(Some(A::node)) {
            self.draft
                .bindings
                .push(Box::new(|container| container.bind::<P, A>()));
        }
    }

    /// Binds a port to an adapter unless the application or another plugin binds it.
    pub fn bind_default<P: ?Sized + Port<A>, A: Inject>(&mut self) {
        if self.claim(Kind::DefaultBinding, type_name::<P>()) {
            let supplier = (self.owner.name, Some(A::node as Need));
            let id = TypeId::of::<Arc<P>>();
            self.draft.suppliers.entry(id).or_insert(supplier);
            self.draft
                .bindings
                .push(Box::new(|container| container.bind_default::<P, A>()));
        }
    }

    fn supply<T: ?Sized + 'static>(&mut self, need: Option<Need>) -> bool {
        let claimed = self.claim(Kind::Binding, type_name::<T>());
        if claimed {
            let supplier = (self.owner.name, need);
            self.draft
                .suppliers
                .insert(TypeId::of::<Arc<T>>(), supplier);
        }
        claimed
    }
}

/// Dependencies of contributed work.
impl Registrar<'_> {
    /// Checks at the start that these types can be injected. `what` needs them: a kind of job, for
    /// example, whose context the plugin creates later.
    pub fn needs(&mut self, what: impl Into<String>, needs: Needs) {
        self.draft.roots.push((what.into(), needs));
    }
}

/// Extension points.
impl Registrar<'_> {
    /// Adds an item to the extension point `P`. The type is the extension point: a plugin defines
    /// one, others contribute to it.
    pub fn contribute<P: Any + Clone + Send + Sync>(&mut self, item: P) {
        self.draft.contributions.push(Contribution::new(item));
    }

    /// Returns the items of an extension point so far, in the order of the plugins. In
    /// [`finish`](Self::finish) these are all items.
    pub fn contributions<P: Any + Clone + Send + Sync>(&self) -> Vec<P> {
        self.draft.contributions()
    }

    /// Registers more once all plugins have registered.
    pub fn finish(
        &mut self,
        finish: impl FnOnce(&mut Registrar<'_>) -> Result<(), SetupError> + Send + 'static,
    ) {
        self.draft.finishes.push((self.owner, Box::new(finish)));
    }

    /// Calls a function with the built application, before anything is connected.
    pub fn after_build(&mut self, f: impl FnOnce(&Built) + Send + 'static) {
        self.draft.after_build.push(Box::new(f));
    }
}

/// Routes and the request pipeline.
impl Registrar<'_> {
    /// Adds routes and bindings to the public listener.
    pub fn module(&mut self, mut module: Module) {
        self.module_events(&mut module);
        self.module_jobs(&mut module);
        if self.claim_module(&module, "") {
            self.draft.modules.push(module);
        }
    }

    /// Adds routes to the admin listener. Without a plugin that opens one they are not served.
    pub fn admin(&mut self, mut module: Module) {
        if self.claim_module(&module, "admin ") {
            self.draft.bindings.push(module.take_bindings());
            self.draft.roots.extend(module.needs());
            self.draft.admin.push(module);
        }
    }

    /// Opens the admin listener. `key` is the setting of its address, for error messages.
    pub fn listener(&mut self, key: &'static str, options: ServerOptions) {
        let fixed = options.bind.tcp().is_none_or(|bind| bind.port() != 0);
        if fixed && !self.claim(Kind::Address, &options.bind.to_string()) {
            return;
        }
        if self.claim(Kind::Pipeline, "admin listener") {
            self.draft.listener = Some(Listener { key, options });
        }
    }

    /// Adds hosts that the admin listener responds to. It always responds to `localhost` and IP
    /// addresses, and to other hosts with a 421: otherwise a page in the browser of an operator
    /// could read it under a name of its own (DNS rebinding).
    pub fn admin_hosts(&mut self, hosts: impl IntoIterator<Item = HostName>) {
        self.draft.admin_hosts.extend(hosts);
    }

    /// Identifies callers. Several plugins can do so: they are asked in order, until one knows the
    /// caller or rejects the credentials. `needs` are the types that it injects later.
    pub fn identify(&mut self, identify: Arc<dyn Identify>, needs: Needs) {
        self.draft
            .roots
            .push((format!("identification by `{}`", self.owner.name), needs));
        self.draft.identifiers.push(identify);
    }

    /// Limits how often routes are called. One plugin of an application can do so.
    pub fn rate_limits(&mut self, limits: RateLimits) {
        if self.claim(Kind::Pipeline, "rate limits") {
            self.draft.limits = Some(limits);
        }
    }

    /// Stores the keys and responses of idempotent requests. One plugin of an application can do
    /// so.
    pub fn idempotency(&mut self, store: Arc<dyn Idempotency>) {
        if self.claim(Kind::Pipeline, "idempotency") {
            self.draft.idempotency = Some(store);
        }
    }

    /// Stores the responses of routes with `cache = ..stored(..)`. One plugin of an application can
    /// do so.
    pub fn response_cache(&mut self, store: Arc<dyn CacheStore>) {
        if self.claim(Kind::Pipeline, "response cache") {
            self.draft.response_cache = Some(Cache::new(store));
        }
    }

    /// Receives one record per request. One plugin of an application can do so.
    pub fn access_log(&mut self, sink: Arc<dyn AccessSink>) {
        if self.claim(Kind::Pipeline, "access log") {
            self.draft.access_log = Some(sink);
        }
    }

    /// Learns what happens in the work that the observer chooses: requests, jobs, event handlers
    /// and messages of live connections. Several plugins can do so.
    pub fn observe_requests(&mut self, observer: Arc<dyn RequestObserver>) {
        self.draft.observers.push(observer);
    }

    /// Starts logging, before anything else when the application serves. The function that it
    /// returns is called last. One plugin of an application can do so.
    pub fn logs(&mut self, start: impl FnOnce() -> Result<Flush, SetupError> + Send + 'static) {
        if self.claim(Kind::Pipeline, "logs") {
            self.draft.start_logs = Some(Box::new(start));
        }
    }

    /// Leaves out the banner with the addresses, because a program reads the standard output. The
    /// addresses are logged instead.
    pub fn without_banner(&mut self) {
        self.draft.has_banner = false;
    }

    /// Adds a layer for all routes or all requests of the public listener: a function with
    /// [`BoxLayer::around`], or a `tower` layer with [`BoxLayer::tower`]. The name is for reports:
    /// two plugins with a layer of the same name in the same slot are a conflict.
    ///
    /// The layer of the plugin that starts first is the outermost. Those of the application are
    /// inside of them.
    pub fn layer(&mut self, slot: Slot, name: &str, layer: BoxLayer) {
        if slot == Slot::Request && layer.needs_route() {
            self.fault(SetupError::new(format!(
                "the layer `{name}` takes more than `Request` and `Next`, which needs a route: use `Slot::Route`"
            )));
        }
        if self.claim(Kind::Layer, &format!("{slot} {name}")) {
            self.draft.layers.push(LayerEntry {
                plugin: self.owner.name,
                slot,
                layer,
            });
        }
    }

    /// Tells transient errors (a 503) from bugs (a 500).
    pub fn classify_errors(&mut self, classifier: Classifier) {
        self.draft.classifiers.push(classifier);
    }
}

/// Operations.
impl Registrar<'_> {
    /// Adds a health check, which `/readyz` and the metrics run. A check that takes longer than
    /// `limit` has failed. An error is a short reason.
    pub fn health<F, Fut>(&mut self, name: &'static str, impact: Impact, limit: Duration, check: F)
    where
        F: Fn() -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<(), String>> + Send + 'static,
    {
        if self.claim(Kind::Health, name) {
            self.draft
                .health
                .add(name, impact, limit, health::check(check));
        }
    }

    /// Adds families of metrics and the function that reads their values.
    pub fn metrics(
        &mut self,
        families: &'static [Family],
        collect: impl Fn(&mut Samples) + Send + Sync + 'static,
    ) {
        self.metrics_of(self.owner.name, families, collect);
    }

    /// The same, for a part of the framework.
    pub(crate) fn metrics_of(
        &mut self,
        group: &'static str,
        families: &'static [Family],
        collect: impl Fn(&mut Samples) + Send + Sync + 'static,
    ) {
        if self.claim_families(families) {
            self.draft.metrics.add(group, families, Box::new(collect));
        }
    }

    /// Claims the names of families and of their alerts. All are claimed, so that every conflict is
    /// reported.
    pub(crate) fn claim_families(&mut self, families: &[Family]) -> bool {
        let before = self.draft.faults.len();
        for family in families {
            self.claim(Kind::Metric, family.name);
            for alert in family.alerts {
                self.claim(Kind::Alert, alert.name);
            }
        }
        self.draft.faults.len() == before
    }
}

/// Background work.
impl Registrar<'_> {
    /// Starts a service once the schema is up to date, and stops it after the last request. `start`
    /// gets an injected value and returns how the service is stopped. It may take 30 s.
    pub fn service<T, F, Fut>(&mut self, name: &'static str, start: F)
    where
        T: Inject,
        F: FnOnce(T) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<Stop, SetupError>> + Send + 'static,
    {
        if self.claim(Kind::Service, name) {
            self.add_service(ServiceEntry::new::<T, F, Fut>(self.owner.name, name, start));
        }
    }

    /// Runs a task in the background while the application serves. After an error it is run again,
    /// with a pause of 1 to 60 s; meanwhile the health is degraded. Five panics within a minute
    /// stop the process. `run` gets a new injected value each time.
    pub fn task<T, F, Fut>(&mut self, name: &'static str, kind: TaskKind, run: F)
    where
        T: Inject,
        F: Fn(T, Shutdown) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<(), Unexpected>> + Send + 'static,
    {
        if self.claim(Kind::Service, name) {
            let entry = TaskEntry::new::<T, F, Fut>(name, kind, run);
            self.draft
                .roots
                .push((format!("task {name}"), entry.needs.clone()));
            self.draft.tasks.push(entry);
        }
    }

    /// Calls a function when the application begins to stop, while requests still end: to hand
    /// back work that another node can take.
    pub fn on_drain<T, F, Fut>(&mut self, name: &'static str, run: F)
    where
        T: Inject,
        F: FnOnce(T) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<(), Unexpected>> + Send + 'static,
    {
        let entry = DrainEntry::new::<T, F, Fut>(name, run);
        self.draft
            .roots
            .push((format!("drain {name}"), entry.needs.clone()));
        self.draft.drains.push(entry);
    }
}

/// What the application itself does: see [`App`](crate::App).
impl Registrar<'_> {
    pub(crate) fn on_start<T, F, Fut>(&mut self, run: F)
    where
        T: Inject,
        F: FnOnce(T) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<(), Unexpected>> + Send + 'static,
    {
        self.add_service(ServiceEntry::on_start::<T, F, Fut>(self.owner.name, run));
    }

    pub(crate) fn on_stop<T, F, Fut>(&mut self, run: F)
    where
        T: Inject,
        F: FnOnce(T) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<(), Unexpected>> + Send + 'static,
    {
        self.add_service(ServiceEntry::on_stop::<T, F, Fut>(self.owner.name, run));
    }

    fn add_service(&mut self, entry: ServiceEntry) {
        let root = (format!("service {}", entry.name), entry.needs.clone());
        self.draft.roots.push(root);
        self.draft.services.push(entry);
    }
}

/// Mistakes.
impl Registrar<'_> {
    /// Reports a mistake and continues, so that all mistakes appear in one list.
    pub fn fault(&mut self, error: impl Into<SetupError>) {
        let fault = Fault::of(self.owner.name, error.into());
        self.draft.faults.push(fault);
    }

    pub(crate) fn claim(&mut self, kind: Kind, name: &str) -> bool {
        match self.draft.claims.claim(kind, name, self.owner) {
            Ok(()) => true,
            Err(fault) => {
                self.draft.faults.push(fault);
                false
            }
        }
    }

    /// Contributes the event handlers of a module, and requires a plugin that calls them.
    pub(crate) fn module_events(&mut self, module: &mut Module) {
        let handlers = module.take_event_handlers();
        if handlers.is_empty() {
            return;
        }
        let mut needs = Needs::default();
        needs.add::<Arc<dyn doyen_core::event::EventLog>>();
        let what = format!(
            "event handlers of `{}` (feature `events` of `doyen`)",
            module.name()
        );
        self.needs(what, needs);
        for handler in handlers {
            self.contribute(handler);
        }
    }

    /// Contributes the background jobs of a module, and requires a plugin that runs them.
    pub(crate) fn module_jobs(&mut self, module: &mut Module) {
        let jobs = module.take_jobs();
        if jobs.handlers.is_empty() && jobs.schedules.is_empty() {
            return;
        }
        let mut needs = Needs::default();
        needs.add::<Arc<dyn doyen_core::job::JobQueue>>();
        self.needs(format!("background jobs of `{}`", module.name()), needs);
        for handler in jobs.handlers {
            self.contribute(handler);
        }
        for schedule in jobs.schedules {
            self.contribute(schedule);
        }
    }

    pub(crate) fn claim_module(&mut self, module: &Module, listener: &str) -> bool {
        let claims = module.claims();
        let before = self.draft.faults.len();
        for route in &claims.routes {
            self.claim(Kind::Route, &format!("{listener}{route}"));
        }
        for id in &claims.operations {
            self.claim(Kind::Operation, &format!("{listener}{id}"));
        }
        for (id, name, need) in claims.bindings {
            if self.claim(Kind::Binding, name) {
                self.draft.suppliers.insert(id, (self.owner.name, need));
            }
        }
        self.draft.faults.len() == before
    }
}
