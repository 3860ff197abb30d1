//! Telemetry of the program over OTLP, with a collector that works and with one that does not.

use doyen_test::{Program, Reply, Running, UpstreamServer};
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use prost::Message;

use crate::server::{field, request};
use crate::support::people::PASSWORD;

fn start(collector: &UpstreamServer, settings: &[(&str, &str)]) -> Running {
    let program = Program::new(env!("CARGO_BIN_EXE_helpdesk"))
        .env("APP_ENV", "dev")
        .env("APP_LOG__FORMAT", "pretty")
        .env("APP_SERVER__BIND", "127.0.0.1:0")
        .env("APP_ADMIN__BIND", "127.0.0.1:0")
        .env("OTEL_EXPORTER_OTLP_ENDPOINT", &collector.url())
        .env("APP_OTLP__LOGS", "true")
        .env("APP_OTLP__METRICS", "true");
    let set = |program: Program, (name, value): &(&str, &str)| program.env(name, value);
    settings.iter().fold(program, set).start()
}

/// Logs in, and lists tickets.
fn list_tickets(server: &Running) {
    let login = format!(r#"{{"email": "agent@example.com", "password": "{PASSWORD}"}}"#);
    let answer = server.exchange(&request("POST", "/v1/auth/login", "", &login));
    let token = field(&answer, "access_token");
    let answer = server.exchange(&request("GET", "/v1/tickets", &token, ""));
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}

/// The messages that arrived at a path.
fn messages<M: Message + Default>(collector: &UpstreamServer, path: &str) -> Vec<M> {
    let requests = collector.requests();
    let there = requests.iter().filter(|one| one.target == path);
    there.map(|one| M::decode(&*one.body).unwrap()).collect()
}

#[test]
fn a_stopped_program_has_sent_spans_lines_and_metrics() {
    let collector = UpstreamServer::start();
    // Nothing is sent before the stop.
    let server = start(
        &collector,
        &[
            ("APP_OTLP__INTERVAL", "1m"),
            ("APP_EVIDENCE__RESPONSE_SIZE", "1 KiB"),
        ],
    );
    list_tickets(&server);
    assert!(server.terminate().success());

    let spans: Vec<_> = messages::<ExportTraceServiceRequest>(&collector, "/v1/traces")
        .into_iter()
        .flat_map(|one| one.resource_spans)
        .flat_map(|one| one.scope_spans)
        .flat_map(|one| one.spans)
        .collect();
    let root = spans.iter().find(|span| span.name == "GET /v1/tickets");
    let root = root.unwrap_or_else(|| panic!("{spans:#?}"));
    let of_root = |span: &&_| {
        let span: &opentelemetry_proto::tonic::trace::v1::Span = span;
        span.trace_id == root.trace_id && span.name == "SELECT"
    };
    assert!(spans.iter().any(|span| of_root(&span)), "{spans:#?}");

    let records: Vec<_> = messages::<ExportLogsServiceRequest>(&collector, "/v1/logs")
        .into_iter()
        .flat_map(|one| one.resource_logs)
        .flat_map(|one| one.scope_logs)
        .flat_map(|one| one.log_records)
        .filter(|record| record.trace_id == root.trace_id)
        .map(|record| format!("{} {:?}", record.severity_text, record.body))
        .collect();
    // The access line of the request, and a warning that it caused.
    let has = |severity: &str, text: &str| {
        let mut all = records.iter();
        all.any(|one| one.starts_with(severity) && one.contains(text))
    };
    assert!(has("INFO", "GET /v1/tickets 200"), "{records:#?}");
    assert!(has("WARN", "a JSON response is large"), "{records:#?}");

    let metrics: Vec<_> = messages::<ExportMetricsServiceRequest>(&collector, "/v1/metrics")
        .into_iter()
        .flat_map(|one| one.resource_metrics)
        .flat_map(|one| one.scope_metrics)
        .flat_map(|one| one.metrics)
        .map(|metric| metric.name)
        .collect();
    for name in [
        "http_server_request_duration_seconds",
        "process_cpu_seconds_total",
        "build_info",
    ] {
        assert!(
            metrics.iter().any(|known| known == name),
            "{name}: {metrics:?}"
        );
    }
    for request in collector.requests() {
        let body = String::from_utf8_lossy(&request.body);
        assert!(!body.contains(PASSWORD), "{}", request.target);
    }
}

#[test]
fn a_collector_that_never_answers_delays_neither_requests_nor_the_stop() {
    let collector = UpstreamServer::start();
    collector.always(Reply::status(200).hold());
    let server = start(
        &collector,
        &[
            ("APP_OTLP__INTERVAL", "10ms"),
            ("APP_OTLP__METRICS_INTERVAL", "10ms"),
            ("APP_OTLP__STOP_TIMEOUT", "200ms"),
        ],
    );
    for _ in 0..3 {
        list_tickets(&server);
    }
    let ready = "GET /readyz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    assert!(server.exchange(ready).starts_with("HTTP/1.1 200"));
    assert!(!collector.requests().is_empty());
    assert!(server.terminate().success());
}
