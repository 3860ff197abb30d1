//! What a test is about.

use std::sync::Arc;

use doyen::app::Plugin;
use doyen::domain::Inject;
use doyen::web::Module;
use doyen::{App, Overrides};

use crate::TestApp;

/// An application under test. The type of a test's parameter says which.
///
/// Helpers of your own (`as_customer()`) are methods of your type; `Deref` to the [`TestApp`]
/// inside gives the rest.
pub trait Subject: Sized {
    /// The application, as `main` runs it.
    fn app() -> App;

    /// What is replaced in it, or added to it.
    fn setup() -> Setup {
        Setup::new()
    }

    /// Wraps the running application.
    fn new(app: TestApp) -> Self;
}

/// What a test replaces in an application, or adds to it.
///
/// Without any of it the application is as in production, but for a clock that only the test moves,
/// cheap password hashes, an access log in memory and a known signing key.
#[derive(Default)]
pub struct Setup {
    pub(crate) overrides: Overrides,
    pub(crate) edits: Vec<Edit>,
    pub(crate) values: Vec<(String, String)>,
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
    /// Nothing replaced.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets a setting, written as in a variable: `set("server.body_limit", "1 KiB")`.
    #[must_use]
    pub fn set(mut self, key: &str, value: &str) -> Self {
        self.values.push((key.to_owned(), value.to_owned()));
        self
    }

    /// Adds a module: routes that fail, wait or panic as a test needs it.
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

    /// Leaves out a plugin.
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

    /// Replaces whatever supplies a port, or a value asked for as `Arc<T>`.
    #[must_use]
    pub fn replace<T: ?Sized + Send + Sync + 'static>(mut self, value: Arc<T>) -> Self {
        self.overrides
            .bindings
            .push(Box::new(move |container| container.replace(value)));
        self
    }

    /// Gives this value wherever `T` is injected.
    #[must_use]
    pub fn override_with<T: Inject>(mut self, value: T) -> Self {
        self.overrides
            .bindings
            .push(Box::new(move |container| container.override_with(value)));
        self
    }
}
