//! The settings that every application has. Each plugin adds its own section.

#[cfg(feature = "database")]
mod database;
mod server;

#[cfg(feature = "database")]
use doyen_settings::Origin;
use doyen_settings::{Loader, Row, Settings, SettingsError};

#[cfg(feature = "database")]
pub use database::{DatabaseSettings, MigrateMode, PoolerMode, SynchronousMode};
pub use server::ServerSettings;

use crate::nats::NatsSettings;
use crate::redis::RedisSettings;
use crate::secret::SecretSettings;

/// The settings that every application has.
#[derive(Debug, Clone, Settings)]
#[non_exhaustive]
pub struct CoreSettings {
    /// The public listener and its limits.
    #[setting(section)]
    pub server: ServerSettings,
    /// The database.
    #[cfg(feature = "database")]
    #[setting(section)]
    pub database: DatabaseSettings,
    /// The root secret.
    #[setting(section)]
    pub auth: SecretSettings,
    /// Redis.
    #[setting(section)]
    pub redis: RedisSettings,
    /// NATS.
    #[setting(section)]
    pub nats: NatsSettings,
}

impl CoreSettings {
    /// The settings if nothing is set.
    pub(crate) fn defaults() -> Result<Self, SettingsError> {
        let loader = Loader::new("DEFAULTS").env(std::iter::empty::<(String, String)>());
        Ok(loader.load::<Self>()?.value)
    }

    /// Returns the URL of the database, if the program has one.
    #[cfg_attr(
        not(feature = "database"),
        allow(clippy::unused_self, reason = "a program with a database needs it")
    )]
    pub(crate) fn database_url(&self) -> Option<&str> {
        #[cfg(feature = "database")]
        return Some(self.database.url.expose());
        #[cfg(not(feature = "database"))]
        None
    }

    /// Gives defaults that depend on the application.
    #[cfg_attr(
        not(feature = "database"),
        allow(unused_variables, clippy::unused_self)
    )]
    pub(crate) fn settle(&mut self, name: &str, report: &mut [Row]) {
        // The file of an application has its name.
        #[cfg(feature = "database")]
        if let Some(row) = report
            .iter_mut()
            .find(|row| row.key == "database.url" && row.origin == Origin::Default)
        {
            row.value = format!("sqlite://data/{name}.db");
            self.database.url = row.value.clone().into();
        }
    }

    /// Shows the database that is opened instead of a masked secret: the URL without its password,
    /// and the path of a SQLite file.
    #[cfg(feature = "database")]
    pub(crate) fn show_database(&self, report: &mut [Row]) {
        let options = self.database.options();
        let mut value = options.masked_url();
        if options.url.starts_with("sqlite:")
            && let Ok(database) = doyen_data::Database::new(&options)
        {
            value = format!("{value} ({})", database.target());
        }
        if let Some(row) = report.iter_mut().find(|row| row.key == "database.url") {
            row.value = value;
        }
    }
}
