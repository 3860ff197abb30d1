//! Events as a plugin.

use std::sync::Arc;
use std::time::Duration;

use doyen_app::{Impact, Manifest, Plugin, Registrar, SetupError, Shutdown, TaskKind};
use doyen_core::event::{Broker, EventHandler, EventLog};
use doyen_data::Database;

use crate::consume::Consumer;
use crate::log::SqlEventLog;
use crate::metrics::{FAMILIES, Stats};
use crate::relay::{Contexts, Relay};
use crate::store::{BROKER, Store, Target};
use crate::sweep::Sweeper;
use crate::{EventSettings, TABLES, broker, commands};

/// Maximum time of a health check.
const HEALTH_TIMEOUT: Duration = Duration::from_secs(1);

/// Delivers events to handlers and to a message broker.
///
/// Handlers are registered with `Module::on`, or contributed as [`EventHandler`]s. Provides the
/// port [`EventLog`] and the injectable [`Inbox`](crate::Inbox).
#[derive(Clone, Copy, Debug, Default)]
pub struct Events;

/// A broker that is used whatever the settings say: an extension point for tests, and for brokers
/// that Doyen has no adapter for.
#[derive(Clone, Debug)]
pub struct BrokerOverride(pub Arc<dyn Broker>);

impl Plugin for Events {
    const NAME: &'static str = "events";
    type Settings = EventSettings;

    fn manifest(&self, manifest: &mut Manifest) {
        manifest.about("Delivery of events").tables(TABLES);
        commands::declare(manifest);
    }

    fn register(self, settings: EventSettings, app: &mut Registrar<'_>) -> Result<(), SetupError> {
        app.bind_default::<dyn EventLog, SqlEventLog>();
        // Plugins may contribute handlers too: all are known after registration.
        app.finish(|app| wire(settings, app));
        Ok(())
    }
}

fn wire(settings: EventSettings, app: &mut Registrar<'_>) -> Result<(), SetupError> {
    check(&settings, app);
    let handlers = handlers(app)?;
    let broker = match app.contributions::<BrokerOverride>().pop() {
        Some(BrokerOverride(broker)) => Some(broker),
        None => broker::of(&settings, app).map_err(|(key, what)| SetupError::setting(key, what))?,
    };
    let targets = targets(&handlers, broker.as_ref(), &settings);
    let stats = Arc::new(Stats::new(&targets));
    let store = Store::new(app.database());
    let node = uuid::Uuid::new_v4().simple().to_string();
    operations(app, &stats, broker.clone());
    if !settings.deliver {
        return Ok(());
    }

    let sweeper = Arc::new(Sweeper {
        store: store.clone(),
        settings: settings.clone(),
        stats: Arc::clone(&stats),
        clock: app.clock(),
        node: node.clone(),
    });
    app.task(
        "events clean-up",
        TaskKind::Forever,
        move |(), shutdown: Shutdown| {
            let sweeper = Arc::clone(&sweeper);
            async move { sweeper.run(shutdown).await }
        },
    );
    if let Some(broker) = broker.clone().filter(|_| !settings.consume.is_empty()) {
        let consumer = Arc::new(Consumer {
            store: store.clone(),
            broker,
            group: settings
                .group
                .clone()
                .unwrap_or_else(|| app.info().name.to_owned()),
            topics: settings.consume.clone(),
            stats: Arc::clone(&stats),
            node: node.clone(),
        });
        app.task(
            "events consumer",
            TaskKind::Forever,
            move |(), shutdown: Shutdown| {
                let consumer = Arc::clone(&consumer);
                async move {
                    consumer.run(shutdown).await;
                    Ok(())
                }
            },
        );
    }
    let relay = Arc::new(Relay {
        store,
        targets,
        handlers,
        broker,
        settings,
        stats,
        node,
    });
    let database = app.database();
    app.task(
        "events relay",
        TaskKind::Forever,
        move |Contexts(container), shutdown: Shutdown| {
            let (relay, database) = (Arc::clone(&relay), Database::clone(&database));
            async move {
                relay.run(database, container, shutdown).await;
                Ok(())
            }
        },
    );
    Ok(())
}

fn check(settings: &EventSettings, app: &mut Registrar<'_>) {
    let is_name = |name: &str| {
        let fine = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
        !name.is_empty() && name.len() <= 64 && name.chars().all(fine)
    };
    let what = "it must consist of letters, digits, `-` and `_`, at most 64";
    if !is_name(&settings.stream) {
        app.fault(SetupError::setting("events.stream", what.to_owned()));
    }
    if settings
        .group
        .as_deref()
        .is_some_and(|group| !is_name(group))
    {
        app.fault(SetupError::setting("events.group", what.to_owned()));
    }
    if settings.max_pause < settings.pause {
        let what = "it must be at least `events.pause`";
        app.fault(SetupError::setting("events.max_pause", what.to_owned()));
    }
}

/// Returns all handlers, whose names and dependencies are checked.
fn handlers(app: &mut Registrar<'_>) -> Result<Vec<EventHandler>, SetupError> {
    let handlers = app.contributions::<EventHandler>();
    for (index, handler) in handlers.iter().enumerate() {
        let name = handler.name();
        app.needs(format!("event handler {name}"), handler.needs().clone());
        if handlers[..index].iter().any(|other| other.name() == name) {
            return Err(SetupError::new(format!(
                "two event handlers are called `{name}`: give each a name of its own"
            )));
        }
        let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | ':');
        if name.is_empty() || !name.chars().all(is_plain) {
            return Err(SetupError::new(format!(
                "`{name}` is not the name of an event handler: use letters, digits and `_`"
            )));
        }
    }
    Ok(handlers)
}

fn targets(
    handlers: &[EventHandler],
    broker: Option<&Arc<dyn Broker>>,
    settings: &EventSettings,
) -> Vec<Target> {
    let handler = |handler: &EventHandler| Target {
        name: handler.name(),
        topics: handler.topics().to_vec(),
        is_broker: false,
    };
    let broker = broker.map(|_| Target {
        name: BROKER,
        topics: settings.publish.clone(),
        is_broker: true,
    });
    handlers.iter().map(handler).chain(broker).collect()
}

fn operations(app: &mut Registrar<'_>, stats: &Arc<Stats>, broker: Option<Arc<dyn Broker>>) {
    let counted = Arc::clone(stats);
    app.metrics(FAMILIES, move |samples| counted.collect(samples));
    let checked = Arc::clone(stats);
    app.health("events", Impact::Degrades, HEALTH_TIMEOUT, move || {
        std::future::ready(checked.health())
    });
    if let Some(broker) = broker {
        app.health(
            "events broker",
            Impact::Degrades,
            HEALTH_TIMEOUT,
            move || {
                let broker = Arc::clone(&broker);
                async move { broker.ping().await.map_err(|error| error.to_string()) }
            },
        );
    }
}
