//! The traits, and what is reported.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::{AccessRecord, RequestId, TraceContext};

/// Chooses the work to observe.
pub trait RequestObserver: Send + Sync + 'static {
    /// Begins to observe work. `None` leaves it out.
    fn observe(&self, work: &ObservedWork<'_>) -> Option<Arc<dyn Observation>>;

    /// Decides whether a trace that begins in this process is recorded. The decision travels with
    /// the trace. Without an observer that records traces, none is.
    fn records(&self, trace: &TraceContext) -> bool {
        let _ = trace;
        false
    }
}

/// Receives what happens in one request, job, event handler or message. It is called on the path
/// of the work, so it must not wait. An observer implements the methods that it needs.
pub trait Observation: fmt::Debug + Send + Sync {
    /// The future of the work is about to be polled, on this thread.
    fn poll_begins(&self) {}
    /// The poll has ended, on the same thread.
    fn poll_ended(&self) {}
    /// A phase of a request begins, and the one before ends.
    fn phase(&self, phase: WorkPhase) {
        let _ = phase;
    }
    /// A statement has ended.
    fn statement(&self, statement: &ObservedStatement<'_>) {
        let _ = statement;
    }
    /// A transaction has begun.
    fn transaction_began(&self) {}
    /// A transaction is about to be committed, or was rolled back.
    fn transaction_ended(&self) {}
    /// A cache lookup or a call to another service has ended.
    fn step(&self, step: &ObservedStep<'_>) {
        let _ = step;
    }
    /// The response of a request is complete, apart from its compression.
    fn response(&self, response: &ObservedResponse<'_>) {
        let _ = response;
    }
    /// The request has ended, with the last byte of its body. It is the last call of a request.
    fn request_ended(&self, record: &AccessRecord<'_>) {
        let _ = record;
    }
    /// The work has ended. It is the last call of work that is not a request.
    fn ended(&self, end: &ObservedEnd<'_>) {
        let _ = end;
    }
}

/// Work that begins.
#[derive(Clone, Copy, Debug)]
pub struct ObservedWork<'a> {
    /// Its kind.
    pub kind: WorkKind,
    /// Name of the job, topic of the event, name of the channel; empty for a request, whose route
    /// is not known yet.
    pub name: &'a str,
    /// Request id, which log lines carry.
    pub request_id: RequestId,
    /// Its own position in the trace.
    pub trace: TraceContext,
    /// The position of the work that caused it, if there is one.
    pub parent: Option<TraceContext>,
}

/// A kind of work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WorkKind {
    /// A request.
    Request,
    /// One attempt of a background job.
    Job,
    /// The delivery of an event to a handler.
    Event,
    /// A message or an event of a live connection.
    Message,
}

/// A phase of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WorkPhase {
    /// Parameters and body are read and checked.
    Extraction,
    /// The function of the route runs.
    Handler,
    /// The unit of work is committed.
    Commit,
    /// None of these.
    Other,
}

/// A statement of observed work.
#[derive(Clone, Copy)]
pub struct ObservedStatement<'a> {
    /// The database: `sqlite` or `postgresql`.
    pub system: &'static str,
    /// The text, without the values of its parameters.
    pub sql: &'a str,
    /// The values of its parameters, if there are some. They may be secret: show them only to
    /// developers.
    pub parameters: Option<&'a dyn fmt::Display>,
    /// Time at which it was sent, or began to wait for a connection.
    pub started: Instant,
    /// Duration, with the wait for a connection.
    pub time: Duration,
    /// Number of rows that it returned, if it returns rows.
    pub rows: Option<usize>,
    /// True if it failed.
    pub failed: bool,
}

/// A part of observed work that has ended. The names of its attributes are the semantic names of
/// OpenTelemetry where there is one.
#[derive(Clone, Copy, Debug)]
pub struct ObservedStep<'a> {
    /// Its kind.
    pub kind: StepKind,
    /// A name of low cardinality: never with a value from a client.
    pub name: &'a str,
    /// Time at which it began.
    pub started: Instant,
    /// Duration.
    pub time: Duration,
    /// The position in the trace that the other side received.
    pub span: Option<TraceContext>,
    /// The kind of the failure, if it failed.
    pub error: Option<&'a str>,
    /// Further facts.
    pub attributes: &'a [(&'static str, StepValue<'a>)],
}

/// A kind of step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StepKind {
    /// Inside of this process.
    Internal,
    /// A call to another service.
    Client,
}

/// A value of an attribute.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum StepValue<'a> {
    /// A text.
    Text(&'a str),
    /// A number.
    Integer(i64),
}

/// The response to an observed request.
#[derive(Clone, Copy, Debug)]
pub struct ObservedResponse<'a> {
    /// Method of the request.
    pub method: &'a str,
    /// Template of the route; `None` if no route matched.
    pub route: Option<&'a str>,
    /// Media type of the body.
    pub media_type: Option<&'a str>,
    /// Size of the body; `None` for a stream.
    pub bytes: Option<u64>,
    /// True if the caller was not identified.
    pub is_anonymous: bool,
    /// Whether a rate limit counted the request.
    pub limit: ObservedLimit,
}

/// Whether a rate limit or quota counted a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ObservedLimit {
    /// At least one counted it.
    Counted,
    /// None counted it: the route is unlimited.
    Uncounted,
    /// The application counts no requests.
    Absent,
}

/// The end of a job, an event handler or a message.
#[derive(Clone, Copy, Debug)]
pub struct ObservedEnd<'a> {
    /// The kind of the failure, if it failed.
    pub error: Option<&'a str>,
    /// Further facts.
    pub attributes: &'a [(&'static str, StepValue<'a>)],
}
