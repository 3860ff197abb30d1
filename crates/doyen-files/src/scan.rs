//! The port of virus scanners.

mod clamd;

pub use clamd::Clamd;

use std::fmt;
use std::io;

use async_trait::async_trait;

use crate::store::Object;

/// A virus scanner.
#[async_trait]
pub trait Scanner: Send + Sync + 'static {
    /// Scans a file. Waits while the scanner is busy.
    async fn scan(&self, content: &dyn Object) -> Result<Verdict, ScanError>;

    /// Checks that the scanner responds.
    async fn check(&self) -> Result<(), ScanError>;

    /// Returns the size of the largest file that can be scanned.
    fn max_bytes(&self) -> u64;
}

/// The result of a scan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing was found.
    Clean,
    /// The name of what was found.
    Infected(String),
}

/// A scan without a verdict.
#[derive(Debug)]
pub enum ScanError {
    /// The file exceeds a limit of the scanner, so that it cannot be called clean.
    TooLarge,
    /// The scanner does not respond.
    Unavailable(io::Error),
}

impl fmt::Display for ScanError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            ScanError::TooLarge => "the file exceeds a limit of the virus scanner",
            ScanError::Unavailable(_) => "the virus scanner does not respond",
        })
    }
}

impl std::error::Error for ScanError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            ScanError::TooLarge => None,
            ScanError::Unavailable(cause) => Some(cause),
        }
    }
}

impl From<io::Error> for ScanError {
    fn from(error: io::Error) -> Self {
        ScanError::Unavailable(error)
    }
}
