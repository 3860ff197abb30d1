//! The OpenTelemetry collector: what the helpdesk sends arrives at an exporter. The collector
//! itself is not started.

use std::collections::BTreeMap;

use serde_json::Value;
use toolkit::{Failure, Result};

use super::{Checks, list, port, text};

const FILE: &str = "deploy/otel/collector.yaml";

pub(super) fn check(
    services: &Value,
    environment: &BTreeMap<String, String>,
    checks: &mut Checks,
) -> Result {
    let mut documents = checks.yaml(FILE)?.into_iter();
    let config = documents.next();
    let config = config.ok_or_else(|| Failure::new(format!("{FILE} is empty")))?;
    let endpoint = environment.get("APP_OTLP__ENDPOINT").cloned();
    let endpoint = endpoint.unwrap_or_default();
    is_service(services, &endpoint, checks);
    let receiver = text(&config["receivers"]["otlp"]["protocols"]["http"]["endpoint"]);
    let receiver = receiver.as_deref().and_then(port);
    checks.equal("the port of the collector", port(&endpoint), receiver);
    let pipelines = config["service"]["pipelines"].as_object();
    checks.expect(
        pipelines.is_some_and(|all| all.contains_key("traces")),
        format!("{FILE}: no pipeline `traces`"),
    );
    for (name, pipeline) in pipelines.into_iter().flatten() {
        for kind in ["receivers", "processors", "exporters"] {
            let parts = list(&pipeline[kind]);
            checks.expect(!parts.is_empty(), format!("{FILE}: {name} has no {kind}"));
            for part in parts.iter().filter_map(Value::as_str) {
                let is_declared = !config[kind][part].is_null();
                checks.expect(is_declared, format!("{FILE}: `{part}` is not in {kind}"));
            }
        }
    }
    for exporter in config["exporters"].as_object().into_iter().flatten() {
        let endpoint = text(&exporter.1["endpoint"]).unwrap_or_default();
        is_service(services, &endpoint, checks);
    }
    Ok(())
}

fn is_service(services: &Value, address: &str, checks: &mut Checks) {
    let host = address.trim_start_matches("http://").split(':').next();
    let host = host.unwrap_or_default();
    let exists = services[host].is_object();
    checks.expect(exists, format!("{FILE}: no service for `{address}`"));
}
