//! The port of virus scanners.

mod clamd;

pub use clamd::Clamd;

use std::fmt;
use std::io;

use async_trait::async_trait;
use bytes::Bytes;

/// A virus scanner.
#[async_trait]
pub trait Scanner: Send + Sync + 'static {
    /// Begins a scan. Returns `None` if the scanner is busy: the file is then scanned once it has
    /// arrived.
    async fn try_begin(&self) -> Result<Option<Box<dyn Scan>>, ScanError>;

    /// Begins a scan, and waits while the scanner is busy.
    async fn begin(&self) -> Result<Box<dyn Scan>, ScanError>;

    /// Checks that the scanner responds.
    async fn check(&self) -> Result<(), ScanError>;

    /// Returns the size of the largest file that can be scanned.
    fn max_bytes(&self) -> u64;
}

/// A scan of one file, which receives the bytes as they arrive.
#[async_trait]
pub trait Scan: Send {
    /// Sends bytes to the scanner.
    async fn write(&mut self, bytes: Bytes) -> Result<(), ScanError>;

    /// Returns the verdict on all bytes so far.
    async fn finish(self: Box<Self>) -> Result<Verdict, ScanError>;
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
