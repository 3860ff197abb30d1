//! The admin address: metrics and verbose health, for the machines next door and not for the public.

use std::sync::Arc;
use std::time::{Duration, Instant};

use doyen_core::anyone;
use doyen_data::Database;
use doyen_macros::{get, routes};
use doyen_schema::{Input, Output};
use doyen_web::{Body, Module, Query, Response, Service, StartError};
use http::{HeaderValue, StatusCode, header};

use super::health;
use super::metrics::text;

/// What the admin address looks at.
#[derive(Debug)]
pub(super) struct Watched {
    service: Service,
    database: Database,
}

/// The service of the admin address, beside the public one.
pub(crate) fn service(public: &Service, database: &Database) -> Result<Service, Vec<StartError>> {
    let watched = Watched {
        service: public.clone(),
        database: database.clone(),
    };
    let module = Module::new("admin").routes(routes![metrics, readyz, health::livez]);
    Service::builder()
        .module(module.provide(Arc::new(watched)))
        .build()
}

/// The metrics, as Prometheus reads them.
#[get("/metrics", allow = anyone, hidden)]
async fn metrics(watched: Arc<Watched>) -> Response {
    let text = text(&watched.service, &watched.database);
    let mut response = Response::new(Body::whole(text));
    let kind = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response
}

/// How much to tell.
#[derive(Input)]
struct Detail {
    /// Anything, also nothing: `?verbose`.
    verbose: Option<String>,
}

/// How it is, and how each thing it needs is.
#[derive(Output)]
struct Readiness {
    /// `ok`, `draining` or `down`.
    status: String,
    /// What it needs; only with `?verbose`.
    #[output(skip_none)]
    dependencies: Option<Vec<Dependency>>,
}

/// One thing it needs.
#[derive(Output)]
struct Dependency {
    /// Its name.
    name: String,
    /// `ok` or `down`.
    status: String,
    /// How long it took to answer, in milliseconds.
    latency_ms: f64,
    /// What it said when it did not answer.
    #[output(skip_none)]
    error: Option<String>,
}

/// Whether the process can take requests, and with `?verbose` why not.
#[get("/readyz", allow = anyone, hidden)]
async fn readyz(watched: Arc<Watched>, detail: Query<Detail>) -> Response {
    let asked = Instant::now();
    let answer = tokio::time::timeout(Duration::from_secs(1), watched.database.ping()).await;
    let error = match answer {
        Ok(Ok(())) => None,
        Ok(Err(error)) => Some(error.to_string()),
        Err(_) => Some("no answer within a second".to_owned()),
    };
    let word = |down: bool| if down { "down" } else { "ok" }.to_owned();
    let draining = watched.service.drain().has_begun();
    let ready = error.is_none() && !draining;
    let status = if draining {
        "draining".to_owned()
    } else {
        word(error.is_some())
    };
    let database = Dependency {
        name: "database".to_owned(),
        status: word(error.is_some()),
        latency_ms: asked.elapsed().as_secs_f64() * 1_000.0,
        error,
    };
    let dependencies = detail.into_inner().verbose.map(|_| vec![database]);
    let body = Readiness {
        status,
        dependencies,
    };
    let mut response = Response::new(Body::whole(serde_json::to_vec(&body).unwrap_or_default()));
    *response.status_mut() = if ready {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    response.headers_mut().insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/json"),
    );
    response
}

#[cfg(test)]
mod tests {
    use doyen_settings::{Environment, Loader};

    use super::*;
    use crate::{App, Assembled, Overrides};

    async fn assembled() -> Assembled {
        let place = std::env::temp_dir().join(format!("doyen-admin-{}", std::process::id()));
        let loader = Loader::new("APP")
            .env(std::iter::empty::<(String, String)>())
            .environment(Environment::Test)
            .set("database.url", format!("sqlite://{}/a.db", place.display()))
            .set("auth.dev_key_file", format!("{}/dev.key", place.display()));
        App::new("admin")
            .start(loader, Overrides::default())
            .await
            .unwrap()
    }

    async fn get(service: &Service, path: &str) -> (u16, String) {
        let request = http::Request::get(path).body(Body::empty()).unwrap();
        let response = service.handle(request, None).await;
        let body = response.body().as_whole().map(|bytes| bytes.to_vec());
        let text = String::from_utf8(body.unwrap_or_default()).unwrap();
        (response.status().as_u16(), text)
    }

    #[tokio::test]
    async fn it_tells_what_the_public_service_counted_and_how_the_database_is() {
        let assembled = assembled().await;
        let admin = service(&assembled.service, &assembled.database).unwrap();
        get(&assembled.service, "/livez").await;
        get(&assembled.service, "/nowhere/7").await;

        let (status, metrics) = get(&admin, "/metrics").await;
        assert_eq!(status, 200);
        let once = |line: &str| assert!(metrics.contains(line), "{line} is not in\n{metrics}");
        once("http_server_requests_total{method=\"GET\",route=\"/livez\",status=\"200\"} 1\n");
        once("http_server_requests_total{method=\"*\",route=\"\",status=\"404\"} 1\n");
        once("http_server_request_duration_seconds_count{method=\"GET\",route=\"/livez\"} 1\n");
        assert!(!metrics.contains("/nowhere"), "a path became a label");

        let (status, health) = get(&admin, "/readyz?verbose").await;
        assert_eq!(status, 200, "{health}");
        assert!(
            health.contains("\"name\":\"database\",\"status\":\"ok\""),
            "{health}"
        );

        assembled.service.drain().begin();
        let (status, health) = get(&admin, "/readyz").await;
        assert_eq!(
            (status, health.as_str()),
            (503, "{\"status\":\"draining\"}")
        );
        assembled.database.close().await;
    }
}
