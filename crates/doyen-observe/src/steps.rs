//! The steps of one request, job, event handler or message, for plugins that show or export them.
//!
//! Their memory is bounded: further steps are counted and not kept. Nothing is formatted or encoded
//! on the path of the work.

use std::time::{Duration, Instant};

use doyen_core::{ObservedStatement, ObservedStep, StepKind, StepValue, TraceContext, WorkPhase};

/// The attribute with the text of a statement.
pub const QUERY: &str = "db.query.text";
/// The attribute with the values of the parameters of a statement.
pub const PARAMETERS: &str = "db.query.parameters";
/// Maximum number of steps.
const MAX_STEPS: usize = 256;
/// Maximum memory of the steps of one piece of work.
const MAX_BYTES: usize = 64 << 10;
/// Maximum size of one text.
const MAX_TEXT_BYTES: usize = 2048;

/// Collects the steps of one piece of work.
#[derive(Debug, Default)]
pub struct Steps {
    kept: KeptSteps,
    /// The current phase, and the index of its step.
    phase: Option<(Instant, usize)>,
    in_transaction: bool,
    has_ended: bool,
}

/// The steps that were kept.
#[derive(Debug, Default)]
pub struct KeptSteps {
    /// The steps, in the order in which they were reported.
    pub steps: Vec<Step>,
    /// Number of steps that were not kept.
    pub dropped: u32,
    /// Memory of the steps.
    pub bytes: usize,
}

/// A part of the work.
#[derive(Debug)]
pub struct Step {
    /// A name of low cardinality.
    pub name: Text,
    /// True for a call to the database or another service.
    pub is_client: bool,
    /// Time at which it began.
    pub started: Instant,
    /// Duration; `None` for a phase that did not end before the work.
    pub time: Option<Duration>,
    /// The position in the trace that the other side received.
    pub span: Option<TraceContext>,
    /// The index of the phase that it belongs to.
    pub phase: Option<usize>,
    /// The kind of the failure, if it failed.
    pub error: Option<Text>,
    /// Further facts.
    pub attributes: Vec<(&'static str, Value)>,
}

/// A text: most are static.
#[derive(Debug)]
pub enum Text {
    /// A text of the program.
    Static(&'static str),
    /// A copy, up to the maximum size.
    Owned(Box<str>),
}

/// A value of an attribute.
#[derive(Debug)]
pub enum Value {
    /// A text.
    Text(Text),
    /// A number.
    Integer(i64),
}

impl Text {
    /// Copies a text, up to the maximum size.
    pub fn copy(text: &str) -> Self {
        Self::Owned(text[..text.floor_char_boundary(MAX_TEXT_BYTES)].into())
    }

    /// Returns the text.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Static(text) => text,
            Self::Owned(text) => text,
        }
    }

    /// Returns its memory.
    pub const fn bytes(&self) -> usize {
        match self {
            Self::Static(_) => 0,
            Self::Owned(text) => text.len(),
        }
    }
}

impl From<StepValue<'_>> for Value {
    fn from(value: StepValue<'_>) -> Self {
        match value {
            StepValue::Text(text) => Self::Text(Text::copy(text)),
            StepValue::Integer(number) => Self::Integer(number),
        }
    }
}

/// Copies attributes.
pub fn copied(attributes: &[(&'static str, StepValue<'_>)]) -> Vec<(&'static str, Value)> {
    let copied = attributes
        .iter()
        .map(|(name, value)| (*name, (*value).into()));
    copied.collect()
}

/// Returns the memory of attributes.
pub fn bytes_of(attributes: &[(&'static str, Value)]) -> usize {
    let texts = attributes.iter().map(|(_, value)| match value {
        Value::Text(text) => text.bytes(),
        Value::Integer(_) => 0,
    });
    size_of_val(attributes) + texts.sum::<usize>()
}

impl Step {
    fn bytes(&self) -> usize {
        size_of::<Self>()
            + self.name.bytes()
            + self.error.as_ref().map_or(0, Text::bytes)
            + bytes_of(&self.attributes)
    }
}

impl Steps {
    /// A phase of a request begins, and the one before ends.
    pub fn phase(&mut self, phase: WorkPhase) {
        self.end_phase();
        let name = match phase {
            WorkPhase::Extraction => "extract",
            WorkPhase::Handler => "handler",
            WorkPhase::Commit if self.in_transaction => "commit",
            WorkPhase::Commit | WorkPhase::Other => return,
        };
        let now = Instant::now();
        let added = self.add(Step {
            name: Text::Static(name),
            is_client: false,
            started: now,
            time: None,
            span: None,
            phase: None,
            error: None,
            attributes: Vec::new(),
        });
        self.phase = added.map(|index| (now, index));
    }

    /// A transaction has begun.
    pub const fn transaction_began(&mut self) {
        self.in_transaction = true;
    }

    /// A statement has ended. The values of its parameters are kept only if asked for.
    pub fn statement(&mut self, statement: &ObservedStatement<'_>, with_parameters: bool) {
        let operation = operation(statement.sql);
        let mut attributes = vec![
            (
                "db.system.name",
                Value::Text(Text::Static(statement.system)),
            ),
            ("db.operation.name", Value::Text(Text::Static(operation))),
            (QUERY, Value::Text(Text::copy(statement.sql))),
        ];
        if let Some(parameters) = statement.parameters.filter(|_| with_parameters) {
            let text = Text::copy(&parameters.to_string());
            attributes.push((PARAMETERS, Value::Text(text)));
        }
        if let Some(rows) = statement.rows.and_then(|rows| i64::try_from(rows).ok()) {
            attributes.push(("db.response.returned_rows", Value::Integer(rows)));
        }
        self.add(Step {
            name: Text::Static(operation),
            is_client: true,
            started: statement.started,
            time: Some(statement.time),
            span: None,
            phase: self.phase.map(|(_, index)| index),
            error: statement.failed.then_some(Text::Static("_OTHER")),
            attributes,
        });
    }

    /// A cache lookup or a call to another service has ended.
    pub fn step(&mut self, step: &ObservedStep<'_>) {
        self.add(Step {
            name: Text::copy(step.name),
            is_client: step.kind == StepKind::Client,
            started: step.started,
            time: Some(step.time),
            span: step.span,
            phase: self.phase.map(|(_, index)| index),
            error: step.error.map(Text::copy),
            attributes: copied(step.attributes),
        });
    }

    /// The work has ended. `None` if it had ended already.
    pub fn end(&mut self) -> Option<KeptSteps> {
        if std::mem::replace(&mut self.has_ended, true) {
            return None;
        }
        self.end_phase();
        Some(std::mem::take(&mut self.kept))
    }

    /// Adds a step if there is room for it. Returns its index.
    fn add(&mut self, step: Step) -> Option<usize> {
        let kept = &mut self.kept;
        let bytes = kept.bytes + step.bytes();
        if self.has_ended || kept.steps.len() >= MAX_STEPS || bytes > MAX_BYTES {
            kept.dropped += 1;
            return None;
        }
        kept.bytes = bytes;
        kept.steps.push(step);
        Some(kept.steps.len() - 1)
    }

    fn end_phase(&mut self) {
        if let Some((began, index)) = self.phase.take() {
            self.kept.steps[index].time = Some(began.elapsed());
        }
    }
}

/// Returns the first word of a statement.
fn operation(sql: &str) -> &'static str {
    const WORDS: [&str; 12] = [
        "SELECT",
        "INSERT",
        "UPDATE",
        "DELETE",
        "WITH",
        "CREATE",
        "ALTER",
        "DROP",
        "SET",
        "PRAGMA",
        "SAVEPOINT",
        "RELEASE",
    ];
    let word = sql
        .trim_start()
        .split(|c: char| !c.is_ascii_alphabetic())
        .next();
    let word = word.unwrap_or_default();
    let known = WORDS
        .into_iter()
        .find(|known| known.eq_ignore_ascii_case(word));
    known.unwrap_or("SQL")
}
