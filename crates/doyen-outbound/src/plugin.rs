//! The clients as a plugin.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use doyen_app::{AdminReport, Impact, Manifest, Plugin, Registrar, SetupError, Stop};

use crate::breaker::State;
use crate::guard::{Lookup, SystemLookup};
use crate::pool::Pools;
use crate::{
    ClientSettings, DeclaredUpstream, LookupOverride, OutboundSettings, Pool, admin, error, metrics,
};

/// Maximum time of the health check, which only reads memory.
const HEALTH_TIMEOUT: Duration = Duration::from_secs(1);

/// Calls to other services: provides a [`Client`](crate::Client) for each upstream that the
/// application declares with [`upstream`](crate::upstream).
#[derive(Clone, Copy, Debug, Default)]
pub struct Outbound;

impl Plugin for Outbound {
    const NAME: &'static str = "outbound";
    type Settings = OutboundSettings;

    fn manifest(&self, manifest: &mut Manifest) {
        manifest.about("Calls to other services, with limits, retries and circuit breakers");
    }

    fn register(
        self,
        settings: OutboundSettings,
        app: &mut Registrar<'_>,
    ) -> Result<(), SetupError> {
        app.classify_errors(error::classify);
        let pools = Arc::<OnceLock<Arc<Pools>>>::default();
        let reported = Arc::clone(&pools);
        app.contribute(AdminReport::new("breakers", move || {
            reported
                .get()
                .map(|pools| admin::report(pools))
                .unwrap_or_default()
        }));
        // Plugins may declare upstreams too: all are known after registration.
        app.finish(move |app| {
            wire(settings.clients, app, &pools);
            Ok(())
        });
        Ok(())
    }
}

fn wire(
    mut sections: BTreeMap<String, ClientSettings>,
    app: &mut Registrar<'_>,
    reported: &OnceLock<Arc<Pools>>,
) {
    let lookup = match app.contributions::<LookupOverride>().pop() {
        Some(LookupOverride(lookup)) => lookup,
        None => Arc::new(SystemLookup) as Arc<dyn Lookup>,
    };
    let mut pools: Vec<Arc<Pool>> = Vec::new();
    let declared = app.contributions::<DeclaredUpstream>();
    for DeclaredUpstream { name, provide } in &declared {
        let settings = sections.remove(*name).unwrap_or_default();
        match Pool::new(name, settings, app.clock(), Arc::clone(&lookup)) {
            Ok(pool) => {
                let pool = Arc::new(pool);
                provide(app, Arc::clone(&pool));
                pools.push(pool);
            }
            Err(error) => app.fault(error),
        }
    }
    for name in sections.keys() {
        let names: Vec<_> = declared
            .iter()
            .map(|one| format!("`{}`", one.name))
            .collect();
        let message = match names.is_empty() {
            true => "the application has no upstream: declare it with \
                     `.contribute(upstream::<..>())`, or remove the section"
                .to_owned(),
            false => format!(
                "the application has no upstream of this name, but {}: correct the name, or remove \
                 the section",
                names.join(", ")
            ),
        };
        app.fault(SetupError::setting(format!("outbound.{name}"), message));
    }
    operate(pools, app, reported);
}

/// Starts the connections, and shows the state of the clients.
fn operate(pools: Vec<Arc<Pool>>, app: &mut Registrar<'_>, reported: &OnceLock<Arc<Pools>>) {
    let agent = format!("{}/{}", app.info().name, app.info().version);
    let (checked, collected) = (pools.clone(), pools.clone());
    let pools = Arc::new(Pools(pools));
    app.provide(Arc::clone(&pools));
    app.admin(admin::module());
    let _ = reported.set(pools);
    app.service("outbound", move |pools: Arc<Pools>| async move {
        for pool in &pools.0 {
            pool.start(&agent)?;
        }
        Ok(Stop::nothing())
    });
    // An upstream that fails never makes this service unready: it still serves what needs no call.
    app.health("outbound", Impact::Degrades, HEALTH_TIMEOUT, move || {
        std::future::ready(check(&checked))
    });
    app.metrics(metrics::FAMILIES, move |samples| {
        metrics::collect(&collected, samples);
    });
}

/// Fails while the breaker of a host in the settings is not closed. Hosts that come from outside do
/// not count: they are no part of this service.
fn check(pools: &[Arc<Pool>]) -> Result<(), String> {
    let failing: Vec<_> = pools
        .iter()
        .filter(|pool| pool.state() != State::Closed)
        .map(|pool| format!("`{}`", pool.name))
        .collect();
    match failing.is_empty() {
        true => Ok(()),
        false => Err(format!("circuit breaker open: {}", failing.join(", "))),
    }
}
