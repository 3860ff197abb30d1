//! The error type of the tools: one message with the whole chain of causes.
//!
//! No caller distinguishes errors, so there are no variants: `?` turns any error into text.

use std::fmt;

/// A result whose error is a [`Failure`].
pub type Result<T = ()> = std::result::Result<T, Failure>;

/// A message that says what failed and, if known, what to do.
#[derive(Debug)]
pub struct Failure(String);

impl Failure {
    /// Creates a failure with this message.
    pub fn new(message: impl Into<String>) -> Self {
        Self(message.into())
    }

    /// Returns an error with a heading and one finding per line, if there are findings.
    ///
    /// # Errors
    ///
    /// Returns an error unless `findings` is empty.
    pub fn unless_empty(heading: &str, findings: &[String]) -> Result {
        if findings.is_empty() {
            return Ok(());
        }
        let lines: String = findings
            .iter()
            .map(|finding| format!("\n  {finding}"))
            .collect();
        Err(Self(format!("{heading} ({}):{lines}", findings.len())))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

impl<E: std::error::Error> From<E> for Failure {
    fn from(error: E) -> Self {
        let mut text = error.to_string();
        let mut cause = error.source();
        while let Some(next) = cause {
            text = format!("{text}: {next}");
            cause = next.source();
        }
        Self(text)
    }
}

/// Adds the failed operation to an error.
pub trait Context<T> {
    /// Puts a description of the operation before the error.
    ///
    /// # Errors
    ///
    /// Returns the error of `self`.
    fn context(self, doing: impl FnOnce() -> String) -> Result<T>;
}

impl<T, E: Into<Failure>> Context<T> for std::result::Result<T, E> {
    /// Puts a description of the operation before the error.
    ///
    /// # Errors
    ///
    /// Returns the error of `self`.
    fn context(self, doing: impl FnOnce() -> String) -> Result<T> {
        self.map_err(|error| Failure(format!("{}: {}", doing(), error.into())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn findings_are_counted_and_listed() {
        assert!(Failure::unless_empty("ranks", &[]).is_ok());
        let failure = Failure::unless_empty("ranks", &["a".into(), "b".into()]).unwrap_err();
        assert_eq!(failure.to_string(), "ranks (2):\n  a\n  b");
    }

    #[test]
    fn context_precedes_the_cause() {
        let failure = std::fs::read("/no/such/file")
            .context(|| "reading the list".into())
            .unwrap_err();
        assert!(
            failure
                .to_string()
                .starts_with("reading the list: No such file"),
            "{failure}"
        );
    }
}
