//! Records as spans.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use doyen_core::{TraceContext, WorkKind};
use doyen_observe::steps::{QUERY, Step, Value};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, Status};

use crate::record::{Finished, Work};
use crate::resource::{integer, scope, text};
use crate::sql::without_literals;

/// The flag `SPAN_FLAGS_CONTEXT_HAS_IS_REMOTE`, and the one that it explains.
const HAS_IS_REMOTE: u32 = 0x100;
const IS_REMOTE: u32 = 0x200;

/// Builds the request to the collector.
pub(crate) fn request(batch: &[Finished], resource: &Resource) -> ExportTraceServiceRequest {
    ExportTraceServiceRequest {
        resource_spans: vec![ResourceSpans {
            resource: Some(resource.clone()),
            scope_spans: vec![ScopeSpans {
                scope: Some(scope()),
                spans: batch.iter().flat_map(spans).collect(),
                schema_url: String::new(),
            }],
            schema_url: String::new(),
        }],
    }
}

/// The span of the work, and one for each step.
fn spans(record: &Finished) -> Vec<Span> {
    let work = &record.work;
    // The parent of a step is the phase in which it ran.
    let positions: Vec<_> = record
        .steps
        .iter()
        .map(|step| position(step, work))
        .collect();
    let mut spans = Vec::with_capacity(record.steps.len() + 1);
    spans.push(root(record));
    for (step, own) in record.steps.iter().zip(&positions) {
        let parent = step.phase.and_then(|index| positions.get(index));
        let started = step.started.saturating_duration_since(work.started);
        let rest = || record.time.saturating_sub(started);
        let kind = match step.is_client {
            true => SpanKind::Client,
            false => SpanKind::Internal,
        };
        spans.push(Span {
            parent_span_id: span_id(parent.unwrap_or(&work.trace)),
            flags: HAS_IS_REMOTE | u32::from(own.sampled()),
            kind: kind.into(),
            name: step.name.as_str().to_owned(),
            attributes: attributes(
                &step.attributes,
                step.error.as_ref().map(|one| one.as_str()),
            ),
            status: status(step.error.is_some()),
            ..span(own, at(work, step.started), step.time.unwrap_or_else(rest))
        });
    }
    spans
}

fn position(step: &Step, work: &Work) -> TraceContext {
    step.span.unwrap_or_else(|| work.trace.child())
}

fn root(record: &Finished) -> Span {
    let work = &record.work;
    let kind = match work.kind {
        WorkKind::Request => SpanKind::Server,
        WorkKind::Job | WorkKind::Event => SpanKind::Consumer,
        WorkKind::Message => SpanKind::Internal,
    };
    let is_remote = if work.parent.is_some() { IS_REMOTE } else { 0 };
    let mut attributes = attributes(&record.attributes, record.error.as_deref());
    if record.dropped > 0 {
        attributes.push(integer("doyen.spans.dropped", record.dropped.into()));
    }
    Span {
        parent_span_id: work.parent.as_ref().map(span_id).unwrap_or_default(),
        flags: HAS_IS_REMOTE | is_remote | u32::from(work.trace.sampled()),
        kind: kind.into(),
        name: record.name.to_string(),
        attributes,
        status: status(record.error.is_some()),
        ..span(&work.trace, work.at, record.time)
    }
}

fn span(position: &TraceContext, start: SystemTime, time: Duration) -> Span {
    Span {
        trace_id: trace_id(position),
        span_id: span_id(position),
        start_time_unix_nano: nanos(start),
        end_time_unix_nano: nanos(start + time),
        ..Span::default()
    }
}

/// The time of an instant, relative to the start of the work.
fn at(work: &Work, instant: Instant) -> SystemTime {
    work.at + instant.saturating_duration_since(work.started)
}

pub(crate) fn nanos(time: SystemTime) -> u64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}

pub(crate) fn trace_id(position: &TraceContext) -> Vec<u8> {
    let number = u128::from_str_radix(position.trace_id(), 16).unwrap_or_default();
    number.to_be_bytes().to_vec()
}

pub(crate) fn span_id(position: &TraceContext) -> Vec<u8> {
    let number = u64::from_str_radix(position.span_id(), 16).unwrap_or_default();
    number.to_be_bytes().to_vec()
}

pub(crate) fn attributes(known: &[(&'static str, Value)], error: Option<&str>) -> Vec<KeyValue> {
    let own = known.iter().map(|(name, value)| match value {
        Value::Text(value) if *name == QUERY => text(name, &without_literals(value.as_str())),
        Value::Text(value) => text(name, value.as_str()),
        Value::Integer(value) => integer(name, *value),
    });
    own.chain(error.map(|error| text("error.type", error)))
        .collect()
}

fn status(is_error: bool) -> Option<Status> {
    is_error.then(|| Status {
        message: String::new(),
        code: StatusCode::Error.into(),
    })
}
