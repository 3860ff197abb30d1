//! Access lines, and warnings and errors of the log, as log records.

use std::sync::Arc;
use std::time::SystemTime;

use bytes::Bytes;
use doyen_core::{AccessRecord, TraceContext, chain};
use doyen_observe::steps::{Text, Value, bytes_of};
use doyen_observe::{LogEvent, LogReceiver};
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::common::v1::AnyValue;
use opentelemetry_proto::tonic::common::v1::any_value::Value as AnyKind;
use opentelemetry_proto::tonic::logs::v1::{LogRecord, ResourceLogs, ScopeLogs, SeverityNumber};
use opentelemetry_proto::tonic::resource::v1::Resource;
use prost::Message as _;
use tracing::Level;

use crate::counters::Signal;
use crate::queue::{Item, Queue};
use crate::resource::scope;
use crate::spans::{attributes, nanos, span_id, trace_id};

/// Maximum number of fields of a line.
const MAX_FIELDS: usize = 64;

/// One line.
#[derive(Debug)]
pub(crate) struct Line {
    at: SystemTime,
    severity: SeverityNumber,
    body: Text,
    trace: Option<TraceContext>,
    attributes: Vec<(&'static str, Value)>,
    bytes: usize,
}

impl Line {
    fn new(
        severity: SeverityNumber,
        body: &str,
        trace: Option<TraceContext>,
        attributes: Vec<(&'static str, Value)>,
    ) -> Self {
        let body = Text::copy(body);
        let bytes = size_of::<Self>() + body.bytes() + bytes_of(&attributes);
        Self {
            at: SystemTime::now(),
            severity,
            body,
            trace,
            attributes,
            bytes,
        }
    }

    /// The line of a request, with the facts of the access log.
    pub(crate) fn of_request(
        record: &AccessRecord<'_>,
        trace: TraceContext,
        mut attributes: Vec<(&'static str, Value)>,
    ) -> Self {
        let severity = match (record.is_fault(), record.shed) {
            (true, _) => SeverityNumber::Error,
            (false, true) => SeverityNumber::Warn,
            (false, false) => SeverityNumber::Info,
        };
        let mut text = |name, value: &str| attributes.push((name, Value::Text(Text::copy(value))));
        if let Some(client) = record.client {
            text("client.address", &client.to_string());
        }
        if let Some(user) = record.user {
            text("user.id", user);
        }
        if let Some(reason) = record.denied_because {
            text("doyen.denied_because", reason);
        }
        if let Some(cause) = record.cause {
            text("exception.message", &chain(cause));
        }
        let micros = i64::try_from(record.duration.as_micros()).unwrap_or(i64::MAX);
        attributes.push(("doyen.duration_us", Value::Integer(micros)));
        attributes.push(("doyen.statements", Value::Integer(record.queries.into())));
        let (method, path) = (record.method, record.bare_path());
        let body = format!("{method} {path} {}", record.status);
        Self::new(severity, &body, Some(trace), attributes)
    }
}

impl Item for Line {
    const SIGNAL: Signal = Signal::Logs;

    fn bytes(&self) -> usize {
        self.bytes
    }

    fn count(&self) -> u64 {
        1
    }

    fn encode(batch: &[Self], resource: &Resource) -> Bytes {
        request(batch, resource).encode_to_vec().into()
    }
}

/// Receives the warnings and errors of the log.
pub(crate) struct Tap(pub(crate) Arc<Queue<Line>>);

impl LogReceiver for Tap {
    fn receive(&self, event: &LogEvent<'_>) {
        let severity = match event.level {
            Level::ERROR => SeverityNumber::Error,
            _ => SeverityNumber::Warn,
        };
        let fields = event.fields.iter().take(MAX_FIELDS);
        let copied = |(name, value): &(&'static str, &str)| (*name, Value::Text(Text::copy(value)));
        let mut attributes: Vec<_> = fields.map(copied).collect();
        let target = Value::Text(Text::copy(event.target));
        attributes.push(("code.namespace", target));
        let line = Line::new(severity, event.message, event.trace, attributes);
        self.0.push(line);
    }
}

/// Builds the request to the collector.
fn request(batch: &[Line], resource: &Resource) -> ExportLogsServiceRequest {
    ExportLogsServiceRequest {
        resource_logs: vec![ResourceLogs {
            resource: Some(resource.clone()),
            scope_logs: vec![ScopeLogs {
                scope: Some(scope()),
                log_records: batch.iter().map(log_record).collect(),
                schema_url: String::new(),
            }],
            schema_url: String::new(),
        }],
    }
}

fn log_record(line: &Line) -> LogRecord {
    let severity = match line.severity {
        SeverityNumber::Error => "ERROR",
        SeverityNumber::Warn => "WARN",
        _ => "INFO",
    };
    let body = AnyKind::StringValue(line.body.as_str().to_owned());
    let trace = line.trace.as_ref();
    LogRecord {
        time_unix_nano: nanos(line.at),
        observed_time_unix_nano: nanos(line.at),
        severity_number: line.severity.into(),
        severity_text: severity.to_owned(),
        body: Some(AnyValue { value: Some(body) }),
        attributes: attributes(&line.attributes, None),
        flags: trace.map_or(0, |trace| trace.sampled().into()),
        trace_id: trace.map(trace_id).unwrap_or_default(),
        span_id: trace.map(span_id).unwrap_or_default(),
        ..LogRecord::default()
    }
}
