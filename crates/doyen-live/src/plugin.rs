//! Live connections as a plugin.

use std::sync::Arc;
use std::time::Duration;

use doyen_app::{
    AppInfo, Impact, Manifest, Plugin, Registrar, SetupError, Shutdown, Stop, TaskKind,
};
use doyen_core::event::EventLog;
use doyen_core::inject::{Container, Context, Inject, Needs, Node};
use doyen_core::{Refusal, anyone};
use doyen_data::sea_orm::DbBackend;
use doyen_web::{Drain, Module, Route, Routes};
use tokio::sync::{Mutex, mpsc};

use crate::asyncapi::{self, AsyncApi};
use crate::fanout::{self, Fanout, FanoutOverride, OUTGOING_NOTES, PostgresFanout};
use crate::hub::{Hub, Outgoing, Parts};
use crate::stats::FAMILIES;
use crate::tokens::TokenIdentify;
use crate::{LiveSettings, TABLES, presence, reader};

const HEALTH_TIMEOUT: Duration = Duration::from_secs(1);

/// WebSockets and server-sent events. Provides [`Live`](crate::Live) and the AsyncAPI document
/// (`/asyncapi.json`).
#[derive(Clone, Copy, Debug, Default)]
pub struct LivePlugin;

impl Plugin for LivePlugin {
    const NAME: &'static str = "live";
    type Settings = LiveSettings;

    fn manifest(&self, manifest: &mut Manifest) {
        manifest
            .about("WebSockets and server-sent events")
            .requires("events")
            .tables(TABLES);
    }

    fn register(self, settings: LiveSettings, app: &mut Registrar<'_>) -> Result<(), SetupError> {
        check(&settings, app);
        let is_documented = settings
            .document
            .unwrap_or(!app.info().environment.is_prod());
        document(is_documented, app);
        let hub = Arc::new(Hub::new(settings, app.database()));
        wire(&hub, app);
        // Another plugin may contribute the fan-out.
        app.finish(move |app| {
            fan_out(&hub, app);
            Ok(())
        });
        Ok(())
    }
}

fn check(settings: &LiveSettings, app: &mut Registrar<'_>) {
    for origin in &settings.origins {
        let is_origin = origin.split_once("://").is_some_and(|(scheme, host)| {
            matches!(scheme, "http" | "https") && !host.is_empty() && !host.contains('/')
        });
        if !is_origin {
            let what = format!(
                "`{origin}` is not an origin: write scheme and host without a path, such as `https://app.example.com`"
            );
            app.fault(SetupError::setting("live.origins", what));
        }
    }
}

/// Serves the document of the sockets.
fn document(is_documented: bool, app: &mut Registrar<'_>) {
    let document = Arc::new(AsyncApi::default());
    let route = Route::get("/asyncapi.json")
        .name("asyncapi")
        .summary("The AsyncAPI document.")
        .allow(anyone)
        .hidden()
        .handler(asyncapi::show);
    let module = Module::new("live_document")
        .routes(Routes::new(vec![route]))
        .provide(Arc::clone(&document));
    app.module(module);
    app.after_build(move |built| {
        let AppInfo { title, version, .. } = built.info();
        if is_documented {
            document.fill(title, version, built.service().operations());
        }
    });
}

fn wire(hub: &Arc<Hub>, app: &mut Registrar<'_>) {
    app.provide(Arc::clone(hub));
    let identify = TokenIdentify(Arc::downgrade(hub));
    app.identify(Arc::new(identify), Needs::default());
    let identifying = Arc::clone(hub);
    app.after_build(move |built| {
        if let Some(identify) = built.service().identification() {
            // An application is built once.
            let _ = identifying.identify.set(identify);
        }
    });
    operations(hub, app);
    app.service(
        "live",
        |(Contexts(container), log, drain, hub): Running| async move {
            hub.start(Parts {
                container,
                log,
                drain,
            });
            Ok(Stop::with(move || async move { hub.stop() }))
        },
    );
    app.task(
        "live events",
        TaskKind::Forever,
        |hub: Arc<Hub>, shutdown: Shutdown| async move {
            reader::run(hub, shutdown).await;
            Ok(())
        },
    );
    app.task(
        "live presence",
        TaskKind::Forever,
        |hub: Arc<Hub>, shutdown: Shutdown| async move {
            presence::run(hub, shutdown).await;
            Ok(())
        },
    );
}

/// Passes notes between the processes, if there is a way.
fn fan_out(hub: &Hub, app: &mut Registrar<'_>) {
    let by_setting = match app.contributions::<FanoutOverride>().pop() {
        Some(FanoutOverride(fanout)) => Some(fanout),
        None => redis(app).or_else(|| nats(app)),
    };
    let wakes = by_setting.is_some();
    let by_database = || {
        let fanout: Arc<dyn Fanout> = Arc::new(PostgresFanout(hub.database.clone()));
        (hub.database.backend() == DbBackend::Postgres).then_some(fanout)
    };
    let Some(fanout) = by_setting.or_else(by_database) else {
        return;
    };
    let (notes, outgoing) = mpsc::channel(OUTGOING_NOTES);
    // The plugin is registered once.
    let _ = hub.outgoing.set(Outgoing { notes, wakes });
    let outgoing = Arc::new(Mutex::new(outgoing));
    let publisher = Arc::clone(&fanout);
    app.task(
        "live notes",
        TaskKind::Forever,
        move |_: Arc<Hub>, shutdown: Shutdown| {
            let (outgoing, fanout) = (Arc::clone(&outgoing), Arc::clone(&publisher));
            async move {
                fanout::publish_all(outgoing, fanout, shutdown).await;
                Ok(())
            }
        },
    );
    app.task(
        "live fan-out",
        TaskKind::Forever,
        move |hub: Arc<Hub>, shutdown: Shutdown| {
            let fanout = Arc::clone(&fanout);
            async move {
                fanout::follow(hub, fanout, shutdown).await;
                Ok(())
            }
        },
    );
}

#[cfg(feature = "redis")]
fn redis(app: &Registrar<'_>) -> Option<Arc<dyn Fanout>> {
    let fanout = fanout::RedisFanout::new(app.redis()?, app.info().name);
    Some(Arc::new(fanout))
}

#[cfg(not(feature = "redis"))]
fn redis(_: &Registrar<'_>) -> Option<Arc<dyn Fanout>> {
    None
}

#[cfg(feature = "nats")]
fn nats(app: &Registrar<'_>) -> Option<Arc<dyn Fanout>> {
    let fanout = fanout::NatsFanout::new(app.nats()?, app.info().name);
    Some(Arc::new(fanout))
}

#[cfg(not(feature = "nats"))]
fn nats(_: &Registrar<'_>) -> Option<Arc<dyn Fanout>> {
    None
}

fn operations(hub: &Arc<Hub>, app: &mut Registrar<'_>) {
    let measured = Arc::clone(hub);
    app.metrics(FAMILIES, move |samples| {
        measured.stats.collect(samples, measured.topic_count());
    });
    let checked = Arc::clone(hub);
    app.health("live", Impact::Degrades, HEALTH_TIMEOUT, move || {
        std::future::ready(checked.stats.health())
    });
}

/// The container, for the contexts of connections.
#[derive(Clone)]
struct Contexts(Container);

impl Inject for Contexts {
    fn node() -> Node {
        Node::of::<Self>(Vec::new())
    }

    async fn make(cx: &Context) -> Result<Self, Refusal> {
        Ok(Self(cx.container().clone()))
    }
}

/// What a start needs.
type Running = (Contexts, Arc<dyn EventLog>, Arc<Drain>, Arc<Hub>);
