//! What every application serves and measures: `/livez`, `/readyz`, the metrics of requests.

use std::sync::Arc;
use std::time::Duration;

use doyen_core::problem::Plain;
use doyen_core::{Kind, ProblemInfo, Refusal, anyone, unlimited};
use doyen_macros::{get, routes};
use doyen_schema::Output;
use doyen_schema::contract::Contract;
use doyen_web::{
    DURATION_BUCKETS, Drain, IntoResponse, Json, Module, Parts, Response, RouteMetrics, Service,
};

use crate::registrar::Registrar;
use crate::{Alert, Family, Health, Impact, Metrics};

static NOT_READY: ProblemInfo = ProblemInfo {
    code: "not_ready",
    kind: Kind::Unavailable,
    title: "Not Ready",
    description: "The server cannot accept requests: it is shutting down, or a dependency is unavailable. Try again later.",
};

pub(crate) fn register(app: &mut Registrar<'_>) {
    let module = Module::new("system")
        .describe("Health checks, API documents and public keys.")
        .routes(routes![livez, readyz]);
    app.module(module);
    app.claim_families(FAMILIES);
    app.claim_families(crate::metrics::HEALTH);
    app.claim_families(crate::runtime::TASK_FAMILIES);
    crate::process_metrics::register(app);
    #[cfg(feature = "tls")]
    if let Some(tls) = app.tls() {
        app.metrics_of("tls", crate::tls::FAMILIES, move |samples| {
            tls.collect(samples)
        });
    }
    #[cfg(feature = "database")]
    crate::database::register(app);
    #[cfg(feature = "redis")]
    if let Some(redis) = app.redis() {
        app.health(
            "redis",
            Impact::Degrades,
            Duration::from_secs(1),
            move || {
                let redis = redis.clone();
                async move { redis.ping().await }
            },
        );
    }
    #[cfg(feature = "nats")]
    if let Some(nats) = app.nats() {
        let losses = nats.losses();
        app.metrics_of("nats", NATS_FAMILIES, move |samples| {
            samples.value(NATS_LOSSES, &[], *losses.borrow());
        });
        app.health(
            "nats",
            Impact::Degrades,
            Duration::from_secs(1),
            move || {
                let nats = nats.clone();
                async move { nats.ping().await }
            },
        );
    }
}

#[cfg(feature = "nats")]
const NATS_LOSSES: &str = "nats_losses_total";

#[cfg(feature = "nats")]
const NATS_FAMILIES: &[Family] = &[Family::counter(
    NATS_LOSSES,
    "Lost connections to NATS, and messages for which this process was too slow.",
)];

/// Health of the process.
#[derive(Output)]
struct HealthView {
    /// `ok`.
    status: String,
}

fn ok() -> Json<HealthView> {
    Json(HealthView {
        status: "ok".to_owned(),
    })
}

/// Check that the process is alive
///
/// No dependency is checked, so that a failed one does not cause a restart.
#[get(
    "/livez",
    allow = anyone,
    hidden,
    limit = unlimited("supervisors ask, and must be answered")
)]
async fn livez() -> Json<HealthView> {
    ok()
}

/// Check that the process can serve requests
///
/// It is not shutting down, and all required health checks succeed.
#[get(
    "/readyz",
    allow = anyone,
    hidden,
    limit = unlimited("balancers ask, and must be answered")
)]
async fn readyz(health: Arc<Health>, drain: Arc<Drain>) -> Ready {
    if drain.has_begun() {
        return Ready::not("draining");
    }
    let failed = health
        .run()
        .await
        .into_iter()
        .find(|status| status.impact == Impact::Required && status.error.is_some());
    match failed {
        None => Ready(Ok(ok())),
        Some(status) => {
            let error = status.error.unwrap_or_default();
            tracing::warn!(check = status.name, error, "not ready");
            Ready::not(&format!("health check `{}` failed", status.name))
        }
    }
}

/// The response of `/readyz`.
struct Ready(Result<Json<HealthView>, Refusal>);

impl Ready {
    fn not(detail: &str) -> Self {
        Self(Err(Plain::new(&NOT_READY).detail(detail).into()))
    }
}

impl IntoResponse for Ready {
    fn into_response(self, parts: &Parts) -> Result<Response, Refusal> {
        self.0?.into_response(parts)
    }
    fn describe(contract: &mut Contract<'_>) {
        Json::<HealthView>::describe(contract);
        contract.operation.fails([&NOT_READY]);
    }
}

const REQUESTS: &str = "http_server_requests_total";
const DURATION: &str = "http_server_request_duration_seconds";
const RUNNING: &str = "http_server_active_requests";
const SHED: &str = "http_server_shed_requests_total";
const BUFFERED: &str = "http_server_buffered_bytes";
const DISCONNECTED: &str = "http_server_disconnected_total";

const FAMILIES: &[Family] = &[
    Family::counter(REQUESTS, "Requests that were answered.")
        .labels(&["method", "route", "status"])
        .graph("sum by (status) (rate(http_server_requests_total{$app}[$__rate_interval]))")
        .alerts(&[Alert::critical(
            "HttpErrorsHigh",
            "sum by (job) (rate(http_server_requests_total{$app, status=~\"5..\"}[5m])) \
             / sum by (job) (rate(http_server_requests_total{$app}[5m])) > 0.05",
            "More than 5 % of the requests fail with a status of 5xx. The access log has the cause of \
             each.",
        )
        .lasting(Duration::from_mins(5))]),
    Family::histogram(DURATION, "How long requests took.")
        .labels(&["method", "route"])
        .graph(
            "topk(10, histogram_quantile(0.95, sum by (le, method, route) \
             (rate(http_server_request_duration_seconds_bucket{$app}[$__rate_interval]))))",
        )
        .alerts(&[Alert::warning(
            "HttpLatencyHigh",
            "histogram_quantile(0.99, sum by (job, le) \
             (rate(http_server_request_duration_seconds_bucket{$app}[10m]))) > 1",
            "One of 100 requests takes more than a second. The dashboard shows the slowest routes.",
        )
        .lasting(Duration::from_mins(10))]),
    Family::gauge(
        RUNNING,
        "Requests that are being handled, without those whose body still arrives.",
    ),
    Family::counter(SHED, "Requests refused because the server was overloaded.").alerts(&[
        Alert::warning(
            "HttpRequestsShed",
            "sum by (job) (rate(http_server_shed_requests_total{$app}[5m])) > 0",
            "Requests get a 503 because the processes are overloaded. Add processes, or raise \
             `server.max_concurrent_requests`.",
        )
        .lasting(Duration::from_mins(5)),
    ]),
    Family::gauge(
        BUFFERED,
        "Bytes held for clients: requests that arrive, responses that are not read.",
    ),
    Family::counter(
        DISCONNECTED,
        "Connections closed because their client held the most of these bytes.",
    ),
];

/// Adds the metrics of a built service.
pub(crate) fn http_metrics(metrics: &Metrics, service: &Service) {
    let service = service.clone();
    let bounds: Vec<String> = DURATION_BUCKETS.iter().map(ToString::to_string).collect();
    let collect = move |samples: &mut crate::Samples| {
        let bounds: Vec<&str> = bounds.iter().map(String::as_str).collect();
        let readings = service.metrics().into_iter();
        for reading in readings.filter(|reading| !reading.statuses.is_empty()) {
            requests(&reading, &bounds, samples);
        }
        let pressure = service.pressure();
        samples.value(RUNNING, &[], pressure.running);
        samples.value(SHED, &[], pressure.shed);
        samples.value(BUFFERED, &[], pressure.buffered);
        samples.value(DISCONNECTED, &[], pressure.disconnected);
    };
    metrics.add("http", FAMILIES, Box::new(collect));
}

fn requests(reading: &RouteMetrics, bounds: &[&str], samples: &mut crate::Samples) {
    let labels = [
        ("method", reading.method),
        ("route", reading.route.as_str()),
    ];
    for (status, count) in &reading.statuses {
        let status = status.to_string();
        let labels = [labels[0], labels[1], ("status", status.as_str())];
        samples.value(REQUESTS, &labels, count);
    }
    let sum = reading.total.as_secs_f64();
    samples.histogram(DURATION, &labels, bounds, &reading.buckets, sum);
}
