//! Requests that the server rejects because of their head.

use doyen_http1::HeadError;

/// Why a request is rejected. The server stores it in the extensions of the request, and the
/// pipeline turns it into a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RejectedHead {
    /// The head is malformed, ambiguous or too large.
    Invalid(HeadError),
    /// The head did not arrive in time.
    Timeout,
    /// The client speaks HTTP where the server expects TLS.
    #[cfg(feature = "tls")]
    NotTls,
    /// The client does not read the responses on this connection.
    UnreadResponses,
}
