//! Why a request is rejected.

use std::ops::Range;

/// A violation in a request head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeadError {
    /// The head violates the grammar or is ambiguous. The text says how.
    Malformed(&'static str),
    /// The request line is longer than the maximum length of a head.
    UriTooLong,
    /// The headers are too many or too long. The text says which.
    HeadersTooLarge(&'static str),
}

/// A head that is rejected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidHead {
    /// What is wrong with it.
    pub error: HeadError,
    /// Position of its request line, if that is valid.
    pub request_line: Option<Range<usize>>,
}

/// Why the bytes after those that were accepted are rejected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FramingError {
    /// A head is invalid. The request can still get an error response.
    Head(InvalidHead),
    /// The framing of a body is invalid. Its request is already being processed.
    Body(&'static str),
}

pub(crate) type Result<T> = std::result::Result<T, HeadError>;

/// Returns the error for a malformed head.
pub(crate) const fn malformed<T>(why: &'static str) -> Result<T> {
    Err(HeadError::Malformed(why))
}
