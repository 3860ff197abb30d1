//! The admin listener: metrics, health details and plugins, for operators and not for the public.

use std::net::SocketAddr;
use std::sync::Arc;

use doyen_app::{
    BannerLink, Health, Impact, Manifest, Metrics, Plugin, Plugins, Registrar, SetupError,
};
use doyen_core::anyone;
use doyen_macros::{get, routes};
use doyen_observe::LogTap;
use doyen_schema::{Input, Output};
use doyen_settings::{Environment, Settings};
use doyen_web::around::Slot;
use doyen_web::{Body, Drain, HostName, Module, Query, Response, ServerOptions};
use http::{HeaderValue, StatusCode, header};

use crate::console;
use crate::facts::{self, Facts, Reports};
use crate::requests::{self, Recent, Recorder};

/// Opens a second listener with `/console`, `/metrics`, `/readyz?verbose`,
/// `/livez`, `/plugins`, `/routes`, `/settings`, `/diagnostics` and `/requests`.
#[derive(Clone, Copy, Debug, Default)]
pub struct Admin;

/// The admin listener, for metrics and health details. Never expose it publicly.
#[derive(Debug, Clone, Settings)]
#[non_exhaustive]
pub struct AdminSettings {
    /// Starts the admin listener.
    #[setting(default = true)]
    pub enabled: bool,
    /// Address and port of the admin listener. Port 0 selects a free port.
    #[setting(default = "127.0.0.1:9000")]
    pub bind: SocketAddr,
    /// Further hosts to serve, such as the name by which Prometheus calls: `api.internal`,
    /// `*.example.com`. IP addresses and `localhost` are always served; other hosts get a 421.
    #[setting(default = [])]
    pub hosts: Vec<HostName>,
    /// Number of recent requests that the console shows, with their statements; 0 records none. If
    /// not set, 200 in `dev` and 0 otherwise. Values of parameters are shown only in `dev`. At most
    /// 8 MiB are kept.
    #[setting(max = 10000)]
    pub requests: Option<u32>,
}

impl Plugin for Admin {
    const NAME: &'static str = "admin";
    type Settings = AdminSettings;

    fn manifest(&self, manifest: &mut Manifest) {
        manifest.about("The admin listener: metrics, health details and plugins");
    }

    fn register(self, settings: AdminSettings, app: &mut Registrar<'_>) -> Result<(), SetupError> {
        if !settings.enabled {
            return Ok(());
        }
        app.listener("admin.bind", ServerOptions::new(settings.bind));
        app.admin_hosts(settings.hosts.clone());
        app.admin(Module::new("admin").routes(routes![
            console::page,
            console::file,
            metrics,
            readyz,
            livez,
            plugins
        ]));
        let facts = Arc::<Facts>::default();
        let known = Arc::clone(&facts);
        // The plugins that start later have reports too.
        app.finish(move |app| {
            let reports = Reports(app.contributions());
            app.admin(facts::module(known, reports));
            Ok(())
        });
        app.after_build(move |built| facts.fill(built));
        record_requests(&settings, app);
        app.contribute(BannerLink {
            label: "Admin",
            path: "/metrics",
            admin: true,
        });
        app.contribute(BannerLink {
            label: "Console",
            path: "/console",
            admin: true,
        });
        Ok(())
    }
}

/// Records the recent requests, and adds the link to them to each response in `dev`.
fn record_requests(settings: &AdminSettings, app: &mut Registrar<'_>) {
    let is_dev = app.info().environment == Environment::Dev;
    let max = settings.requests.unwrap_or(if is_dev { 200 } else { 0 });
    let recent = Arc::new(Recent::new(max as usize));
    let plans = Arc::<requests::Plans>::default();
    app.admin(requests::module(Arc::clone(&recent), Arc::clone(&plans)));
    if max == 0 {
        return;
    }
    app.finish(move |app| {
        // Set once.
        let _ = app.contributions().pop().map(|found| plans.0.set(found));
        Ok(())
    });
    let (recorder, tap) = Recorder::new(recent, app.clock(), is_dev);
    app.observe_requests(Arc::new(recorder));
    app.contribute(LogTap(Arc::new(tap)));
    if is_dev && settings.bind.port() != 0 {
        let link = requests::link(settings.bind);
        app.layer(Slot::Request, "link to the console", link);
    }
}

/// The metrics, in the Prometheus text format.
#[get("/metrics", allow = anyone, hidden)]
async fn metrics(metrics: Arc<Metrics>, health: Arc<Health>) -> Response {
    let text = metrics.render(&health).await;
    response("text/plain; version=0.0.4; charset=utf-8", text)
}

/// The plugins, in the order in which they start.
#[get("/plugins", allow = anyone, hidden)]
async fn plugins(plugins: Arc<Plugins>) -> Response {
    response("application/json", plugins.to_json().to_string())
}

/// Check that the process is alive
#[get("/livez", allow = anyone, hidden)]
async fn livez() -> Response {
    response("application/json", "{\"status\":\"ok\"}".to_owned())
}

/// The detail of the response.
#[derive(Input)]
struct Detail {
    /// Lists the health checks. Any value: `?verbose`.
    verbose: Option<String>,
}

/// The readiness of the process.
#[derive(Output)]
struct Readiness {
    /// `ok`, `degraded`, `draining` or `down`.
    status: String,
    /// The health checks; only with `?verbose`.
    #[output(skip_none)]
    dependencies: Option<Vec<Dependency>>,
}

/// The result of a health check.
#[derive(Output)]
struct Dependency {
    /// Name of the check.
    name: String,
    /// `ok` or `down`.
    status: String,
    /// True if the application cannot serve requests without it.
    required: bool,
    /// Duration of the check, in milliseconds.
    latency_ms: f64,
    /// Reason if the check failed.
    #[output(skip_none)]
    error: Option<String>,
}

/// Check that the process can serve requests
#[get("/readyz", allow = anyone, hidden)]
async fn readyz(health: Arc<Health>, drain: Arc<Drain>, detail: Query<Detail>) -> Response {
    let checks = health.run().await;
    let fails = |impact| {
        let mut failed = checks.iter().filter(|check| check.error.is_some());
        failed.any(|check| check.impact == impact)
    };
    let status = if drain.has_begun() {
        "draining"
    } else if fails(Impact::Required) {
        "down"
    } else if fails(Impact::Degrades) {
        "degraded"
    } else {
        "ok"
    };
    let dependencies = checks.iter().map(|check| Dependency {
        name: check.name.clone(),
        status: if check.error.is_some() { "down" } else { "ok" }.to_owned(),
        required: check.impact == Impact::Required,
        latency_ms: check.latency.as_secs_f64() * 1_000.0,
        error: check.error.clone(),
    });
    let body = Readiness {
        status: status.to_owned(),
        dependencies: detail.into_inner().verbose.map(|_| dependencies.collect()),
    };
    let text = serde_json::to_string(&body).unwrap_or_default();
    let mut response = response("application/json", text);
    if matches!(status, "down" | "draining") {
        *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
    }
    response
}

fn response(media_type: &'static str, text: String) -> Response {
    let mut response = Response::new(Body::whole(text));
    let value = HeaderValue::from_static(media_type);
    response.headers_mut().insert(header::CONTENT_TYPE, value);
    response
}
