//! The JSON of recorded work. Times are in milliseconds from its start.

use std::time::{Duration, Instant};

use doyen_observe::steps::{Step, Text, Value};
use serde_json::{Map, Value as Json, json};

use super::recent::{Line, Work};

/// One line of the list.
pub(super) fn summary(work: &Work) -> Json {
    let statements = work.steps.steps.iter().filter(|step| is_statement(step));
    let (count, time) = statements.fold((0, Duration::ZERO), |(count, time), step| {
        (count + 1, time + step.time.unwrap_or_default())
    });
    json!({
        "number": work.number,
        "kind": work.kind,
        "name": work.name.as_str(),
        "status": work.status,
        "error": work.error.as_ref().map(Text::as_str),
        "at": work.at.to_string(),
        "duration_ms": millis(work.time),
        "statements": count,
        "statements_ms": millis(time),
        "request_id": work.request_id.as_str(),
        "trace_id": work.trace.trace_id(),
    })
}

/// All that is known of one, with the work of the same trace.
pub(super) fn detail(work: &Work, others: &[Json]) -> Json {
    let mut detail = summary(work);
    detail["facts"] = attributes(&work.facts);
    let steps = work.steps.steps.iter().map(|one| step(work, one));
    detail["steps"] = steps.collect();
    detail["steps_dropped"] = work.steps.dropped.into();
    detail["log"] = work.lines.iter().map(|one| line(work, one)).collect();
    detail["trace"] = others.iter().cloned().collect();
    detail
}

fn step(work: &Work, step: &Step) -> Json {
    let start = after(work, step.started);
    // A phase that did not end before the work ends with it.
    let time = step
        .time
        .map_or((millis(work.time) - start).max(0.0), millis);
    json!({
        "name": step.name.as_str(),
        "kind": match (is_statement(step), step.is_client, step.phase) {
            (true, ..) => "statement",
            (_, true, _) => "call",
            (_, _, Some(_)) => "step",
            (_, _, None) => "phase",
        },
        "start_ms": start,
        "duration_ms": time,
        "error": step.error.as_ref().map(Text::as_str),
        "attributes": attributes(&step.attributes),
    })
}

fn line(work: &Work, line: &Line) -> Json {
    json!({
        "start_ms": after(work, line.at),
        "level": line.level.as_str().to_ascii_lowercase(),
        "text": line.text.as_str(),
    })
}

fn is_statement(step: &Step) -> bool {
    statement(step).is_some()
}

/// Returns the text of a statement; `None` for another step.
pub(super) fn statement(step: &Step) -> Option<&str> {
    let query = doyen_observe::steps::QUERY;
    let mut attributes = step.attributes.iter();
    attributes.find_map(|(name, value)| match value {
        Value::Text(text) if *name == query => Some(text.as_str()),
        _ => None,
    })
}

fn attributes(attributes: &[(&'static str, Value)]) -> Json {
    let pairs = attributes.iter().map(|(name, value)| {
        let value = match value {
            Value::Text(text) => text.as_str().into(),
            Value::Integer(number) => (*number).into(),
        };
        ((*name).to_owned(), value)
    });
    Json::Object(pairs.collect::<Map<_, _>>())
}

fn after(work: &Work, instant: Instant) -> f64 {
    millis(instant.saturating_duration_since(work.started))
}

/// Milliseconds with three digits.
fn millis(time: Duration) -> f64 {
    (time.as_secs_f64() * 1e6).round() / 1e3
}
