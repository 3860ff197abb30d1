//! Checks everything together: conflicts, routes and dependencies.

use std::any::TypeId;
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex};

use doyen_core::inject::{GraphError, Need, Needs};
use doyen_core::{Clock, Identify, join_observers};
use doyen_schema::Info;
use doyen_secret::CookieKeys;
use doyen_web::{Builder, EdgeOptions, Service, StartError, Versions};

use super::Overrides;
use super::collect::Collected;
use super::register::Registered;
use crate::api_document::ApiDocument;
use crate::built::{Admin, Built, Plan};
use crate::fault::{Fault, StartupError};
use crate::identifiers::Identifiers;
use crate::order::{self, Item};
use crate::registrar::Draft;
use crate::system;

pub(super) fn check(
    collected: Collected,
    registered: Registered,
    overrides: Overrides,
) -> Result<Built, StartupError> {
    let Registered {
        mut draft,
        mut report,
        items,
        incomplete,
        ..
    } = registered;
    let mut faults = collected.faults;
    let conflicts = !draft.faults.is_empty();
    faults.append(&mut draft.faults);
    let order = start_order(items, &draft, &mut faults);
    report.complete(&order, &draft.claims);
    let plugins = Arc::new(report);

    let mut builder = pipeline(&mut draft, &order, overrides.access_log, overrides.identify);
    builder = builder.options(collected.edge);
    if let Some(format) = collected.problem_format {
        builder = builder.problem_format(format);
    }
    for module in draft.modules.drain(..).chain(overrides.modules) {
        builder = builder.module(module);
    }
    for call in collected.webhooks {
        builder = builder.webhook(call);
    }
    let container = builder.container();
    container.provide::<dyn Clock>(Arc::clone(&draft.clock));
    #[cfg(feature = "database")]
    container.provide(Arc::new(collected.database.clone()));
    if let Some(redis) = &collected.redis {
        container.provide(Arc::new(redis.clone()));
    }
    if let Some(nats) = &collected.nats {
        container.provide(Arc::new(nats.clone()));
    }
    let cookies = CookieKeys::new(&draft.seed.deriver("cookies"));
    container.provide(Arc::new(cookies));
    container.provide(Arc::clone(&draft.health));
    container.provide(Arc::clone(&draft.metrics));
    container.provide(Arc::clone(&plugins));
    if let Some(provide) = collected.provide {
        provide(container);
    }
    for bind in draft.bindings.drain(..).chain(overrides.bindings) {
        bind(container);
    }
    let built = builder.build();
    let built = built.and_then(|service| Ok((admin(&service, &mut draft)?, service)));
    let (admin, service) = match built {
        Ok(built) => built,
        Err(errors) => {
            let errors = errors.into_iter();
            let errors = errors.filter(|error| !is_consequence(error, incomplete, conflicts));
            faults.extend(errors.map(|error| Fault::new(error.to_string())));
            let error = StartupError::of(collected.settings_faults, faults);
            return Err(error.with_warnings(collected.warnings));
        }
    };
    if !(faults.is_empty() && collected.settings_faults.is_empty()) {
        let error = StartupError::of(collected.settings_faults, faults);
        return Err(error.with_warnings(collected.warnings));
    }
    system::http_metrics(&draft.metrics, &service);
    // The modules of the application come before those of plugins.
    let mut tags = service.contracts().modules.clone();
    tags.sort_by_key(|(name, _)| !draft.own_modules.contains(name));
    let mut info = Info {
        tags,
        ..collected.info.clone()
    };
    let root = service.root_path().as_str();
    if info.servers.is_empty() && !root.is_empty() {
        let description = "The server that returned this document.";
        info.servers.push((root.to_owned(), description.to_owned()));
    }
    let document = ApiDocument::new(
        info,
        Arc::clone(service.contracts()),
        service.versions().cloned(),
    );
    let banner = draft.has_banner.then(|| draft.contributions());
    let mut commands = draft.commands;
    commands.extend(collected.commands);
    let built = Built {
        service,
        admin,
        document: Arc::new(document),
        info: draft.info,
        core: collected.core,
        secret: collected.secret,
        #[cfg(feature = "database")]
        database: collected.database,
        #[cfg(feature = "database")]
        tables: registered.tables,
        health: draft.health,
        metrics: draft.metrics,
        tls: draft.tls,
        plugins,
        settings: collected.report,
        warnings: collected.warnings,
        commands,
        seed: collected.seed,
        banner,
        plan: Mutex::new(Plan {
            order,
            services: draft.services,
            tasks: draft.tasks,
            drains: draft.drains,
            start_logs: draft.start_logs,
        }),
    };
    for after in draft.after_build {
        after(&built);
    }
    Ok(built)
}

/// A builder with what the plugins put into the request pipeline.
fn pipeline(
    draft: &mut Draft,
    order: &[&'static str],
    access_log: Option<Arc<dyn doyen_core::AccessSink>>,
    identify: Option<Arc<dyn Identify>>,
) -> Builder {
    let mut builder = Service::builder();
    for (name, needs) in draft.roots.drain(..) {
        builder = builder.root(&name, needs);
    }
    for classifier in draft.classifiers.drain(..) {
        builder = builder.classifier(classifier);
    }
    if let Some(sink) = access_log.or(draft.access_log.take()) {
        builder = builder.access_log(sink);
    }
    if let Some(observer) = join_observers(std::mem::take(&mut draft.observers)) {
        builder = builder.observer(observer);
    }
    if !draft.identifiers.is_empty() {
        let identifiers = std::mem::take(&mut draft.identifiers);
        builder = builder.identify(Arc::new(Identifiers::new(identifiers)));
    }
    if let Some(identify) = identify {
        builder = builder.identify_first(identify);
    }
    // In the order of the plugins, those of the application last: the innermost.
    let mut layers = std::mem::take(&mut draft.layers);
    let place = |plugin| order.iter().position(|other| *other == plugin);
    layers.sort_by_key(|entry| place(entry.plugin).unwrap_or(order.len()));
    for entry in layers {
        builder = builder.layer(entry.slot, entry.layer);
    }
    if let Some(limits) = draft.limits.take() {
        builder = builder.limits(limits);
    }
    if let Some(versions) = draft.contributions::<Versions>().pop() {
        builder = builder.versions(versions, Arc::clone(&draft.clock));
    }
    if let Some(store) = draft.idempotency.take() {
        builder = builder.idempotency(store);
    }
    if let Some(cache) = draft.response_cache.take() {
        builder = builder.response_cache(cache);
    }
    builder
}

/// The service of the admin listener. It shares the container of the public one.
fn admin(service: &Service, draft: &mut Draft) -> Result<Option<Admin>, Vec<StartError>> {
    let Some(listener) = draft.listener.take() else {
        return Ok(None);
    };
    let mut builder = Service::builder()
        .shared_container(service.container().clone())
        .options(EdgeOptions {
            hosts: std::mem::take(&mut draft.admin_hosts),
            internal: true,
            ..EdgeOptions::default()
        });
    for module in draft.admin.drain(..) {
        builder = builder.module(module);
    }
    let service = builder.build()?;
    Ok(Some(Admin { service, listener }))
}

/// True for a mistake that another reported one causes.
fn is_consequence(error: &StartError, incomplete: bool, conflicts: bool) -> bool {
    match error {
        StartError::Graph(GraphError::Missing { .. } | GraphError::Unused { .. }) => {
            incomplete || conflicts
        }
        StartError::Graph(GraphError::Twice { .. }) => conflicts,
        _ => false,
    }
}

/// Sorts the plugins again, with the dependencies by injection: a plugin starts after those whose
/// values its background work uses.
fn start_order(mut items: Vec<Item>, draft: &Draft, faults: &mut Vec<Fault>) -> Vec<&'static str> {
    let services = draft.services.iter().map(|one| (one.plugin, &one.needs));
    for (plugin, needs) in services {
        let suppliers = suppliers(needs, &draft.suppliers);
        if let Some(item) = items.iter_mut().find(|item| item.name == plugin) {
            let others = suppliers.into_iter().filter(|other| *other != plugin);
            item.before.extend(others);
        }
    }
    let (sorted, cycles) = order::sort(&items);
    // Cycles of declarations are reported already.
    if faults.is_empty() {
        faults.extend(cycles);
    }
    sorted.into_iter().map(|index| items[index].name).collect()
}

/// The plugins that supply these needs, directly or indirectly.
fn suppliers(
    needs: &Needs,
    known: &HashMap<TypeId, (&'static str, Option<Need>)>,
) -> HashSet<&'static str> {
    let mut found = HashSet::new();
    let mut seen = HashSet::new();
    let mut queue: Vec<Need> = needs.0.clone();
    while let Some(need) = queue.pop() {
        let node = need();
        if !seen.insert(node.id) {
            continue;
        }
        queue.extend(node.needs);
        if let Some((plugin, adapter)) = known.get(&node.id) {
            found.insert(*plugin);
            queue.extend(adapter);
        }
    }
    found
}
