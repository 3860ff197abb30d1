//! Logs and metrics.

use std::time::Duration;

use doyen_test::UpstreamServer;
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::logs::v1::{LogRecord, SeverityNumber};
use opentelemetry_proto::tonic::metrics::v1::Metric;
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use prost::Message as _;

use crate::app::{Shop, exporting};
use crate::receiver::{attribute, until};

const TIMEOUT: Duration = Duration::from_secs(20);

fn log_records(collector: &UpstreamServer) -> Vec<LogRecord> {
    let requests = collector.requests();
    let logs = requests.iter().filter(|one| one.target == "/v1/logs");
    logs.flat_map(|one| {
        ExportLogsServiceRequest::decode(&*one.body)
            .unwrap()
            .resource_logs
    })
    .flat_map(|one| one.scope_logs)
    .flat_map(|one| one.log_records)
    .collect()
}

fn metrics(collector: &UpstreamServer) -> Vec<Metric> {
    let requests = collector.requests();
    let sets = requests.iter().filter(|one| one.target == "/v1/metrics");
    sets.flat_map(|one| {
        ExportMetricsServiceRequest::decode(&*one.body)
            .unwrap()
            .resource_metrics
    })
    .flat_map(|one| one.scope_metrics)
    .flat_map(|one| one.metrics)
    .collect()
}

async fn eventually<T>(what: &str, find: impl Fn() -> Option<T>) -> T {
    let waiting = async {
        loop {
            if let Some(found) = find() {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let found = tokio::time::timeout(TIMEOUT, waiting).await;
    found.unwrap_or_else(|_| panic!("no {what}"))
}

fn body(record: &LogRecord) -> &str {
    match record.body.as_ref().and_then(|body| body.value.as_ref()) {
        Some(Value::StringValue(text)) => text,
        other => panic!("{other:?}"),
    }
}

#[doyen_test::test]
async fn each_request_is_a_line_with_its_trace(shop: Shop) {
    let collector = UpstreamServer::start();
    let setup = exporting(&collector).set("otlp.logs", "true");
    let shop = shop.with(setup).await;
    shop.get("/quick").send().await.expect(204);
    shop.get("/resets/m-secret?q=q-secret").send().await;
    shop.get("/fails").send().await.expect(500);
    let spans = until(&collector, "GET /fails", 1).await;
    let span = &spans
        .iter()
        .find(|one| one.span.name == "GET /fails")
        .unwrap()
        .span;
    let of_fault = eventually("line of the fault", || {
        let records = log_records(&collector);
        records
            .into_iter()
            .find(|one| body(one) == "GET /fails 500")
    })
    .await;
    assert_eq!(of_fault.trace_id, span.trace_id);
    assert_eq!(of_fault.span_id, span.span_id);
    assert_eq!(of_fault.severity_number(), SeverityNumber::Error);
    let cause = attribute(&of_fault.attributes, "exception.message");
    assert_eq!(cause.as_deref(), Some("on purpose"));
    let records = log_records(&collector);
    let bodies: Vec<_> = records.iter().map(body).collect();
    assert!(bodies.contains(&"GET /quick 204"), "{bodies:?}");
    assert!(
        bodies
            .iter()
            .any(|one| one.starts_with("GET /resets/{token} ")),
        "{bodies:?}"
    );
    for request in collector.requests() {
        let text = String::from_utf8_lossy(&request.body);
        assert!(!text.contains("m-secret") && !text.contains("q-secret"));
    }
}

#[doyen_test::test(sqlite)]
async fn logs_alone_are_exported_without_traces(shop: Shop) {
    let collector = UpstreamServer::start();
    let setup = exporting(&collector)
        .set("otlp.logs", "true")
        .set("otlp.traces", "false");
    let shop = shop.with(setup).await;
    shop.get("/many/3").send().await.expect(204);
    let find = || log_records(&collector).into_iter().next();
    let record = eventually("line", find).await;
    assert_eq!(
        attribute(&record.attributes, "doyen.statements").unwrap(),
        "3"
    );
    assert!(
        collector
            .requests()
            .iter()
            .all(|one| one.target == "/v1/logs")
    );
}

#[doyen_test::test(sqlite)]
async fn the_metrics_are_those_of_the_admin_address(shop: Shop) {
    let collector = UpstreamServer::start();
    let setup = exporting(&collector)
        .set("otlp.metrics", "true")
        .set("otlp.metrics_interval", "20ms");
    let shop = shop.with(setup).await;
    // A set that the collector does not accept in time is not sent again, nor is its exemplar.
    let mut has_exemplar = false;
    for sent in 1..=10 {
        shop.get("/quick").send().await.expect(204);
        let spans = until(&collector, "GET /quick", sent).await;
        let is_root = |trace: &Vec<u8>| {
            let mut roots = spans.iter().filter(|one| one.span.name == "GET /quick");
            roots.any(|one| one.span.trace_id == *trace)
        };
        let is_exemplar = |metric: &Metric| match &metric.data {
            Some(Data::Histogram(histogram)) => {
                let mut exemplars = histogram.data_points.iter().flat_map(|one| &one.exemplars);
                exemplars.any(|one| is_root(&one.trace_id))
            }
            _ => false,
        };
        let exemplar = eventually("exemplar with the trace of the request", || {
            metrics(&collector)
                .into_iter()
                .find(|metric| is_exemplar(metric))
        });
        let waited = tokio::time::timeout(std::time::Duration::from_secs(5), exemplar).await;
        has_exemplar = waited.is_ok();
        if has_exemplar {
            break;
        }
    }
    assert!(has_exemplar, "no exemplar with the trace of a request");
    let counted = |metric: &Metric| match &metric.data {
        Some(Data::Histogram(histogram)) => histogram.data_points.iter().any(|point| {
            let route = attribute(&point.attributes, "route");
            let all: u64 = point.bucket_counts.iter().sum();
            assert_eq!(all, point.count);
            assert_eq!(point.bucket_counts.len(), point.explicit_bounds.len() + 1);
            route.as_deref() == Some("/quick") && point.count >= 1
        }),
        _ => false,
    };
    eventually("histogram of the request", || {
        metrics(&collector)
            .into_iter()
            .find(|metric| counted(metric))
    })
    .await;
    let all = metrics(&collector);
    let exported = all
        .iter()
        .find(|one| one.name == "otlp_exported_total")
        .unwrap();
    assert!(matches!(&exported.data, Some(Data::Sum(sum)) if sum.is_monotonic));
    assert!(
        all.iter()
            .any(|one| one.name == "process_resident_memory_bytes")
    );
}
