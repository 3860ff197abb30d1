//! Records work while it runs.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, Weak};
use std::time::{Duration, Instant};

use doyen_core::sync::lock;
use doyen_core::{
    AccessRecord, Clock, Observation, ObservedEnd, ObservedStatement, ObservedStep, ObservedWork,
    RequestId, RequestObserver, Timestamp, TraceContext, WorkKind, WorkPhase, chain,
};
use doyen_observe::steps::{Steps, Text, Value, copied};
use doyen_observe::{LogEvent, LogReceiver};
use tracing::Level;

use super::recent::{Line, Recent, Work};

/// Maximum number of log lines of one piece of work.
const MAX_LINES: usize = 50;

/// Records all requests, jobs, event handlers and messages.
pub(crate) struct Recorder {
    recent: Arc<Recent>,
    running: Arc<Running>,
    clock: Arc<dyn Clock>,
    /// True if the values of statements are kept.
    with_parameters: bool,
}

/// The work that runs now, by its position in the trace: the log knows no more.
#[derive(Debug, Default)]
struct Running(Mutex<HashMap<TraceContext, Weak<Recording>>>);

/// Adds log lines to the work that logs them.
pub(crate) struct Tap(Arc<Running>);

/// Work that runs.
#[derive(Debug)]
struct Recording {
    recent: Arc<Recent>,
    running: Arc<Running>,
    with_parameters: bool,
    kind: WorkKind,
    name: Box<str>,
    request_id: RequestId,
    trace: TraceContext,
    at: Timestamp,
    started: Instant,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    steps: Steps,
    lines: Vec<Line>,
}

impl Recorder {
    /// Returns the recorder, and what receives the log.
    pub(crate) fn new(
        recent: Arc<Recent>,
        clock: Arc<dyn Clock>,
        with_parameters: bool,
    ) -> (Self, Tap) {
        let running = Arc::<Running>::default();
        let tap = Tap(Arc::clone(&running));
        let recorder = Self {
            recent,
            running,
            clock,
            with_parameters,
        };
        (recorder, tap)
    }
}

impl RequestObserver for Recorder {
    fn observe(&self, work: &ObservedWork<'_>) -> Option<Arc<dyn Observation>> {
        let recording = Arc::new(Recording {
            recent: Arc::clone(&self.recent),
            running: Arc::clone(&self.running),
            with_parameters: self.with_parameters,
            kind: work.kind,
            name: work.name.into(),
            request_id: work.request_id,
            trace: work.trace,
            at: self.clock.now(),
            started: Instant::now(),
            state: Mutex::default(),
        });
        lock(&self.running.0).insert(work.trace, Arc::downgrade(&recording));
        Some(recording)
    }
}

impl LogReceiver for Tap {
    fn max_level(&self) -> Level {
        Level::TRACE
    }

    fn receive(&self, event: &LogEvent<'_>) {
        let Some(trace) = event.trace else { return };
        // Upgraded outside of the lock: the last reference may be dropped here.
        let found = lock(&self.0.0).get(&trace).cloned();
        let Some(recording) = found.and_then(|found| found.upgrade()) else {
            return;
        };
        let mut state = lock(&recording.state);
        if state.lines.len() < MAX_LINES {
            let fields = event.fields.iter();
            // The work has them already.
            let own = fields.filter(|(name, _)| !matches!(*name, "request_id" | "trace_id"));
            let fields = own.map(|(name, value)| format!(" {name}={value}"));
            let fields: String = fields.collect();
            state.lines.push(Line {
                at: Instant::now(),
                level: event.level,
                text: Text::copy(&format!("{}: {}{fields}", event.target, event.message)),
            });
        }
    }
}

impl Recording {
    fn finish(
        &self,
        name: Text,
        time: Duration,
        error: Option<Text>,
        status: Option<u16>,
        facts: Vec<(&'static str, Value)>,
    ) {
        let mut state = lock(&self.state);
        let Some(steps) = state.steps.end() else {
            return;
        };
        let lines = std::mem::take(&mut state.lines);
        drop(state);
        lock(&self.running.0).remove(&self.trace);
        self.recent.add(Work {
            number: 0,
            kind: match self.kind {
                WorkKind::Request => "request",
                WorkKind::Job => "job",
                WorkKind::Event => "event",
                WorkKind::Message => "message",
            },
            name,
            request_id: self.request_id,
            trace: self.trace,
            at: self.at,
            started: self.started,
            time,
            error,
            status,
            facts,
            steps,
            lines,
        });
    }
}

impl Observation for Recording {
    fn phase(&self, phase: WorkPhase) {
        lock(&self.state).steps.phase(phase);
    }

    fn statement(&self, statement: &ObservedStatement<'_>) {
        let mut state = lock(&self.state);
        state.steps.statement(statement, self.with_parameters);
    }

    fn transaction_began(&self) {
        lock(&self.state).steps.transaction_began();
    }

    fn step(&self, step: &ObservedStep<'_>) {
        lock(&self.state).steps.step(step);
    }

    fn request_ended(&self, record: &AccessRecord<'_>) {
        let name = match record.route {
            Some(route) => format!("{} {route}", record.method),
            None => record.method.to_owned(),
        };
        let error = record.problem.map(Text::copy);
        let facts = facts(record);
        let status = Some(record.status);
        self.finish(Text::copy(&name), record.duration, error, status, facts);
    }

    fn ended(&self, end: &ObservedEnd<'_>) {
        let error = end.error.map(Text::copy);
        let time = self.started.elapsed();
        let facts = copied(end.attributes);
        self.finish(Text::copy(&self.name), time, error, None, facts);
    }
}

/// Work that was given up, such as a request whose client has disconnected.
impl Drop for Recording {
    fn drop(&mut self) {
        let name = match self.kind {
            WorkKind::Request => Text::Static("request"),
            _ => Text::copy(&self.name),
        };
        let error = Some(Text::Static("cancelled"));
        self.finish(name, self.started.elapsed(), error, None, Vec::new());
    }
}

/// What the access log knows of a request. Its path has no secrets.
fn facts(record: &AccessRecord<'_>) -> Vec<(&'static str, Value)> {
    let mut facts = vec![
        ("path", Value::Text(Text::copy(record.bare_path()))),
        (
            "bytes",
            Value::Integer(i64::try_from(record.bytes).unwrap_or(i64::MAX)),
        ),
    ];
    let mut text = |name, value: Option<&str>| {
        if let Some(value) = value {
            facts.push((name, Value::Text(Text::copy(value))));
        }
    };
    text("user", record.user);
    text("denied_because", record.denied_because);
    text("cause", record.cause.map(chain).as_deref());
    text("aborted", record.aborted.then_some("true"));
    facts
}

#[cfg(test)]
mod tests {
    use doyen_core::SystemClock;

    use super::*;

    #[test]
    fn a_line_belongs_to_the_work_that_logs_it_while_it_runs() {
        let recent = Arc::new(Recent::new(10));
        let (recorder, tap) = Recorder::new(Arc::clone(&recent), Arc::new(SystemClock), false);
        let [one, other] = [TraceContext::start(false), TraceContext::start(false)];
        let work = |trace| ObservedWork {
            kind: WorkKind::Job,
            name: "send_mail",
            request_id: RequestId::new(),
            trace,
            parent: None,
        };
        let log = |trace, message| {
            tap.receive(&LogEvent {
                level: Level::INFO,
                target: "mail",
                message,
                fields: &[("attempt", "2")],
                trace,
            });
        };
        let end = ObservedEnd {
            error: None,
            attributes: &[],
        };
        let first = recorder.observe(&work(one)).unwrap();
        let second = recorder.observe(&work(other)).unwrap();
        log(Some(one), "too slow");
        log(None, "of no work");
        first.ended(&end);
        log(Some(one), "too late");
        drop(second);
        let (_, kept) = recent.select(|_| true);
        let lines: Vec<Vec<&str>> = kept
            .iter()
            .map(|work| work.lines.iter().map(|line| line.text.as_str()).collect())
            .collect();
        assert_eq!(lines, [vec!["mail: too slow attempt=2"], vec![]]);
        assert_eq!(kept[1].error.as_ref().map(Text::as_str), Some("cancelled"));
        assert!(lock(&recorder.running.0).is_empty());
    }
}
