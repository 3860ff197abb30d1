//! The record of one request, job, event handler or message. Nothing is formatted or encoded on the
//! path of the work.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;
use doyen_core::sync::lock;
use doyen_core::{
    AccessRecord, Observation, ObservedEnd, ObservedStatement, ObservedStep, ObservedWork,
    RequestId, TraceContext, WorkKind, WorkPhase,
};
use doyen_observe::steps::{Step, Steps, Text, Value, bytes_of, copied};
use opentelemetry_proto::tonic::resource::v1::Resource;
use prost::Message as _;

use crate::counters::{Loss, Signal};
use crate::logs::Line;
use crate::observer::Shared;
use crate::queue::Item;
use crate::spans;

/// Collects what happens in one piece of work.
#[derive(Debug)]
pub(crate) struct Record {
    shared: Arc<Shared>,
    work: Work,
    steps: Mutex<Steps>,
}

/// The work itself.
#[derive(Clone, Debug)]
pub(crate) struct Work {
    pub(crate) kind: WorkKind,
    pub(crate) name: Box<str>,
    pub(crate) request_id: RequestId,
    pub(crate) trace: TraceContext,
    pub(crate) parent: Option<TraceContext>,
    pub(crate) started: Instant,
    pub(crate) at: SystemTime,
}

/// A record at its end.
#[derive(Debug)]
pub(crate) struct Finished {
    pub(crate) work: Work,
    /// The name of a request is known at its end.
    pub(crate) name: Box<str>,
    pub(crate) time: Duration,
    pub(crate) error: Option<Box<str>>,
    pub(crate) attributes: Vec<(&'static str, Value)>,
    pub(crate) steps: Vec<Step>,
    pub(crate) dropped: u32,
    bytes: usize,
}

impl Record {
    pub(crate) fn begin(shared: Arc<Shared>, work: &ObservedWork<'_>) -> Self {
        Self {
            shared,
            work: Work {
                kind: work.kind,
                name: work.name.into(),
                request_id: work.request_id,
                trace: work.trace,
                parent: work.parent,
                started: Instant::now(),
                at: SystemTime::now(),
            },
            steps: Mutex::default(),
        }
    }

    /// Exports the record if its trace is sampled, if it failed, or if it was slow. Returns true if
    /// it did.
    fn finish(
        &self,
        time: Duration,
        is_failure: bool,
        error: Option<&str>,
        root: impl FnOnce() -> (Box<str>, Vec<(&'static str, Value)>),
    ) -> bool {
        let Some(kept) = lock(&self.steps).end() else {
            return false;
        };
        if !self.work.trace.sampled() && !is_failure && time < self.shared.slow {
            return false;
        }
        let Some(spans) = &self.shared.spans else {
            return false;
        };
        let (name, attributes) = root();
        let bytes = size_of::<Finished>() + kept.bytes + name.len() + bytes_of(&attributes);
        let counters = spans.counters();
        counters.dropped(Signal::Traces, Loss::RequestFull, kept.dropped.into());
        spans.push(Finished {
            work: self.work.clone(),
            name,
            time,
            error: error.map(Into::into),
            attributes,
            steps: kept.steps,
            dropped: kept.dropped,
            bytes,
        });
        true
    }
}

impl Observation for Record {
    fn phase(&self, phase: WorkPhase) {
        if self.shared.spans.is_some() {
            lock(&self.steps).phase(phase);
        }
    }

    fn statement(&self, statement: &ObservedStatement<'_>) {
        if self.shared.spans.is_some() {
            lock(&self.steps).statement(statement, false);
        }
    }

    fn transaction_began(&self) {
        lock(&self.steps).transaction_began();
    }

    fn step(&self, step: &ObservedStep<'_>) {
        if self.shared.spans.is_some() {
            lock(&self.steps).step(step);
        }
    }

    fn request_ended(&self, record: &AccessRecord<'_>) {
        // By the conventions a 4xx is no error of a server.
        let status = (record.status >= 500).then(|| record.status.to_string());
        let error = status
            .as_deref()
            .map(|status| record.problem.unwrap_or(status));
        let is_exported = self.finish(record.duration, record.is_fault(), error, || {
            request(record, self.work.request_id)
        });
        if let Some(exemplars) = self.shared.exemplars.as_ref().filter(|_| is_exported) {
            exemplars.note(record, &self.work.trace);
        }
        if let Some(lines) = &self.shared.lines {
            let (_, attributes) = request(record, self.work.request_id);
            lines.push(Line::of_request(record, self.work.trace, attributes));
        }
    }

    fn ended(&self, end: &ObservedEnd<'_>) {
        let time = self.work.started.elapsed();
        self.finish(time, end.error.is_some(), end.error, || {
            let verb = match self.work.kind {
                WorkKind::Request => "",
                WorkKind::Job | WorkKind::Event | WorkKind::Message => "process ",
            };
            let name = format!("{verb}{}", self.work.name);
            (name.into(), copied(end.attributes))
        });
    }
}

/// Work that was given up, such as a request whose client has disconnected.
impl Drop for Record {
    fn drop(&mut self) {
        let time = self.work.started.elapsed();
        self.finish(time, false, Some("cancelled"), || {
            let id = Value::Text(Text::copy(self.work.request_id.as_str()));
            let name = match self.work.kind {
                WorkKind::Request => "HTTP".into(),
                _ => self.work.name.clone(),
            };
            (name, vec![("doyen.request.id", id)])
        });
    }
}

/// The name and the attributes of a request. The path is that of the access log, which masks it.
fn request(record: &AccessRecord<'_>, id: RequestId) -> (Box<str>, Vec<(&'static str, Value)>) {
    const METHODS: [&str; 9] = [
        "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT",
    ];
    let known = METHODS.into_iter().find(|known| *known == record.method);
    let method = known.unwrap_or("_OTHER");
    // The conventions want a name of low cardinality.
    let verb = known.unwrap_or("HTTP");
    let name = match record.route {
        Some(route) => format!("{verb} {route}"),
        None => verb.to_owned(),
    };
    let text = |text: &str| Value::Text(Text::copy(text));
    let mut attributes = vec![
        ("http.request.method", Value::Text(Text::Static(method))),
        ("url.path", text(record.bare_path())),
        (
            "http.response.status_code",
            Value::Integer(record.status.into()),
        ),
        ("doyen.request.id", text(id.as_str())),
    ];
    let size = i64::try_from(record.bytes).unwrap_or(i64::MAX);
    attributes.push(("http.response.body.size", Value::Integer(size)));
    if let Some(route) = record.route {
        attributes.push(("http.route", text(route)));
    }
    if let Some(problem) = record.problem {
        attributes.push(("doyen.problem.code", text(problem)));
    }
    if record.aborted {
        attributes.push(("doyen.aborted", Value::Integer(1)));
    }
    (name.into(), attributes)
}

impl Item for Finished {
    const SIGNAL: Signal = Signal::Traces;

    fn bytes(&self) -> usize {
        self.bytes
    }

    fn count(&self) -> u64 {
        self.steps.len() as u64 + 1
    }

    fn encode(batch: &[Self], resource: &Resource) -> Bytes {
        spans::request(batch, resource).encode_to_vec().into()
    }
}
