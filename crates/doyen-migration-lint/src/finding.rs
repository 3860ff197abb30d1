//! A finding, and its forms as text and JSON.

use std::fmt;

use serde_json::{Value as Json, json};

use crate::Code;

/// Maximum length of the statement in a finding.
const MAX_STATEMENT_CHARS: usize = 100;

/// What is unsafe in a migration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What it is about.
    pub code: Code,
    /// The file.
    pub file: String,
    /// The line of the file, counted from 1.
    pub line: usize,
    /// The beginning of the statement or of the comment.
    pub statement: String,
}

impl Finding {
    pub(crate) fn new(code: Code, file: String, line: usize, statement: &str) -> Self {
        let words: Vec<&str> = statement.split_whitespace().collect();
        let mut statement = words.join(" ");
        if let Some((end, _)) = statement.char_indices().nth(MAX_STATEMENT_CHARS) {
            statement.truncate(end);
            statement.push_str(" ..");
        }
        Self {
            code,
            file,
            line,
            statement,
        }
    }

    /// Returns all of it as JSON.
    pub fn to_json(&self) -> Json {
        json!({
            "code": self.code.as_str(),
            "file": self.file,
            "line": self.line,
            "statement": self.statement,
            "why": self.code.why(),
            "rewrite": self.code.rewrite(),
        })
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            code,
            file,
            line,
            statement,
        } = self;
        writeln!(f, "{file}:{line}: {}", code.as_str())?;
        writeln!(f, "  {statement}")?;
        writeln!(f, "  why: {}", code.why())?;
        write!(f, "  instead: {}", code.rewrite())
    }
}
