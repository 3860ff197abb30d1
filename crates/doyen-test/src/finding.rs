//! Findings of the plugin `evidence`.

use std::fmt;

/// What the plugin `evidence` found in a request. A figure that the finding does not have is
/// `None`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Finding {
    /// Code: `repeated_statement`.
    pub code: String,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub cure: String,
    /// Method of the request.
    pub method: String,
    /// Template of the route.
    pub route: String,
    /// Statement, without values.
    pub statement: Option<String>,
    /// Number of runs of the statement.
    pub count: Option<u64>,
    /// Time, in milliseconds.
    pub millis: Option<u64>,
    /// Number of rows.
    pub rows: Option<u64>,
    /// Number of bytes.
    pub bytes: Option<u64>,
    /// Policy of the cached value.
    pub cache: Option<String>,
    /// Expensive work: `INSERT`, `password hash`, or a call such as `POST payments`.
    pub work: Option<String>,
}

/// The finding in readable form, for the message of a failed test.
impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { code, message, .. } = self;
        write!(f, "{} {}: {message} ({code})", self.method, self.route)?;
        let figures = [
            ("times", self.count),
            ("ms", self.millis),
            ("rows", self.rows),
            ("bytes", self.bytes),
        ];
        for (unit, figure) in figures {
            if let Some(figure) = figure {
                write!(f, "\n  {figure} {unit}")?;
            }
        }
        let texts = [&self.statement, &self.cache, &self.work];
        for text in texts.into_iter().flatten() {
            write!(f, "\n  {text}")?;
        }
        write!(f, "\n  cure: {}", self.cure)
    }
}
