//! Exemplars: for each route, the newest exported trace, which links its metric to a trace.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::SystemTime;

use doyen_core::sync::lock;
use doyen_core::{AccessRecord, TraceContext};
use opentelemetry_proto::tonic::metrics::v1::Exemplar;
use opentelemetry_proto::tonic::metrics::v1::exemplar::Value;

use crate::spans::{nanos, span_id, trace_id};

/// The metric that has exemplars.
pub(crate) const METRIC: &str = "http_server_request_duration_seconds";
/// Maximum number of routes with an exemplar.
const MAX_ROUTES: usize = 1000;

/// The exemplars since the last export of the metrics, by method and route.
#[derive(Debug, Default)]
pub(crate) struct Exemplars(Mutex<Found>);

/// Exemplars by method and route.
pub(crate) type Found = BTreeMap<(String, String), Exemplar>;

impl Exemplars {
    /// Keeps the trace of a request that is exported.
    pub(crate) fn note(&self, record: &AccessRecord<'_>, trace: &TraceContext) {
        let Some(route) = record.route else {
            return;
        };
        let key = (record.method.to_owned(), route.to_owned());
        let mut found = lock(&self.0);
        if found.len() >= MAX_ROUTES && !found.contains_key(&key) {
            return;
        }
        found.insert(
            key,
            Exemplar {
                time_unix_nano: nanos(SystemTime::now()),
                span_id: span_id(trace),
                trace_id: trace_id(trace),
                value: Some(Value::AsDouble(record.duration.as_secs_f64())),
                ..Exemplar::default()
            },
        );
    }

    /// Returns the exemplars, and begins again without any.
    pub(crate) fn take(&self) -> Found {
        std::mem::take(&mut lock(&self.0))
    }
}
