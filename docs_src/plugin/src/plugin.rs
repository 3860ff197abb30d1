//! The plugin: its settings, and everything it registers.

use std::sync::Arc;
use std::time::Duration;

use doyen::Command;
use doyen::app::{
    Alert, Family, Impact, Manifest, Plugin, Registrar, SetupError, Shutdown, Stop, TaskKind,
};
use doyen::prelude::*;

use crate::{Registry, api};

/// Keeps a table of the running processes of the application, and serves it as `GET /nodes`.
#[derive(Clone, Copy, Debug, Default)]
pub struct Nodes;

/// Which processes of the application run.
#[derive(Clone, Debug, Settings)]
pub struct NodeSettings {
    /// Interval between two heartbeats of a process.
    #[setting(default = "10s", min = "100ms")]
    pub heartbeat: Duration,
    /// Time without a heartbeat after which a process counts as stopped. At least twice the
    /// interval.
    #[setting(default = "30s")]
    pub timeout: Duration,
}

/// Maximum time of the health check.
const HEALTH_TIMEOUT: Duration = Duration::from_secs(1);

const HEARTBEATS: &str = "nodes_heartbeats_total";
const FAMILIES: &[Family] = &[
    Family::counter(HEARTBEATS, "Heartbeats of this process.").alerts(&[Alert::warning(
        "NodeHeartbeatsMissing",
        "sum by (job, instance) (rate(nodes_heartbeats_total{$app}[5m])) == 0",
        "A process sends no heartbeats, and is not listed as a node. Check its log.",
    )
    .lasting(Duration::from_mins(1))]),
];

impl Plugin for Nodes {
    const NAME: &'static str = "nodes";
    type Settings = NodeSettings;

    fn manifest(&self, manifest: &mut Manifest) {
        manifest
            .about("The running processes of the application")
            .tables(doyen::migrations!("migrations"))
            .command(forget());
    }

    fn register(self, settings: NodeSettings, app: &mut Registrar<'_>) -> Result<(), SetupError> {
        let NodeSettings { heartbeat, timeout } = settings;
        if timeout < heartbeat * 2 {
            let message = "must be at least twice `nodes.heartbeat`, so that one late heartbeat \
                           does not make a process disappear";
            return Err(SetupError::setting("nodes.timeout", message));
        }
        let registry = Arc::new(Registry::new(app.database(), app.clock(), timeout));

        app.provide(Arc::clone(&registry));
        app.module(
            Module::new("nodes")
                .describe("The running processes of the application.")
                .routes(routes![api::list].at("/nodes")),
        );
        app.service("nodes", |registry: Arc<Registry>| async move {
            registry.beat().await?;
            Ok(Stop::with(move || async move { registry.leave().await }))
        });
        app.task(
            "nodes heartbeat",
            TaskKind::Forever,
            move |registry: Arc<Registry>, shutdown: Shutdown| async move {
                while shutdown.sleep(heartbeat).await {
                    registry.beat().await?;
                }
                Ok(())
            },
        );
        app.on_drain("nodes", |registry: Arc<Registry>| async move {
            registry.drain().await
        });
        let checked = Arc::clone(&registry);
        app.health("nodes", Impact::Degrades, HEALTH_TIMEOUT, move || {
            std::future::ready(checked.check())
        });
        app.metrics(FAMILIES, move |samples| {
            samples.value(HEARTBEATS, &[], registry.heartbeats());
        });
        Ok(())
    }
}

/// The command runs before the start, so that its process does not appear as a node.
fn forget() -> Command {
    let forget = |registry: Arc<Registry>, _| async move {
        let forgotten = registry.forget().await?;
        Ok(format!("{forgotten} removed"))
    };
    let about = "Removes the rows of killed processes";
    Command::new("nodes forget", about, &[], forget).before_start()
}
