//! From an application to a checked service: settings read, plugins registered, dependencies
//! checked. Nothing is connected, and every mistake is reported.

mod check;
mod collect;
mod register;

use std::sync::Arc;

use doyen_core::inject::ContainerBuilder;
use doyen_core::{AccessSink, Clock};
use doyen_settings::Loader;
use doyen_web::Module;

use crate::app::Parts;
use crate::fault::StartupError;
use crate::{App, Built, Defaults};

/// Adds bindings to a container, or replaces some.
pub type Bind = Box<dyn FnOnce(&mut ContainerBuilder) + Send>;

/// What a test replaces.
#[derive(Default)]
pub struct Overrides {
    /// The clock; the system's without one.
    pub clock: Option<Arc<dyn Clock>>,
    /// The receiver of the access log.
    pub access_log: Option<Arc<dyn AccessSink>>,
    /// Bindings to add or replace.
    pub bindings: Vec<Bind>,
    /// Modules to add.
    pub modules: Vec<Module>,
}

impl std::fmt::Debug for Overrides {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Overrides").finish_non_exhaustive()
    }
}

/// What the application is built for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// To run: the root secret is read.
    Run,
    /// To describe it: no secret is needed.
    Describe,
}

impl<D: Defaults> App<D> {
    /// Reads the settings, registers all plugins and checks everything, without connecting to
    /// anything. Call it in a tokio runtime.
    ///
    /// # Errors
    ///
    /// Returns every mistake in the settings, in the plugins and among the dependencies.
    pub fn build(self, loader: Loader, overrides: Overrides) -> Result<Built, StartupError> {
        build(self.parts, loader, overrides, Purpose::Run)
    }
}

pub(crate) fn build(
    parts: Parts,
    loader: Loader,
    mut overrides: Overrides,
    purpose: Purpose,
) -> Result<Built, StartupError> {
    let mut collected = collect::collect(parts, loader, purpose)?;
    let registered = register::register(&mut collected, &mut overrides);
    check::check(collected, registered, overrides)
}
