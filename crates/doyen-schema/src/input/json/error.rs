//! JSON errors.

use std::fmt;

use doyen_core::{Kind, Problem, ProblemInfo};

/// The reason why a body is rejected as JSON. It gives the position but never the content.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct JsonError {
    /// Reason of the error.
    pub reason: Reason,
    /// Line, counted from 1.
    pub line: usize,
    /// Column in bytes, counted from 1.
    pub column: usize,
}

/// The reason of a JSON error.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reason {
    /// The body is empty.
    Empty,
    /// The body is not JSON.
    Syntax,
    /// The document ends before it is complete.
    Incomplete,
    /// A name occurs more than once in one object: the JSON Pointer of the second.
    DuplicateKey(String),
    /// The document is nested too deeply.
    TooDeep,
    /// The document contains too many values.
    TooManyValues,
}

impl fmt::Display for JsonError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.reason {
            Reason::Empty => return f.write_str("the body is empty; JSON is expected"),
            Reason::Syntax => f.write_str("the body is not valid JSON")?,
            Reason::Incomplete => f.write_str("the JSON ends before it is complete")?,
            Reason::DuplicateKey(pointer) => {
                write!(f, "the name at {pointer} is repeated in its object")?
            }
            Reason::TooDeep => f.write_str("the JSON is nested too deeply")?,
            Reason::TooManyValues => f.write_str("the JSON contains too many values")?,
        }
        write!(f, " (line {}, column {})", self.line, self.column)
    }
}

impl std::error::Error for JsonError {}

static MALFORMED: ProblemInfo = ProblemInfo {
    code: "malformed_json",
    kind: Kind::Malformed,
    title: "Malformed JSON",
    description: "The body is not valid JSON. `detail` gives the position of the error. Correct the body.",
};

static DUPLICATE: ProblemInfo = ProblemInfo {
    code: "duplicate_key",
    kind: Kind::Malformed,
    title: "Duplicate Name in JSON",
    description: "An object in the body contains a name more than once. `detail` says which. Send each name once.",
};

static TOO_DEEP: ProblemInfo = ProblemInfo {
    code: "too_deep",
    kind: Kind::Malformed,
    title: "JSON Too Deep",
    description: "The body nests arrays or objects too deeply. Reduce the nesting.",
};

static TOO_MANY: ProblemInfo = ProblemInfo {
    code: "too_many_values",
    kind: Kind::Malformed,
    title: "Too Many Values in JSON",
    description: "The body contains too many values. Split it into smaller requests.",
};

#[diagnostic::do_not_recommend]
impl Problem for JsonError {
    fn info(&self) -> &'static ProblemInfo {
        match self.reason {
            Reason::Empty | Reason::Syntax | Reason::Incomplete => &MALFORMED,
            Reason::DuplicateKey(_) => &DUPLICATE,
            Reason::TooDeep => &TOO_DEEP,
            Reason::TooManyValues => &TOO_MANY,
        }
    }

    fn catalogue() -> Vec<&'static ProblemInfo> {
        vec![&MALFORMED, &DUPLICATE, &TOO_DEEP, &TOO_MANY]
    }

    fn detail(&self) -> Option<String> {
        Some(self.to_string())
    }
}
