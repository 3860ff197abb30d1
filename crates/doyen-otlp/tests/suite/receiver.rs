//! What a collector received.

use std::collections::HashMap;
use std::time::Duration;

use doyen_test::UpstreamServer;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message as _;

/// Maximum time to wait for telemetry.
const TIMEOUT: Duration = Duration::from_secs(20);

/// A span with the service that sent it.
#[derive(Clone, Debug)]
pub(crate) struct Received {
    pub(crate) service: String,
    pub(crate) span: Span,
}

impl Received {
    /// An attribute as text.
    pub(crate) fn attribute(&self, name: &str) -> Option<String> {
        attribute(&self.span.attributes, name)
    }
}

pub(crate) fn attribute(all: &[KeyValue], name: &str) -> Option<String> {
    let found = all.iter().find(|one| one.key == name)?;
    match found.value.as_ref()?.value.as_ref()? {
        Value::StringValue(text) => Some(text.clone()),
        Value::IntValue(number) => Some(number.to_string()),
        other => panic!("{name}: {other:?}"),
    }
}

/// All spans so far. Every body must be a message of the protocol.
pub(crate) fn spans(collector: &UpstreamServer) -> Vec<Received> {
    let mut spans = Vec::new();
    for request in collector.requests() {
        if request.target != "/v1/traces" {
            continue;
        }
        assert_eq!(request.method, "POST");
        assert_eq!(
            request.header("content-type"),
            Some("application/x-protobuf")
        );
        let message = ExportTraceServiceRequest::decode(&*request.body).unwrap();
        for resource_spans in message.resource_spans {
            let resource = resource_spans.resource.unwrap();
            let service = attribute(&resource.attributes, "service.name").unwrap();
            for scope_spans in resource_spans.scope_spans {
                spans.extend(scope_spans.spans.into_iter().map(|span| Received {
                    service: service.clone(),
                    span,
                }));
            }
        }
    }
    spans
}

/// Waits until this many spans have this name.
pub(crate) async fn until(collector: &UpstreamServer, name: &str, count: usize) -> Vec<Received> {
    let waiting = async {
        loop {
            let spans = spans(collector);
            if spans.iter().filter(|one| one.span.name == name).count() >= count {
                return spans;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    match tokio::time::timeout(TIMEOUT, waiting).await {
        Ok(spans) => spans,
        Err(_) => panic!("no {count} spans `{name}`: {:#?}", names(&spans(collector))),
    }
}

pub(crate) fn names(spans: &[Received]) -> Vec<&str> {
    spans.iter().map(|one| one.span.name.as_str()).collect()
}

/// The spans of one trace, by their id.
pub(crate) fn trace(spans: &[Received], id: &[u8]) -> HashMap<Vec<u8>, Received> {
    let of_trace = spans.iter().filter(|one| one.span.trace_id == id);
    of_trace
        .map(|one| (one.span.span_id.clone(), one.clone()))
        .collect()
}
