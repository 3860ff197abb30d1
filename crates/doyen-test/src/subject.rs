//! The application under test.

use std::sync::Arc;

use doyen::app::Plugin;
use doyen::domain::{Identify, Inject};
use doyen::web::Module;
use doyen::{App, Overrides};

use crate::TestApp;

/// An application under test, selected by the type of a test's parameter.
///
/// Add helpers (`as_customer()`) as methods of your type; `Deref` to the inner [`TestApp`] provides
/// the rest.
pub trait Subject: Sized {
    /// Returns the application, as `main` runs it.
    fn app() -> App;

    /// Returns replacements and additions.
    fn setup() -> Setup {
        Setup::new()
    }

    /// Wraps the running application.
    fn new(app: TestApp) -> Self;
}

/// Replacements in an application, and additions to it.
///
/// By default the application is as in production, except for a manual clock, cheap password
/// hashes, an access log in memory and a known signing key.
#[derive(Default)]
pub struct Setup {
    pub(crate) overrides: Overrides,
    pub(crate) edits: Vec<Edit>,
    pub(crate) values: Vec<(String, String)>,
    pub(crate) allows_repeated_statements: bool,
    pub(crate) failing: Vec<&'static str>,
}

/// Changes the application.
pub(crate) type Edit = Box<dyn FnOnce(App) -> App + Send>;

impl std::fmt::Debug for Setup {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Setup")
            .field("values", &self.values)
            .finish_non_exhaustive()
    }
}

impl Setup {
    /// Creates a setup without replacements.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets a setting, in the syntax of an environment variable:
    /// `set("server.body_limit", "1 KiB")`.
    #[must_use]
    pub fn set(mut self, key: &str, value: &str) -> Self {
        self.values.push((key.to_owned(), value.to_owned()));
        self
    }

    /// Permits requests that run the same query for each of several rows, which otherwise fail the
    /// test. To permit them on one route only, set `evidence.allow` to
    /// `repeated_statement GET /reports`; in a file of the application it also applies in
    /// production.
    #[must_use]
    pub fn allow_repeated_statements(mut self) -> Self {
        self.allows_repeated_statements = true;
        self
    }

    /// Fails the test if a request has a finding with this code, such as `missing_limit`.
    #[must_use]
    pub fn fail_on(mut self, code: &'static str) -> Self {
        self.failing.push(code);
        self
    }

    /// Adds a module: routes that fail, wait or panic for a test.
    #[must_use]
    pub fn module(mut self, module: Module) -> Self {
        self.overrides.modules.push(module);
        self
    }

    /// Adds a plugin.
    #[must_use]
    pub fn plugin(self, plugin: impl Plugin) -> Self {
        self.edit(|app| app.plugin(plugin))
    }

    /// Replaces the plugin of the same name.
    #[must_use]
    pub fn replace_plugin(self, plugin: impl Plugin) -> Self {
        self.edit(|app| app.replace(plugin))
    }

    /// Removes a plugin.
    #[must_use]
    pub fn without(self, plugin: &'static str) -> Self {
        self.edit(move |app| app.without(plugin))
    }

    /// Changes the application before it is built.
    #[must_use]
    pub fn edit(mut self, edit: impl FnOnce(App) -> App + Send + 'static) -> Self {
        self.edits.push(Box::new(edit));
        self
    }

    /// Replaces the provider of a port, or of a value injected as `Arc<T>`.
    #[must_use]
    pub fn replace<T: ?Sized + Send + Sync + 'static>(mut self, value: Arc<T>) -> Self {
        self.overrides
            .bindings
            .push(Box::new(move |container| container.replace(value)));
        self
    }

    /// Identifies callers before the application does: a scheme of its own that would ask another
    /// service. For a single caller, [`TestApp::as_user`] is shorter.
    #[must_use]
    pub fn identify(mut self, identify: impl Identify) -> Self {
        self.overrides.identify = Some(Arc::new(identify));
        self
    }

    /// Calls this function in the place of an `#[extractor]` or of a guard. The OpenAPI document
    /// stays as it is.
    #[must_use]
    pub fn override_extractor<T: 'static>(
        mut self,
        make: impl Fn() -> T + Send + Sync + 'static,
    ) -> Self {
        self.overrides.bindings.push(Box::new(move |container| {
            container.override_extractor(make)
        }));
        self
    }

    /// Injects this value for `T`.
    #[must_use]
    pub fn override_with<T: Inject>(mut self, value: T) -> Self {
        self.overrides
            .bindings
            .push(Box::new(move |container| container.override_with(value)));
        self
    }
}
