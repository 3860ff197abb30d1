//! An application: what it consists of.

use std::any::Any;
use std::collections::HashSet;
use std::future::Future;
use std::marker::PhantomData;
use std::panic::Location;
use std::sync::Arc;

use doyen_core::inject::Inject;
use doyen_core::limit::Policy;
use doyen_core::{Problem, Scope, Strictness, Unexpected};
#[cfg(feature = "database")]
use doyen_data::Migrations;
use doyen_schema::contract::OutboundCall;
use doyen_schema::{DocumentEdit, Info, Licence, ProblemFormat};
use doyen_settings::Settings;
use doyen_web::around::{Around, BoxLayer, Slot, TowerLayer};
use doyen_web::extract::Scheme;
use doyen_web::{Credentials, Module, Versions};

use crate::entry::{Edit, Entry, Origin};
use crate::identification::{Identification, IntoCaller};
use crate::registrar::{Contribution, Registrar};
use crate::settings_union::AppSettings;
use crate::{Command, Plugin};

/// The plugins that an application has unless it leaves them out.
pub trait Defaults: 'static {
    /// Adds the plugins.
    fn add(plugins: &mut PluginList);

    /// Settings sections of plugins that are not compiled in, each with what to do about it.
    fn absent() -> &'static [(&'static str, &'static str)] {
        &[]
    }
}

/// No plugins.
impl Defaults for () {
    fn add(_: &mut PluginList) {}
}

/// Collects default plugins.
#[derive(Debug, Default)]
pub struct PluginList(pub(crate) Vec<Entry>);

impl PluginList {
    /// Adds a plugin.
    #[track_caller]
    pub fn add(&mut self, plugin: impl Plugin) {
        self.0
            .push(Entry::new(plugin, Origin::Default, Location::caller()));
    }
}

/// Collects modules, plugins, migrations, settings and commands.
///
/// ```
/// use doyen_app::App;
/// use doyen_web::Module;
///
/// fn app() -> App {
///     App::new("shop").title("Shop").version("1.0.0").module(Module::new("orders"))
/// }
/// # let _ = app();
/// ```
pub struct App<D = ()> {
    pub(crate) parts: Parts,
    defaults: PhantomData<fn() -> D>,
}

/// The parts of an application, without the type of its defaults.
pub(crate) struct Parts {
    pub(crate) name: &'static str,
    pub(crate) place: &'static Location<'static>,
    pub(crate) info: Info,
    pub(crate) plugins: Vec<Entry>,
    pub(crate) edits: Vec<Edit>,
    pub(crate) absent: &'static [(&'static str, &'static str)],
    pub(crate) modules: Vec<Module>,
    #[cfg(feature = "database")]
    pub(crate) migrations: Option<Migrations>,
    pub(crate) commands: Vec<Command>,
    pub(crate) seed: Option<Command>,
    pub(crate) settings: AppSettings,
    pub(crate) contributions: Vec<Contribution>,
    pub(crate) identifications: Vec<Arc<Identification>>,
    pub(crate) problem_format: Option<Arc<dyn ProblemFormat>>,
    pub(crate) strictness: Strictness,
    pub(crate) webhooks: Vec<OutboundCall>,
    /// What the application registers like a plugin.
    pub(crate) own: Vec<Own>,
    pub(crate) once: Once,
}

/// Something that the application registers after all plugins.
pub(crate) type Own = Box<dyn FnOnce(&mut Registrar<'_>) + Send>;

/// The options that count once, and those that were given more than once.
#[derive(Default)]
pub(crate) struct Once {
    given: HashSet<&'static str>,
    pub(crate) repeated: Vec<&'static str>,
}

impl Once {
    fn give(&mut self, option: &'static str) {
        if !self.given.insert(option) {
            self.repeated.push(option);
        }
    }
}

/// A limit that routes name, declared by the application.
#[derive(Clone, Debug)]
pub struct DeclaredPolicy {
    /// The name that routes use: `limit = policy("search")`.
    pub name: &'static str,
    /// The policy, unless a setting replaces it.
    pub policy: Policy,
}

impl<D> std::fmt::Debug for App<D> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("App")
            .field("name", &self.parts.name)
            .field("modules", &self.parts.modules)
            .finish_non_exhaustive()
    }
}

impl<D: Defaults> App<D> {
    /// An application of this name: the name of its binary.
    #[track_caller]
    pub fn new(name: &'static str) -> Self {
        let info = Info {
            title: name.to_owned(),
            version: "0.1.0".to_owned(),
            ..Info::default()
        };
        let mut plugins = PluginList::default();
        D::add(&mut plugins);
        Self {
            parts: Parts {
                name,
                place: Location::caller(),
                info,
                plugins: plugins.0,
                edits: Vec::new(),
                absent: D::absent(),
                modules: Vec::new(),
                #[cfg(feature = "database")]
                migrations: None,
                commands: Vec::new(),
                seed: None,
                settings: AppSettings::of::<()>(),
                contributions: Vec::new(),
                identifications: Vec::new(),
                problem_format: None,
                strictness: Strictness::new(),
                webhooks: Vec::new(),
                own: Vec::new(),
                once: Once::default(),
            },
            defaults: PhantomData,
        }
    }

    /// The name of its binary.
    pub const fn name(&self) -> &'static str {
        self.parts.name
    }

    /// The display name.
    #[must_use]
    pub fn title(mut self, title: &str) -> Self {
        title.clone_into(&mut self.parts.info.title);
        self
    }

    /// The version of the API, for the OpenAPI document.
    #[must_use]
    pub fn version(mut self, version: &str) -> Self {
        version.clone_into(&mut self.parts.info.version);
        self
    }

    /// The purpose of the API, in Markdown.
    #[must_use]
    pub fn description(mut self, description: &str) -> Self {
        description.clone_into(&mut self.parts.info.description);
        self
    }

    /// The licence of the API and its SPDX expression.
    #[must_use]
    pub fn licence(mut self, name: &str, identifier: &str) -> Self {
        self.parts.info.licence = Some(Licence {
            name: name.to_owned(),
            identifier: identifier.to_owned(),
            url: String::new(),
        });
        self
    }

    /// A licence of the API that has no SPDX expression: its name and URL.
    #[must_use]
    pub fn licence_url(mut self, name: &str, url: &str) -> Self {
        self.parts.info.licence = Some(Licence {
            name: name.to_owned(),
            identifier: String::new(),
            url: url.to_owned(),
        });
        self
    }

    /// The purpose of the API in one sentence.
    #[must_use]
    pub fn summary(mut self, summary: &str) -> Self {
        summary.clone_into(&mut self.parts.info.summary);
        self
    }

    /// The URL of the terms of service.
    #[must_use]
    pub fn terms_of_service(mut self, url: &str) -> Self {
        url.clone_into(&mut self.parts.info.terms_of_service);
        self
    }

    /// The URL and the description of further documentation.
    #[must_use]
    pub fn external_docs(mut self, url: &str, description: &str) -> Self {
        self.parts.info.external_docs = Some((url.to_owned(), description.to_owned()));
        self
    }

    /// Adds a server to the OpenAPI document: its URL and its description. Without any, it is the
    /// one that returns the document. Behind a proxy that removes a prefix, give the prefix.
    #[must_use]
    pub fn server(mut self, url: &str, description: &str) -> Self {
        let server = (url.to_owned(), description.to_owned());
        self.parts.info.servers.push(server);
        self
    }

    /// Describes a request that the application sends on its own.
    #[must_use]
    pub fn webhook(mut self, call: OutboundCall) -> Self {
        self.parts.webhooks.push(call);
        self
    }

    /// A function over the finished OpenAPI document, for what no other option says. Validators and
    /// clients see the result: keep it true.
    #[must_use]
    pub fn document(
        mut self,
        edit: impl Fn(&mut serde_json::Value) + Send + Sync + 'static,
    ) -> Self {
        self.parts.once.give("App::document");
        self.parts.info.edit = Some(DocumentEdit::new(edit));
        self
    }

    /// The contact for the API: a name and an address, `https:` or `mailto:`.
    #[must_use]
    pub fn contact(mut self, name: &str, address: &str) -> Self {
        self.parts.info.contact = Some((name.to_owned(), address.to_owned()));
        self
    }

    /// The scopes, which the OpenAPI document then explains.
    #[must_use]
    pub fn scopes<S: Scope>(mut self) -> Self {
        self.parts.once.give("App::scopes");
        self.parts.info.scopes = S::all()
            .into_iter()
            .map(|scope| (scope.name().to_owned(), scope.description().to_owned()))
            .collect();
        self
    }

    /// Sets the versions of the API.
    #[must_use]
    pub fn versions(mut self, versions: Versions) -> Self {
        self.parts.once.give("App::versions");
        self.contribute(versions)
    }

    /// Adds a plugin. The order of these calls does not matter.
    #[must_use]
    #[track_caller]
    pub fn plugin(mut self, plugin: impl Plugin) -> Self {
        let entry = Entry::new(plugin, Origin::Added, Location::caller());
        self.parts.plugins.push(entry);
        self
    }

    /// Replaces the plugin of the same name, for example a default.
    #[must_use]
    #[track_caller]
    pub fn replace(mut self, plugin: impl Plugin) -> Self {
        let entry = Entry::new(plugin, Origin::Replacement, Location::caller());
        self.parts.edits.push(Edit::Replace(Box::new(entry)));
        self
    }

    /// Leaves out a plugin: its routes, checks and background work. Its tables stay.
    #[must_use]
    #[track_caller]
    pub fn without(mut self, name: &'static str) -> Self {
        self.parts
            .edits
            .push(Edit::Without(name, Location::caller()));
        self
    }

    /// Contributes an item to an extension point, as a plugin does with
    /// [`Registrar::contribute`](crate::Registrar::contribute).
    #[must_use]
    pub fn contribute<P: Any + Clone + Send + Sync>(mut self, item: P) -> Self {
        self.parts.contributions.push(Contribution::new(item));
        self
    }

    /// Adds a security scheme: `check` returns the caller of its credentials, and can inject what
    /// it needs. `allow`, limits by user, the log and the OpenAPI document follow it. Schemes of
    /// the application are asked before those of plugins, in the order of these calls.
    ///
    /// `check` is called if a request carries credentials of the scheme. `None` means that it does
    /// not know them: the next scheme is asked, and without a caller a protected route returns a
    /// 401. An error ends the request, except on a public route.
    ///
    /// ```
    /// use std::sync::Arc;
    ///
    /// use doyen_app::App;
    /// use doyen_core::{Caller, Unexpected};
    /// use doyen_web::{Basic, Credentials};
    ///
    /// struct Robots { password: String }
    ///
    /// async fn robot(
    ///     robots: Arc<Robots>,
    ///     Credentials(given): Credentials<Basic>,
    /// ) -> Result<Option<Caller>, Unexpected> {
    ///     let is_right = *given.password.expose() == robots.password;
    ///     Ok(is_right.then(|| Caller::new(&given.name)))
    /// }
    ///
    /// let app: App = App::new("shop").identify(robot);
    /// # let _ = app;
    /// ```
    #[must_use]
    pub fn identify<T, S, F, Fut, C, E>(mut self, check: F) -> Self
    where
        T: Inject,
        S: Scheme,
        F: Fn(T, Credentials<S>) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<C, E>> + Send + 'static,
        C: IntoCaller + 'static,
        E: Problem,
    {
        let identification = Identification::new::<T, S, F, Fut, C, E>(check);
        self.parts.identifications.push(Arc::new(identification));
        self
    }

    /// Sets the format of every error that leaves the application: those of handlers, of
    /// extractors, of the router and the HTTP parser, limits, timeouts and panics. The OpenAPI
    /// document and the contract check of the test kit follow it. The default is RFC 9457.
    ///
    /// ```
    /// use doyen_app::App;
    /// use doyen_schema::FastApiErrors;
    ///
    /// let app: App = App::new("shop").problem_format(FastApiErrors);
    /// # let _ = app;
    /// ```
    #[must_use]
    pub fn problem_format(mut self, format: impl ProblemFormat) -> Self {
        self.parts.once.give("App::problem_format");
        self.parts.problem_format = Some(Arc::new(format));
        self
    }

    /// Sets how strictly requests are read, on all routes that do not say otherwise.
    #[must_use]
    pub fn strictness(mut self, strictness: Strictness) -> Self {
        self.parts.once.give("App::strictness");
        self.parts.strictness = strictness;
        self
    }

    /// Adds a domain.
    #[must_use]
    pub fn module(mut self, module: Module) -> Self {
        self.parts.modules.push(module);
        self
    }

    /// Provides a value, which handlers and everything else inject as `Arc<T>`: the state of the
    /// application.
    #[must_use]
    pub fn provide<T: ?Sized + Send + Sync + 'static>(self, value: Arc<T>) -> Self {
        self.own(move |app| app.provide(value))
    }

    /// Adds a function around every request, also around one that matches no route. It takes
    /// `Request` and `Next`; it runs before the caller is known, and sees the response after the
    /// commit. A function that needs more surrounds a module. The first one is the outermost.
    #[must_use]
    pub fn around<F: Around<()>>(self, function: F) -> Self {
        let layer = BoxLayer::around(function);
        self.own(move |app| app.layer(Slot::Request, layer.name(), layer))
    }

    /// Adds a `tower` layer around every request, in the place of [`around`](Self::around). It is
    /// applied once.
    #[must_use]
    pub fn layer(self, layer: impl TowerLayer) -> Self {
        let layer = layer.boxed();
        self.own(move |app| app.layer(Slot::Request, layer.name(), layer))
    }

    /// Calls a function with an injected value before the first request, after all plugins have
    /// started. It runs in a unit of work of its own, which is committed if it succeeds. An error
    /// keeps the application from starting. It may take 30 s.
    #[must_use]
    pub fn on_start<T, F, Fut>(self, run: F) -> Self
    where
        T: Inject,
        F: FnOnce(T) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<(), Unexpected>> + Send + 'static,
    {
        self.own(move |app| app.on_start(run))
    }

    /// Calls a function with an injected value after the last request and the background work,
    /// before any plugin stops. Functions are called in reverse order. It runs in a unit of work of
    /// its own. An error is logged.
    #[must_use]
    pub fn on_stop<T, F, Fut>(self, run: F) -> Self
    where
        T: Inject,
        F: FnOnce(T) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<(), Unexpected>> + Send + 'static,
    {
        self.own(move |app| app.on_stop(run))
    }

    fn own(mut self, register: impl FnOnce(&mut Registrar<'_>) + Send + 'static) -> Self {
        self.parts.own.push(Box::new(register));
        self
    }

    /// The migrations of the application: `doyen::migrations!("migrations")`.
    #[cfg(feature = "database")]
    #[must_use]
    pub fn migrations(mut self, migrations: Migrations) -> Self {
        self.parts.once.give("App::migrations");
        self.parts.migrations = Some(migrations);
        self
    }

    /// Declares a limit that routes name with `limit = policy("search")`. The setting
    /// `limits.policies` replaces its numbers.
    #[must_use]
    pub fn policy(self, name: &'static str, policy: Policy) -> Self {
        self.contribute(DeclaredPolicy { name, policy })
    }

    /// The settings of the application, next to those of the framework; injectable as `Arc<S>`.
    #[must_use]
    pub fn settings<S: Settings + Send + Sync + 'static>(mut self) -> Self {
        self.parts.once.give("App::settings");
        self.parts.settings = AppSettings::of::<S>();
        self
    }

    /// Demo data: written by the command `seed`, which `prod` refuses, and in `dev` by each start.
    /// The function must do nothing if the data is there.
    #[must_use]
    pub fn seed<T, F, Fut>(mut self, work: F) -> Self
    where
        T: Inject,
        F: Fn(T) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<String, Unexpected>> + Send + 'static,
    {
        self.parts.once.give("App::seed");
        self.parts.seed = Some(Command::new::<T, _, _>(
            "seed",
            "Fills the database with demo data, except in `prod`",
            &[],
            move |value, _| work(value),
        ));
        self
    }

    /// Returns a fingerprint that changes whenever a migration of the application or of one of its
    /// plugins changes.
    #[cfg(feature = "database")]
    pub fn schema_fingerprint(&self) -> String {
        let mut entries: Vec<&Entry> = self.parts.plugins.iter().collect();
        for edit in &self.parts.edits {
            match edit {
                Edit::Replace(new) => {
                    entries.retain(|entry| entry.name != new.name);
                    entries.push(new);
                }
                Edit::Without(name, _) => entries.retain(|entry| entry.name != *name),
            }
        }
        entries.sort_by_key(|entry| entry.name);
        let tables = entries.iter().filter_map(|entry| entry.manifest.tables);
        let all: Vec<Migrations> = tables.chain(self.parts.migrations).collect();
        Migrations::fingerprint_of(&all)
    }

    /// Adds a command.
    #[must_use]
    pub fn command(mut self, command: Command) -> Self {
        self.parts.commands.push(command);
        self
    }
}
