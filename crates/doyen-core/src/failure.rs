//! Validation errors: all errors of an input, each with a location, a code and a message.

use std::fmt;

use crate::{Kind, Problem, ProblemInfo, Strictness};

/// Part of the request with an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Place {
    /// Request body.
    Body,
    /// Query string.
    Query,
    /// Segment of the path.
    Path,
    /// Header.
    Header,
    /// Cookie.
    Cookie,
}

impl Place {
    /// Returns its name in responses: `body`, `query`, `path`, `header`, `cookie`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Place::Body => "body",
            Place::Query => "query",
            Place::Path => "path",
            Place::Header => "header",
            Place::Cookie => "cookie",
        }
    }
}

/// One error of an input. It never holds the rejected value, which may be a password.
#[derive(Clone, Debug, PartialEq)]
pub struct Failure {
    /// RFC 6901 JSON Pointer such as `/items/3/quantity`, with the names of the wire; empty for the
    /// whole.
    pub pointer: String,
    /// Part of the request.
    pub place: Place,
    /// Stable code for programs: `required`, `type`, `length`, `range`, `pattern`, ...
    pub code: &'static str,
    /// Message for people.
    pub message: String,
    /// Numbers of the rule, for example `{"min": 1, "max": 100}`.
    pub params: serde_json::Map<String, serde_json::Value>,
    /// The limit that the value is beyond, for a rule with several. It is not sent: a format of
    /// problems can tell "blank", "too short" and "too long" apart by it.
    pub beyond: Option<Beyond>,
}

/// The limit that a value is beyond.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Beyond {
    /// The minimum, and the text is empty or consists of white space.
    Blank,
    /// The minimum: too small, too short, too few.
    Min,
    /// The maximum: too large, too long, too many.
    Max,
    /// The exclusive minimum.
    ExclusiveMin,
    /// The exclusive maximum.
    ExclusiveMax,
}

/// All errors of a request, in the order found, and how strictly the request is read.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Failures {
    found: Vec<Failure>,
    strictness: Strictness,
    /// Pointers to names that were ignored and are to be logged.
    ignored: Vec<String>,
}

/// Maximum number of ignored names that one request writes to the log.
const MAX_IGNORED: usize = 8;

impl Failures {
    /// Creates an empty list.
    pub const fn new() -> Self {
        Self::with(Strictness::new())
    }

    /// Creates an empty list for a request that is read with this strictness.
    pub const fn with(strictness: Strictness) -> Self {
        Self {
            found: Vec::new(),
            strictness,
            ignored: Vec::new(),
        }
    }

    /// Returns how strictly the request is read.
    pub const fn strictness(&self) -> Strictness {
        self.strictness
    }

    /// Records a name that was ignored, to be logged. Of many names the first count.
    pub fn ignore(&mut self, pointer: String) {
        if self.ignored.len() < MAX_IGNORED {
            self.ignored.push(pointer);
        }
    }

    /// Returns pointers to the names that were ignored.
    pub fn ignored(&self) -> &[String] {
        &self.ignored
    }

    /// Adds an error.
    pub fn push(&mut self, failure: Failure) {
        self.found.push(failure);
    }

    /// Removes and returns the last one.
    pub fn pop(&mut self) -> Option<Failure> {
        self.found.pop()
    }

    /// True while nothing is wrong.
    pub fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    /// Returns the number of errors.
    pub fn len(&self) -> usize {
        self.found.len()
    }

    /// Iterates over the errors.
    pub fn iter(&self) -> std::slice::Iter<'_, Failure> {
        self.found.iter()
    }

    /// Replaces the messages of the errors from this position on, for a rule with a message of its
    /// own.
    pub fn reword(&mut self, from: usize, message: &str) {
        for failure in self.since(from) {
            message.clone_into(&mut failure.message);
        }
    }

    /// Returns the errors from this position on.
    pub fn since(&mut self, from: usize) -> &mut [Failure] {
        self.found.get_mut(from..).unwrap_or_default()
    }

    /// Moves all errors of another list into this one.
    pub fn append(&mut self, mut other: Failures) {
        self.found.append(&mut other.found);
    }
}

impl<'a> IntoIterator for &'a Failures {
    type Item = &'a Failure;
    type IntoIter = std::slice::Iter<'a, Failure>;
    fn into_iter(self) -> Self::IntoIter {
        self.found.iter()
    }
}

/// The current location in the input: a stack that becomes a JSON Pointer only for an error.
#[derive(Debug)]
pub struct At<'a> {
    place: Place,
    parent: Option<&'a At<'a>>,
    step: Step<'a>,
}

#[derive(Debug)]
enum Step<'a> {
    Root,
    Name(&'a str),
    Index(usize),
}

impl<'a> At<'a> {
    /// The root of a part of the request.
    pub const fn root(place: Place) -> At<'static> {
        At {
            place,
            parent: None,
            step: Step::Root,
        }
    }

    /// A member of this object.
    pub const fn field(&'a self, name: &'a str) -> At<'a> {
        At {
            place: self.place,
            parent: Some(self),
            step: Step::Name(name),
        }
    }

    /// An item of this list.
    pub const fn item(&'a self, index: usize) -> At<'a> {
        At {
            place: self.place,
            parent: Some(self),
            step: Step::Index(index),
        }
    }

    /// Returns the part of the request.
    pub const fn place(&self) -> Place {
        self.place
    }

    /// Returns the JSON Pointer (RFC 6901).
    pub fn pointer(&self) -> String {
        self.to_string()
    }

    /// Records an error at this location.
    pub fn fail(&self, out: &mut Failures, code: &'static str, message: impl Into<String>) {
        self.fail_with(out, code, message, serde_json::Map::new());
    }

    /// Records an error at this location, with the numbers of the rule.
    pub fn fail_with(
        &self,
        out: &mut Failures,
        code: &'static str,
        message: impl Into<String>,
        params: serde_json::Map<String, serde_json::Value>,
    ) {
        self.fail_beyond(out, code, message, params, None);
    }

    /// Records an error at this location, with the numbers of the rule and the limit that the value
    /// is beyond.
    pub fn fail_beyond(
        &self,
        out: &mut Failures,
        code: &'static str,
        message: impl Into<String>,
        params: serde_json::Map<String, serde_json::Value>,
        beyond: Option<Beyond>,
    ) {
        out.push(Failure {
            pointer: self.pointer(),
            place: self.place,
            code,
            message: message.into(),
            params,
            beyond,
        });
    }
}

impl fmt::Display for At<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(parent) = self.parent {
            parent.fmt(f)?;
        }
        match self.step {
            Step::Root => Ok(()),
            Step::Name(name) => write!(f, "/{}", name.replace('~', "~0").replace('/', "~1")),
            Step::Index(index) => write!(f, "/{index}"),
        }
    }
}

/// The input was parsed, but its values are invalid: a 422 with every error.
#[derive(Clone, Debug)]
pub struct Invalid(pub Failures);

/// The problem for every failed validation.
pub static INVALID: ProblemInfo = ProblemInfo {
    code: "invalid",
    kind: Kind::Invalid,
    title: "Invalid Input",
    description: "One or more values are invalid. `errors` lists each with a JSON Pointer, a code and a message. Correct them and try again. An unknown query parameter is also invalid.",
};

#[diagnostic::do_not_recommend]
impl Problem for Invalid {
    fn info(&self) -> &'static ProblemInfo {
        &INVALID
    }
    fn catalogue() -> Vec<&'static ProblemInfo> {
        vec![&INVALID]
    }
    fn failures(&self) -> Option<&Failures> {
        Some(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pointer_escapes_the_two_characters_of_rfc_6901() {
        let root = At::root(Place::Body);
        let field = root.field("a/b~c");
        assert_eq!(field.item(3).pointer(), "/a~1b~0c/3");
        assert_eq!(root.pointer(), "");
    }
}
