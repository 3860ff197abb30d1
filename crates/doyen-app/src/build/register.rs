//! Registers the plugins and the application.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use doyen_core::{Clock, SystemClock};

use super::Overrides;
use super::collect::Collected;
use crate::SetupError;
use crate::background;
use crate::claims::{Kind, Owner, OwnerKind};
use crate::entry::Entry;
use crate::fault::Fault;
use crate::order::Item;
use crate::registrar::{AppInfo, Draft, Registrar};
use crate::report::Plugins;
use crate::system;

/// What all plugins and the application registered.
pub(super) struct Registered {
    pub(super) draft: Draft,
    pub(super) report: Plugins,
    /// The plugins and what they declare, for the second sort.
    pub(super) items: Vec<Item>,
    /// True if a plugin did not register: what it would have provided is missing.
    pub(super) incomplete: bool,
    #[cfg(feature = "database")]
    pub(super) tables: crate::database::Tables,
}

pub(super) fn register(collected: &mut Collected, overrides: &mut Overrides) -> Registered {
    let clock = overrides.clock.clone();
    let entries = std::mem::take(&mut collected.entries);
    let report = Plugins::new(&entries, &collected.absent);
    let items = entries.iter().map(Entry::item).collect();
    let mut draft = draft(collected, &entries, clock);
    let framework = Owner {
        kind: OwnerKind::Framework,
        ..collected.owner
    };
    system::register(&mut Registrar {
        draft: &mut draft,
        owner: framework,
    });
    #[cfg(feature = "database")]
    let mut tables = crate::database::tables(&entries, collected.migrations, &mut draft);
    let mut incomplete = collected.provide.is_none();
    for mut entry in entries {
        commands(&mut entry, &mut draft);
        let fine = entry.has_settings() && !collected.broken.contains(&entry.name);
        incomplete |= !(fine && attempt(&mut draft, entry.owner(), |app| entry.register(app)));
    }
    // Event handlers and jobs of the application are contributions, which plugins read in `finish`.
    for module in collected.modules.iter_mut().chain(&mut overrides.modules) {
        let owner = collected.owner;
        let draft = &mut draft;
        let mut registrar = Registrar { draft, owner };
        registrar.module_events(module);
        registrar.module_jobs(module);
        #[cfg(feature = "database")]
        tables.declare(module.take_tables());
    }
    for (owner, finish) in std::mem::take(&mut draft.finishes) {
        incomplete |= !attempt(&mut draft, owner, finish);
    }
    application(collected, &mut draft);
    Registered {
        draft,
        report,
        items,
        incomplete,
        #[cfg(feature = "database")]
        tables,
    }
}

fn draft(collected: &mut Collected, entries: &[Entry], clock: Option<Arc<dyn Clock>>) -> Draft {
    Draft {
        info: AppInfo {
            name: collected.owner.name,
            title: collected.info.title.clone(),
            version: collected.info.version.clone(),
            environment: collected.environment,
            local_url: collected.core.server.local_url(),
        },
        seed: collected.secret.seed.clone(),
        clock: clock.unwrap_or_else(|| Arc::new(SystemClock)),
        #[cfg(feature = "database")]
        database: collected.database.clone(),
        redis: collected.redis.clone(),
        nats: collected.nats.clone(),
        tls: collected.tls.clone(),
        plugins: entries.iter().map(|entry| entry.name).collect(),
        required: entries
            .iter()
            .flat_map(|entry| entry.manifest.requires.iter().copied())
            .collect(),
        claims: std::mem::take(&mut collected.claims),
        faults: Vec::new(),
        bindings: Vec::new(),
        suppliers: HashMap::new(),
        roots: Vec::new(),
        modules: Vec::new(),
        own_modules: Vec::new(),
        admin: Vec::new(),
        admin_hosts: Vec::new(),
        listener: None,
        identifiers: Vec::new(),
        limits: None,
        idempotency: None,
        response_cache: None,
        access_log: None,
        observers: Vec::new(),
        start_logs: None,
        has_banner: !collected.environment.is_prod(),
        classifiers: Vec::new(),
        layers: Vec::new(),
        health: Arc::default(),
        metrics: Arc::default(),
        commands: Vec::new(),
        services: Vec::new(),
        tasks: Vec::new(),
        drains: Vec::new(),
        contributions: std::mem::take(&mut collected.contributions),
        finishes: Vec::new(),
        after_build: Vec::new(),
    }
}

/// Adds the commands of a plugin.
fn commands(entry: &mut Entry, draft: &mut Draft) {
    let mut registrar = Registrar {
        draft,
        owner: entry.owner(),
    };
    for command in std::mem::take(&mut entry.manifest.commands) {
        if registrar.claim(Kind::Command, command.name) {
            let root = (format!("command {}", command.name), command.needs.clone());
            registrar.draft.roots.push(root);
            registrar.draft.commands.push(command);
        }
    }
}

/// Runs one registration. Returns false if it failed; the mistake is then among the faults.
fn attempt(
    draft: &mut Draft,
    owner: Owner,
    register: impl FnOnce(&mut Registrar<'_>) -> Result<(), SetupError>,
) -> bool {
    let before = draft.faults.len();
    let mut registrar = Registrar { draft, owner };
    let done = catch_unwind(AssertUnwindSafe(|| register(&mut registrar)));
    match done {
        Ok(Ok(())) => {}
        Ok(Err(error)) => draft.faults.push(Fault::of(owner.name, error)),
        Err(panic) => {
            let text = panic
                .downcast_ref::<&str>()
                .map(|text| (*text).to_owned())
                .or_else(|| panic.downcast_ref::<String>().cloned())
                .unwrap_or_default();
            let error = SetupError::new(format!("it panicked while it registered: {text}"));
            draft.faults.push(Fault::of(owner.name, error));
        }
    }
    draft.faults.len() == before
}

/// Adds the modules, commands and security schemes of the application itself.
fn application(collected: &mut Collected, draft: &mut Draft) {
    let mut registrar = Registrar {
        draft,
        owner: collected.owner,
    };
    for own in std::mem::take(&mut collected.own) {
        own(&mut registrar);
    }
    // The last to start, so that it is the first to stop.
    background::register(&mut registrar);
    for module in std::mem::take(&mut collected.modules) {
        registrar.draft.own_modules.push(module.name().to_owned());
        registrar.module(module);
    }
    // Before those of plugins: they may refuse credentials that belong to the application.
    let plugins = std::mem::take(&mut registrar.draft.identifiers);
    for identification in std::mem::take(&mut collected.identifications) {
        let name = format!("identification by `{}`", identification.name());
        let root = (name, identification.needs.clone());
        registrar.draft.roots.push(root);
        let identify = Arc::clone(&identification) as Arc<dyn doyen_core::Identify>;
        registrar.draft.identifiers.push(identify);
        registrar.after_build(move |built| {
            identification.connect(built.service().container().clone());
        });
    }
    registrar.draft.identifiers.extend(plugins);
    for command in collected.commands.iter().chain(&collected.seed) {
        registrar.claim(Kind::Command, command.name);
        let root = (format!("command {}", command.name), command.needs.clone());
        registrar.draft.roots.push(root);
    }
}
