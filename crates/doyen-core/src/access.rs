//! Whether the work at hand may change anything.

/// What the method of a request promises (RFC 9110 section 9.2.1): a safe one reads, every other
/// one may write.
///
/// The edge says it; jobs and commands write unless they say otherwise. The Session reads it: with
/// `Read` its statements run on their own and a write is refused, with `Write` the first statement
/// begins a transaction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Access {
    /// GET, HEAD, OPTIONS: nothing changes.
    Read,
    /// Everything else.
    #[default]
    Write,
}
