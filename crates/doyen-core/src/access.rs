//! Read or write access of the current request.

/// It follows from the request method (RFC 9110 section 9.2.1): a safe method reads, every other
/// one may write.
///
/// The pipeline sets it; jobs and commands write unless they state otherwise. The Session uses it.
/// With `Read`, each statement runs on its own and a write is refused. With `Write`, the first
/// statement begins a transaction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Access {
    /// GET, HEAD, OPTIONS: no changes.
    Read,
    /// All other methods.
    #[default]
    Write,
}
