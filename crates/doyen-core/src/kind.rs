//! The kinds of failure.
//!
//! A domain uses kinds ("not found", "conflict"); the server maps a kind to an HTTP status. A kind
//! is never a success, so an error cannot become a 200.

/// The kind of a [`Problem`](crate::Problem).
///
/// ```
/// use doyen_core::Kind;
///
/// assert_eq!(Kind::NotFound.status(), 404);
/// assert_eq!(Kind::Conflict.title(), "Conflict");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// The request is malformed: wrong syntax, a forged cursor.
    Malformed,
    /// The caller is not logged in, or the credentials are invalid.
    Unauthenticated,
    /// The caller is not permitted.
    Forbidden,
    /// The resource does not exist, or the caller may not know of it.
    NotFound,
    /// The path exists, the method does not.
    MethodNotAllowed,
    /// None of the accepted media types can be produced.
    NotAcceptable,
    /// The client took too long to send its request.
    RequestTimeout,
    /// The request conflicts with the current state of the resource.
    Conflict,
    /// The resource was removed permanently.
    Gone,
    /// An `If-Match` or `If-None-Match` condition does not hold.
    PreconditionFailed,
    /// The body is larger than the route allows.
    TooLarge,
    /// The path and query are longer than the server allows.
    UriTooLong,
    /// The route does not accept the media type of the body.
    UnsupportedMediaType,
    /// The requested range is outside of the content.
    RangeNotSatisfiable,
    /// The request is meant for another host.
    Misdirected,
    /// The request is well-formed, but its values are invalid.
    Invalid,
    /// The route requires an `If-Match` header.
    PreconditionRequired,
    /// The caller sent too many requests.
    TooManyRequests,
    /// The headers are larger than the server allows.
    HeadersTooLarge,
    /// A failure of the service itself.
    Internal,
    /// The service, or one of its dependencies, is temporarily unavailable.
    Unavailable,
}

impl Kind {
    /// Returns the HTTP status: always 4xx or 5xx.
    pub const fn status(self) -> u16 {
        match self {
            Kind::Malformed => 400,
            Kind::Unauthenticated => 401,
            Kind::Forbidden => 403,
            Kind::NotFound => 404,
            Kind::MethodNotAllowed => 405,
            Kind::NotAcceptable => 406,
            Kind::RequestTimeout => 408,
            Kind::Conflict => 409,
            Kind::Gone => 410,
            Kind::PreconditionFailed => 412,
            Kind::TooLarge => 413,
            Kind::UriTooLong => 414,
            Kind::UnsupportedMediaType => 415,
            Kind::RangeNotSatisfiable => 416,
            Kind::Misdirected => 421,
            Kind::Invalid => 422,
            Kind::PreconditionRequired => 428,
            Kind::TooManyRequests => 429,
            Kind::HeadersTooLarge => 431,
            Kind::Internal => 500,
            Kind::Unavailable => 503,
        }
    }

    /// Returns the usual title, as in RFC 9110 and RFC 6585.
    pub const fn title(self) -> &'static str {
        match self {
            Kind::Malformed => "Bad Request",
            Kind::Unauthenticated => "Unauthorized",
            Kind::Forbidden => "Forbidden",
            Kind::NotFound => "Not Found",
            Kind::MethodNotAllowed => "Method Not Allowed",
            Kind::NotAcceptable => "Not Acceptable",
            Kind::RequestTimeout => "Request Timeout",
            Kind::Conflict => "Conflict",
            Kind::Gone => "Gone",
            Kind::PreconditionFailed => "Precondition Failed",
            Kind::TooLarge => "Content Too Large",
            Kind::UriTooLong => "URI Too Long",
            Kind::UnsupportedMediaType => "Unsupported Media Type",
            Kind::RangeNotSatisfiable => "Range Not Satisfiable",
            Kind::Misdirected => "Misdirected Request",
            Kind::Invalid => "Unprocessable Content",
            Kind::PreconditionRequired => "Precondition Required",
            Kind::TooManyRequests => "Too Many Requests",
            Kind::HeadersTooLarge => "Request Header Fields Too Large",
            Kind::Internal => "Internal Server Error",
            Kind::Unavailable => "Service Unavailable",
        }
    }

    /// True for failures of the service (5xx), false for those of the request (4xx).
    pub const fn is_fault(self) -> bool {
        matches!(self, Kind::Internal | Kind::Unavailable)
    }
}
