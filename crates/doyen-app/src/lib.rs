//! Applications and their plugins.
//!
//! An [`App`] consists of modules (domains) and of plugins: everything that is not the request
//! pipeline itself. Each [`Plugin`] has its own settings section, and registers routes, bindings,
//! health checks, metrics and background work with a [`Registrar`]. This crate knows no plugin by
//! name.
//!
//! ```
//! use std::sync::Arc;
//!
//! use doyen_app::{App, Overrides, Plugin, Registrar, SetupError};
//! use doyen_settings::Loader;
//!
//! struct Greeting(String);
//! struct Greeter;
//!
//! impl Plugin for Greeter {
//!     const NAME: &'static str = "greeter";
//!     type Settings = ();
//!
//!     fn register(self, _: (), app: &mut Registrar<'_>) -> Result<(), SetupError> {
//!         let greeting = format!("Welcome to {}", app.info().title);
//!         app.provide(Arc::new(Greeting(greeting)));
//!         Ok(())
//!     }
//! }
//!
//! # let runtime = tokio::runtime::Runtime::new()?;
//! # let _in_runtime = runtime.enter();
//! # let key = "sLJYAgdCfOu32XB4lHaIbwtz27qjZoTrdH8YZ30eNwc";
//! # let loader = Loader::new("APP").env([("APP_AUTH__SIGNING_KEY", key)]);
//! let app: App = App::new("shop").plugin(Greeter);
//! let built = app.build(loader, Overrides::default())?;
//! assert_eq!(built.plugins().all()[0].name, "greeter");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Phases
//!
//! | phase | does | on a mistake |
//! | --- | --- | --- |
//! | collect | sorts the plugins by what they declare | reported, with those of the next three phases, in one list |
//! | settings | reads the settings of the framework, of all plugins and of the application | |
//! | register | calls [`Plugin::register`] | |
//! | check | finds conflicts, missing dependencies and wrong routes | |
//! | connect | binds the addresses, opens the database | names the setting |
//! | migrate | updates or checks the schema, plugin by plugin | names the plugin and the version |
//! | start | starts the services in order | names the service; what had started is stopped in reverse |
//! | serve | serves requests, runs the tasks | a task that fails for good stops the process |
//! | drain, stop | ends requests, then tasks, then services in reverse, then the database | a service that hangs is named |

// The macros generate paths that begin with `::doyen::__private`; here that is this crate.
extern crate self as doyen;

mod api_document;
mod app;
mod background;
mod build;
mod built;
mod claims;
mod cli;
mod command;
mod dashboards;
#[cfg(feature = "database")]
mod database;
mod development;
mod entry;
mod fault;
mod health;
mod identification;
mod identifiers;
mod inherited;
mod lifecycle;
mod load;
mod manifest;
mod metrics;
#[cfg(feature = "migration-lint")]
mod migration_lint;
pub mod nats;
mod order;
mod plugin;
mod process_metrics;
pub mod redis;
mod registrar;
mod report;
mod runtime;
mod secret;
mod serve;
mod service_manager;
mod settings;
mod settings_union;
mod setup_error;
mod statement_plans;
mod system;
mod tls;

pub use api_document::ApiDocument;
pub use app::{App, DeclaredPolicy, Defaults, PluginList};
pub use background::{Background, BackgroundTasks};
pub use build::{Bind, Overrides};
pub use built::Built;
pub use cli::{align, run};
pub use command::Command;
pub use doyen_secret::CookieKeys;
pub use fault::{Fault, StartupError};
pub use health::{Health, HealthStatus, Impact};
pub use identification::IntoCaller;
pub use identifiers::INVALID_REQUEST;
pub use lifecycle::{Shutdown, Stop, TaskKind};
pub use manifest::Manifest;
pub use metrics::{Alert, Family, Metrics, Samples};
pub use nats::{Nats, NatsSettings};
pub use plugin::Plugin;
pub use redis::{Redis, RedisSettings};
pub use registrar::{AdminReport, AppInfo, BannerLink, Flush, Registrar};
pub use report::{PluginReport, Plugins};
pub use runtime::Runtime;
pub use secret::SecretSettings;
pub use settings::{CoreSettings, ServerSettings};
#[cfg(feature = "database")]
pub use settings::{DatabaseSettings, MigrateMode, PoolerMode, SynchronousMode};
pub use setup_error::SetupError;
pub use statement_plans::StatementPlans;
pub use tls::TlsSettings;

/// Names for generated code. Not part of the public API.
#[doc(hidden)]
pub mod __private {
    pub use doyen_schema::__private::*;
    pub use doyen_settings as settings;
    /// The part for routes.
    pub mod web {
        pub use doyen_web::__private::*;
    }
}
