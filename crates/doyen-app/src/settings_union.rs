//! The settings of an application: those of the framework, of all plugins and its own, read
//! together, so that a key is unknown only if none of them has it.

use std::sync::Arc;

use doyen_core::inject::ContainerBuilder;
use doyen_settings::{Environment, Fault, Key, Loader, Reader, Row, Settings, SettingsError};

use crate::claims::{Claims, Kind, Owner, OwnerKind};
use crate::entry::Entry;
use crate::secret;
use crate::settings::CoreSettings;

/// The settings of the application itself, without their type.
#[derive(Clone, Copy)]
pub(crate) struct AppSettings {
    keys: fn() -> Vec<Key>,
    read: fn(&mut Reader<'_>) -> Option<Provide>,
}

/// Provides the settings to a container.
pub(crate) type Provide = Box<dyn FnOnce(&mut ContainerBuilder) + Send>;

impl AppSettings {
    pub(crate) fn of<S: Settings + Send + Sync + 'static>() -> Self {
        Self {
            keys: S::keys,
            read: |reader| {
                let settings = Arc::new(S::read(reader)?);
                Some(Box::new(move |container| container.provide(settings)))
            },
        }
    }
}

/// Settings that were read. A part with a mistake is `None`.
pub(crate) struct Settled {
    pub(crate) core: Option<CoreSettings>,
    pub(crate) provide: Option<Provide>,
    pub(crate) environment: Environment,
    pub(crate) report: Vec<Row>,
    /// Variables that are ignored.
    pub(crate) warnings: Vec<Fault>,
}

/// All keys, in the order of the reports.
pub(crate) fn keys(entries: &[Entry], own: AppSettings) -> Vec<Key> {
    let plugins = entries.iter().flat_map(Entry::keys);
    CoreSettings::keys()
        .into_iter()
        .chain(plugins)
        .chain((own.keys)())
        .collect()
}

/// Claims every key for its owner. A key of two owners is a fault.
pub(crate) fn claim(
    entries: &[Entry],
    own: (AppSettings, Owner),
    claims: &mut Claims,
) -> Vec<crate::Fault> {
    let framework = Owner {
        kind: OwnerKind::Framework,
        ..own.1
    };
    let of = |owner: Owner, keys: Vec<Key>| keys.into_iter().map(move |key| (owner, key.path));
    let all = of(framework, CoreSettings::keys())
        .chain(
            entries
                .iter()
                .flat_map(|entry| of(entry.owner(), entry.keys())),
        )
        .chain(of(own.1, (own.0.keys)()));
    all.filter_map(|(owner, key)| claims.claim(Kind::Setting, &key, owner).err())
        .collect()
}

/// Reads the settings, and returns them with all mistakes. Each plugin keeps its own.
///
/// # Errors
///
/// Returns an error if the environment is unknown.
pub(crate) fn read(
    loader: Loader,
    entries: &mut [Entry],
    own: AppSettings,
) -> Result<(Settled, Vec<Fault>), SettingsError> {
    let keys = keys(entries, own);
    let (loaded, faults) = loader.load_with(&keys, |reader| {
        let core = CoreSettings::read(reader);
        for entry in entries.iter_mut() {
            entry.read(reader);
        }
        (core, (own.read)(reader))
    })?;
    let (core, provide) = loaded.value;
    let settled = Settled {
        core,
        provide,
        environment: loaded.environment,
        report: loaded.report,
        warnings: loaded.warnings,
    };
    Ok((settled, faults))
}

/// Sections that are not read, with what to do about them.
pub(crate) fn absent(
    loader: Loader,
    compiled_out: &'static [(&'static str, &'static str)],
    left_out: &[(&'static str, String)],
    entries: &[Entry],
) -> Loader {
    let present =
        |name: &str| name == secret::SECTION || entries.iter().any(|entry| entry.section() == name);
    let loader = compiled_out
        .iter()
        .filter(|(name, _)| !present(name))
        .fold(loader, |loader, (name, advice)| {
            loader.absent_section(name, *advice)
        });
    let renamed = entries.iter().flat_map(|entry| &entry.manifest.renamed);
    let loader = renamed.fold(loader, |loader, (old, new)| {
        loader.absent_section(old, format!("it is `{new}` now. Rename it"))
    });
    left_out
        .iter()
        .filter(|(name, _)| !present(name))
        .fold(loader, |loader, (name, why)| {
            loader.absent_section(name, format!("{why}. Remove the setting"))
        })
}
