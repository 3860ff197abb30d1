//! What is fixed while the process runs: its routes with their policies, and its settings with
//! their origin. And one report of everything, to attach to an issue.

use std::sync::{Arc, OnceLock};

use doyen_app::{AdminReport, Built, Health, Impact, Metrics, Plugins};
use doyen_core::anyone;
use doyen_macros::{get, routes};
use doyen_schema::contract::Operation;
use doyen_web::{Body, Drain, Module, Response};
use http::{HeaderValue, header};
use serde_json::{Value, json};

/// Known once the application is built.
#[derive(Debug, Default)]
pub(crate) struct Facts(OnceLock<Known>);

/// What plugins add to the report of everything.
pub(crate) struct Reports(pub(crate) Vec<AdminReport>);

#[derive(Debug)]
struct Known {
    application: Value,
    routes: Value,
    settings: Value,
}

impl Facts {
    pub(crate) fn fill(&self, built: &Built) {
        let info = built.info();
        let known = Known {
            application: json!({
                "name": info.name,
                "version": info.version,
                "doyen": env!("CARGO_PKG_VERSION"),
                "environment": info.environment.to_string(),
                "system": std::env::consts::OS,
                "architecture": std::env::consts::ARCH,
            }),
            routes: built.service().operations().iter().map(route).collect(),
            settings: built
                .settings()
                .iter()
                .map(|row| {
                    // A secret is `***`, and a URL has no password.
                    json!({"key": row.key, "value": row.value, "origin": row.origin.to_string()})
                })
                .collect(),
        };
        // An application is built once.
        let _ = self.0.set(known);
    }

    fn get(&self, part: fn(&Known) -> &Value) -> Value {
        self.0.get().map(part).cloned().unwrap_or_default()
    }
}

fn route(operation: &Operation) -> Value {
    let allow = &operation.allow;
    json!({
        "method": operation.method,
        "path": operation.path,
        "operation": operation.id,
        "anyone": allow.is_public(),
        "roles": allow.roles().collect::<Vec<_>>(),
        "scopes": allow.scopes().collect::<Vec<_>>(),
        "limits": operation.limits,
        "unlimited": operation.unlimited,
    })
}

/// The routes.
pub(crate) fn module(facts: Arc<Facts>, reports: Reports) -> Module {
    Module::new("facts")
        .routes(routes![list_routes, settings, diagnostics])
        .provide(facts)
        .provide(Arc::new(reports))
}

/// List the routes with their policies
#[get("/routes", allow = anyone, hidden)]
async fn list_routes(facts: Arc<Facts>) -> Response {
    json_response(&json!({"routes": facts.get(|known| &known.routes)}))
}

/// List the settings with their origin, without secrets
#[get("/settings", allow = anyone, hidden)]
async fn settings(facts: Arc<Facts>) -> Response {
    json_response(&json!({"settings": facts.get(|known| &known.settings)}))
}

/// Report everything that this address knows, without secrets
#[get("/diagnostics", allow = anyone, hidden)]
async fn diagnostics(
    facts: Arc<Facts>,
    reports: Arc<Reports>,
    plugins: Arc<Plugins>,
    metrics: Arc<Metrics>,
    health: Arc<Health>,
    drain: Arc<Drain>,
) -> Response {
    let checks = health.run().await;
    let checks: Vec<_> = checks
        .iter()
        .map(|check| {
            json!({
                "name": check.name,
                "required": check.impact == Impact::Required,
                "latency_ms": check.latency.as_secs_f64() * 1_000.0,
                "error": check.error,
            })
        })
        .collect();
    let plugins = plugins.to_json();
    let mut report = json!({
        "application": facts.get(|known| &known.application),
        "is_draining": drain.has_begun(),
        "health": checks,
        "settings": facts.get(|known| &known.settings),
        "routes": facts.get(|known| &known.routes),
        "plugins": plugins["plugins"],
        "absent_plugins": plugins["absent"],
        "metrics": metrics.render(&health).await.lines().collect::<Vec<_>>(),
    });
    for one in &reports.0 {
        report[one.name] = one.read();
    }
    json_response(&report)
}

fn json_response(value: &Value) -> Response {
    let mut response = Response::new(Body::whole(value.to_string()));
    let json = HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, json);
    response
}
