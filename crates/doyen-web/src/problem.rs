//! Problems on the wire: `application/problem+json` (RFC 9457).

use std::sync::Arc;

use doyen_core::{AuthScheme, Kind, Problem, ProblemInfo, Refusal};
use http::{HeaderValue, StatusCode, header};
use serde::Serialize;

use crate::{Body, Response, uri_reference};

/// The error behind a problem response. It is stored in the extensions of the response, for the log
/// and the layers of the application. The client never sees it.
#[derive(Clone)]
pub struct Cause(pub Arc<dyn Problem>);

/// The code that was sent to the client. It can differ from the code of the cause, because a
/// transient fault gets its own code.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Code(pub(crate) &'static str);

impl std::fmt::Debug for Cause {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

macro_rules! problems {
    ($($(#[doc = $doc:literal])* $name:ident = $code:literal, $kind:ident, $title:literal, $description:literal;)*) => {
        $($(#[doc = $doc])* pub(crate) static $name: ProblemInfo =
            ProblemInfo { code: $code, kind: Kind::$kind, title: $title, description: $description };)*
    };
}

problems! {
    NOT_FOUND = "not_found", NotFound, "Not Found", "No route matches this path. Check the URL.";
    METHOD = "method_not_allowed", MethodNotAllowed, "Method Not Allowed", "The resource does not support this method. `Allow` lists the supported methods.";
    TIMEOUT = "timeout", Unavailable, "Timeout", "The request exceeded the time limit of this route. Nothing was changed. Try again later.";
    OVERLOADED = "overloaded", Unavailable, "Overloaded", "The server is at capacity for connections or requests. The request was not processed. Retry after the number of seconds in `Retry-After`.";
    URI_TOO_LONG = "uri_too_long", UriTooLong, "URI Too Long", "The path and query of the request exceed the maximum length. Send a shorter URL.";
    HEADERS_TOO_LARGE = "headers_too_large", HeadersTooLarge, "Request Header Fields Too Large", "The request has too many headers, or they are too large. The connection is closed. Send fewer or shorter headers.";
    HEADER_TIMEOUT = "header_timeout", RequestTimeout, "Request Timeout", "The request header did not arrive in time. The connection is closed. Open a new connection and try again.";
    MALFORMED_REQUEST = "malformed_request", Malformed, "Malformed Request", "The request header is malformed or ambiguous. `detail` says what is wrong. The connection is closed.";
    MISDIRECTED = "misdirected_request", Misdirected, "Misdirected Request", "This server does not serve the host of the request. Check the URL and the DNS name that points to this server.";
    UNKNOWN_PATH_TEXT = "malformed_path", Malformed, "Malformed Path", "The path has invalid percent-encoding or is not UTF-8. Correct the path.";
}

/// Returns the problems that the edge itself can return on any route.
pub(crate) fn edge_problems() -> Vec<&'static ProblemInfo> {
    vec![
        &NOT_FOUND,
        &METHOD,
        &TIMEOUT,
        &OVERLOADED,
        &URI_TOO_LONG,
        &HEADERS_TOO_LARGE,
        &HEADER_TIMEOUT,
        &MALFORMED_REQUEST,
        &MISDIRECTED,
        &UNKNOWN_PATH_TEXT,
    ]
}

#[derive(Serialize)]
struct Wire<'a> {
    r#type: &'a str,
    title: &'a str,
    status: u16,
    detail: &'a str,
    instance: &'a str,
    code: &'a str,
    request_id: &'a str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<WireFailure<'a>>,
    #[serde(flatten)]
    members: std::collections::BTreeMap<&'static str, serde_json::Value>,
}

#[derive(Serialize)]
struct WireFailure<'a> {
    pointer: &'a str,
    r#in: &'static str,
    code: &'static str,
    message: &'a str,
    params: &'a serde_json::Map<String, serde_json::Value>,
}

/// Returns the problem to send for an error, if it differs from that of the error itself. The data
/// layer uses it for transient faults.
pub type Classifier = fn(&(dyn std::error::Error + 'static)) -> Option<&'static ProblemInfo>;

/// Returns the response for a refusal.
pub(crate) fn response(
    refusal: &Refusal,
    instance: &str,
    request_id: &str,
    classifiers: &[Classifier],
) -> Response {
    let problem: &dyn Problem = &**refusal;
    let (info, retry_after) = effective(problem, classifiers);
    let detail = problem
        .detail()
        .unwrap_or_else(|| info.description.to_owned());
    let errors = problem
        .failures()
        .into_iter()
        .flatten()
        .map(|failure| WireFailure {
            pointer: &failure.pointer,
            r#in: failure.place.as_str(),
            code: failure.code,
            message: &failure.message,
            params: &failure.params,
        });
    let wire = Wire {
        r#type: &format!("/problems/{}", info.code),
        title: info.title,
        status: info.kind.status(),
        detail: &detail,
        instance: &uri_reference::encode(instance),
        code: info.code,
        request_id,
        errors: errors.collect(),
        members: problem.members().into_iter().collect(),
    };
    let body = serde_json::to_vec(&wire).unwrap_or_default();
    let mut response = Response::new(Body::whole(body));
    *response.status_mut() =
        StatusCode::from_u16(info.kind.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/problem+json"),
    );
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Some(seconds) = retry_after {
        headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    response.extensions_mut().insert(Code(info.code));
    response
}

/// Returns the problem to send. An internal fault that a classifier recognizes as transient becomes
/// a 503 with a retry time.
fn effective(
    problem: &dyn Problem,
    classifiers: &[Classifier],
) -> (&'static ProblemInfo, Option<u32>) {
    let info = problem.info();
    if info.kind == Kind::Internal
        && let Some(cause) = problem.cause()
        && let Some(better) = classifiers.iter().find_map(|classify| classify(cause))
    {
        return (better, Some(1));
    }
    let retry = problem
        .retry_after()
        .or_else(|| (info.kind == Kind::Unavailable).then_some(1));
    (info, retry)
}

/// Returns the challenge with these schemes. Without credentials it has no error code (RFC 6750
/// section 3).
pub(crate) fn challenge(schemes: &[AuthScheme]) -> HeaderValue {
    let one = |scheme: &AuthScheme| format!("{} realm=\"api\"", scheme.as_str());
    let all: Vec<String> = schemes.iter().map(one).collect();
    // A 401 has a challenge (RFC 9110 section 15.5.2), whatever identifies callers.
    HeaderValue::try_from(all.join(", "))
        .ok()
        .filter(|challenge| !challenge.is_empty())
        .unwrap_or_else(|| HeaderValue::from_static("Bearer realm=\"api\""))
}

/// Returns the challenge of a problem: that of the application, or that of the scheme that the
/// client used.
pub(crate) fn challenge_of(code: &str, all: &HeaderValue) -> HeaderValue {
    match code {
        "invalid_token" => {
            HeaderValue::from_static("Bearer realm=\"api\", error=\"invalid_token\"")
        }
        // RFC 6749 section 5.2.
        "invalid_client" => HeaderValue::from_static("Basic realm=\"api\""),
        _ => all.clone(),
    }
}
