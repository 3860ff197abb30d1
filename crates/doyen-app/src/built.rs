//! A checked application: it can be described, and started.

use std::sync::{Arc, Mutex};

#[cfg(feature = "database")]
use doyen_data::Database;
use doyen_settings::Row;
use doyen_web::Service;

use crate::lifecycle::{DrainEntry, ServiceEntry, TaskEntry};
use crate::registrar::{AppInfo, BannerLink, Flush, Listener};
use crate::report::Plugins;
use crate::secret::RootSecret;
use crate::settings::CoreSettings;
use crate::{Command, Health, Metrics, SetupError};

/// An application that was checked. Nothing is connected yet.
pub struct Built {
    pub(crate) service: Service,
    pub(crate) admin: Option<Admin>,
    pub(crate) document: String,
    pub(crate) info: AppInfo,
    pub(crate) core: CoreSettings,
    pub(crate) secret: RootSecret,
    #[cfg(feature = "database")]
    pub(crate) database: Database,
    #[cfg(feature = "database")]
    pub(crate) tables: crate::database::Tables,
    pub(crate) health: Arc<Health>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) plugins: Arc<Plugins>,
    pub(crate) settings: Vec<Row>,
    pub(crate) warnings: Vec<doyen_settings::Fault>,
    pub(crate) commands: Vec<Command>,
    pub(crate) seed: Option<Command>,
    /// The links of the banner; `None` if the addresses are logged instead.
    pub(crate) banner: Option<Vec<BannerLink>>,
    pub(crate) plan: Mutex<Plan>,
}

/// The admin listener.
pub(crate) struct Admin {
    pub(crate) service: Service,
    pub(crate) listener: Listener,
}

/// What is started, once.
#[derive(Default)]
pub(crate) struct Plan {
    /// The plugins in the order in which they start.
    pub(crate) order: Vec<&'static str>,
    pub(crate) services: Vec<ServiceEntry>,
    pub(crate) tasks: Vec<TaskEntry>,
    pub(crate) drains: Vec<DrainEntry>,
    pub(crate) start_logs: Option<StartLogs>,
}

type StartLogs = Box<dyn FnOnce() -> Result<Flush, SetupError> + Send>;

impl std::fmt::Debug for Built {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Built")
            .field("name", &self.info.name)
            .finish_non_exhaustive()
    }
}

impl Built {
    /// Facts about the application.
    pub const fn info(&self) -> &AppInfo {
        &self.info
    }

    /// The settings of the framework.
    pub const fn core(&self) -> &CoreSettings {
        &self.core
    }

    /// The public service.
    pub const fn service(&self) -> &Service {
        &self.service
    }

    /// The service of the admin listener, if the application has one.
    pub fn admin(&self) -> Option<&Service> {
        self.admin.as_ref().map(|admin| &admin.service)
    }

    /// The OpenAPI document, as text.
    pub fn document(&self) -> &str {
        &self.document
    }

    /// The database.
    #[cfg(feature = "database")]
    pub const fn database(&self) -> &Database {
        &self.database
    }

    /// The health checks.
    pub const fn health(&self) -> &Arc<Health> {
        &self.health
    }

    /// The metrics.
    pub const fn metrics(&self) -> &Arc<Metrics> {
        &self.metrics
    }

    /// The plugins, in order.
    pub const fn plugins(&self) -> &Arc<Plugins> {
        &self.plugins
    }

    /// Each setting with its value and origin.
    pub fn settings(&self) -> &[Row] {
        &self.settings
    }

    /// Environment variables that begin with the prefix of the settings and are ignored.
    pub fn warnings(&self) -> &[doyen_settings::Fault] {
        &self.warnings
    }

    /// All commands of the plugins and of the application.
    pub fn commands(&self) -> &[Command] {
        &self.commands
    }

    /// The demo data, if the application has any.
    pub const fn seed(&self) -> Option<&Command> {
        self.seed.as_ref()
    }
}
