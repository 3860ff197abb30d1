//! Errors of commands, and their exit codes.

use std::fmt;
use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;

/// The result of a command.
pub(crate) type Result<T = ()> = std::result::Result<T, Failure>;

/// A failed command: what is wrong, and what to do.
#[derive(Debug)]
pub(crate) struct Failure {
    message: String,
    help: Option<String>,
    code: u8,
}

impl Failure {
    /// Something that the command needs is missing or broken. Exit code 1.
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            help: None,
            code: 1,
        }
    }

    /// A wrong argument. Exit code 2, as for every mistake on the command line.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self {
            code: 2,
            ..Self::new(message)
        }
    }

    /// A file that could not be read or written.
    pub(crate) fn file(what: &str, path: &Path, error: &std::io::Error) -> Self {
        Self::new(format!("cannot {what} {}: {error}", path.display()))
    }

    /// Says what to do.
    #[must_use]
    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Prints the error and returns its exit code.
    pub(crate) fn report(&self) -> ExitCode {
        // Nothing can be done about a closed output.
        let _ = writeln!(std::io::stderr().lock(), "{self}");
        ExitCode::from(self.code)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "error: {}", self.message)?;
        match &self.help {
            Some(help) => write!(f, "\n  help: {help}"),
            None => Ok(()),
        }
    }
}

/// Prints a line of output.
pub(crate) fn say(text: &str) {
    // A closed reader (`| head`) is no failure of the command.
    let _ = writeln!(std::io::stdout().lock(), "{text}");
}
