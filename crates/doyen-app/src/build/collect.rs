//! Sorts the plugins and reads the settings.

use std::sync::Arc;

#[cfg(feature = "database")]
use doyen_data::{CursorKey, Database};
use doyen_schema::contract::OutboundCall;
use doyen_schema::{Info, ProblemFormat};
use doyen_settings::{Environment, Loader, Row};
use doyen_web::{EdgeOptions, Module, StartError};

use super::Purpose;
use crate::Command;
use crate::app::{Own, Parts};
use crate::claims::{Claims, Owner, OwnerKind};
use crate::entry::{self, Entry};
use crate::fault::{Fault, StartupError};
use crate::identification::Identification;
use crate::nats::{self, Nats};
use crate::redis::{self, Redis};
use crate::registrar::Contribution;
use crate::secret::RootSecret;
use crate::settings::CoreSettings;
use crate::settings_union::{self, Provide};
use crate::tls::{self, PublicTls};

/// An application whose plugins are sorted and whose settings are read.
pub(super) struct Collected {
    pub(super) owner: Owner,
    pub(super) info: Info,
    pub(super) entries: Vec<Entry>,
    /// Plugins that cannot be registered.
    pub(super) broken: Vec<&'static str>,
    pub(super) absent: Vec<(&'static str, String)>,
    pub(super) core: CoreSettings,
    pub(super) provide: Option<Provide>,
    pub(super) environment: Environment,
    pub(super) report: Vec<Row>,
    pub(super) warnings: Vec<doyen_settings::Fault>,
    pub(super) edge: EdgeOptions,
    pub(super) secret: RootSecret,
    #[cfg(feature = "database")]
    pub(super) database: Database,
    pub(super) redis: Option<Redis>,
    pub(super) nats: Option<Nats>,
    pub(super) tls: Option<PublicTls>,
    #[cfg(feature = "database")]
    pub(super) migrations: Option<doyen_data::Migrations>,
    pub(super) modules: Vec<Module>,
    pub(super) webhooks: Vec<OutboundCall>,
    pub(super) commands: Vec<Command>,
    pub(super) seed: Option<Command>,
    pub(super) contributions: Vec<Contribution>,
    pub(super) identifications: Vec<Arc<Identification>>,
    pub(super) problem_format: Option<Arc<dyn ProblemFormat>>,
    pub(super) own: Vec<Own>,
    pub(super) claims: Claims,
    pub(super) settings_faults: Vec<doyen_settings::Fault>,
    pub(super) faults: Vec<Fault>,
}

/// # Errors
///
/// Returns an error if the environment is unknown or the URL of the database is invalid: without
/// them, plugins cannot be registered.
pub(super) fn collect(
    parts: Parts,
    loader: Loader,
    purpose: Purpose,
) -> Result<Collected, StartupError> {
    let owner = Owner {
        kind: OwnerKind::Application,
        name: parts.name,
        place: parts.place,
    };
    let mut sorted = entry::sort(parts.plugins, parts.edits);
    let mut faults = std::mem::take(&mut sorted.faults);
    faults.extend(parts.once.repeated.iter().map(|what| {
        let repeated = StartError::Repeated("the application".to_owned(), what);
        Fault::new(repeated.to_string())
    }));
    let mut claims = Claims::default();
    let clashes = settings_union::claim(&sorted.entries, (parts.settings, owner), &mut claims);
    faults.extend(clashes);
    let loader = settings_union::absent(loader, parts.absent, &sorted.absent, &sorted.entries);
    let (settled, settings_faults) =
        settings_union::read(loader, &mut sorted.entries, parts.settings)?;
    // With a mistake in the settings of the framework, the plugins are checked with its defaults.
    let mut core = match settled.core {
        Some(core) => core,
        None => CoreSettings::defaults()?,
    };
    let mut report = settled.report;
    core.settle(parts.name, &mut report);

    let mut note = |fault| faults.push(fault);
    let secret = match purpose {
        Purpose::Run => RootSecret::read(&core.auth, settled.environment, core.database_url()),
        Purpose::Describe => RootSecret::ephemeral(),
    };
    // A mistake here does not keep the plugins from being checked.
    let secret = match secret {
        Ok(secret) => secret,
        Err(fault) => {
            note(fault);
            RootSecret::ephemeral()?
        }
    };
    let mut edge = core.server.edge().unwrap_or_else(|(key, message)| {
        note(Fault::setting(key, message));
        EdgeOptions::default()
    });
    edge.strictness = parts.strictness;
    let redis = redis::open(&core.redis).unwrap_or_else(|fault| {
        note(fault);
        None
    });
    let nats = nats::open(&core.nats).unwrap_or_else(|fault| {
        note(fault);
        None
    });
    let tls = tls::open(&core.server).unwrap_or_else(|fault| {
        note(fault);
        None
    });
    #[cfg(feature = "database")]
    let database = match Database::new(&core.database.options()) {
        Ok(database) => database.with_cursor_key(CursorKey::new(secret.cursor_key())),
        Err(error) => {
            note(Fault::from_error(error));
            let error = StartupError::of(settings_faults, faults);
            return Err(error.with_warnings(settled.warnings));
        }
    };
    Ok(Collected {
        owner,
        info: parts.info,
        entries: sorted.entries,
        broken: sorted.broken,
        absent: sorted.absent,
        core,
        provide: settled.provide,
        environment: settled.environment,
        report,
        warnings: settled.warnings,
        edge,
        secret,
        #[cfg(feature = "database")]
        database,
        redis,
        nats,
        tls,
        #[cfg(feature = "database")]
        migrations: parts.migrations,
        modules: parts.modules,
        webhooks: parts.webhooks,
        commands: parts.commands,
        seed: parts.seed,
        contributions: parts.contributions,
        identifications: parts.identifications,
        problem_format: parts.problem_format,
        own: parts.own,
        claims,
        settings_faults,
        faults,
    })
}
