//! Problems on the wire: `application/problem+json` (RFC 9457), or the format of the application.

use std::borrow::Cow;
use std::sync::Arc;

use doyen_core::problem::Plain;
use doyen_core::{Kind, Problem, ProblemInfo, Refusal, SecurityScheme};
use doyen_schema::{ProblemContract, ProblemView};
use http::{HeaderName, HeaderValue, StatusCode, header};
use serde::Serialize;

use crate::{Body, Response, RootPath, uri_reference};

/// The error behind a problem response. It is stored in the extensions of the response, for the log
/// and the layers of the application. The client never sees it.
#[derive(Clone)]
pub struct Cause(pub Arc<dyn Problem>);

/// The code that was sent to the client. It can differ from the code of the cause, because a
/// transient fault gets its own code.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Code(pub(crate) &'static str);

/// Returns the code of the problem in a response, whatever the format of its body; `None` if it is
/// no problem.
pub fn problem_code(response: &Response) -> Option<&'static str> {
    response.extensions().get::<Code>().map(|code| code.0)
}

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

/// How the problems of one application are written.
#[derive(Default)]
pub(crate) struct ProblemWriter {
    pub(crate) classifiers: Vec<Classifier>,
    /// Another format than RFC 9457.
    pub(crate) format: Option<ProblemContract>,
    pub(crate) root_path: RootPath,
}

impl ProblemWriter {
    /// Returns the response for a refusal.
    pub(crate) fn response(&self, refusal: &Refusal, instance: &str, request_id: &str) -> Response {
        let problem: &dyn Problem = &**refusal;
        let (info, retry_after) = effective(problem, &self.classifiers);
        let root = self.root_path.as_str();
        let instance = match instance.starts_with('/') && !root.is_empty() {
            true => format!("{root}{instance}").into(),
            false => Cow::Borrowed(instance),
        };
        let instance = uri_reference::encode(&instance);
        let view = ProblemView::new(problem, info, &instance, request_id);
        let (status, media_type, body) = match &self.format {
            Some(contract) => (
                contract.status(info),
                contract.format.media_type(),
                contract.format.body(&view),
            ),
            None => (
                info.kind.status(),
                PROBLEM_JSON,
                rfc_9457(problem, &view, root),
            ),
        };
        let mut response = Response::new(Body::whole(body));
        *response.status_mut() =
            StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(seconds) = retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        for (name, value) in problem.headers() {
            let name = HeaderName::try_from(name);
            if let (Ok(name), Ok(value)) = (name, HeaderValue::try_from(value)) {
                headers.insert(name, value);
            }
        }
        response.extensions_mut().insert(Code(info.code));
        response
    }

    /// Returns the response to a connection above the limit, for which there is no request.
    pub(crate) fn overloaded(&self, request_id: &str) -> Response {
        let detail = "The server has reached its maximum number of connections. Try again later.";
        let refusal = Plain::new(&OVERLOADED).detail(detail).into();
        self.response(&refusal, "", request_id)
    }
}

const PROBLEM_JSON: &str = "application/problem+json";

/// Returns the body of RFC 9457.
fn rfc_9457(problem: &dyn Problem, view: &ProblemView<'_>, root: &str) -> Vec<u8> {
    let info = view.info();
    let errors = view.failures().map(|failure| WireFailure {
        pointer: &failure.pointer,
        r#in: failure.place.as_str(),
        code: failure.code,
        message: &failure.message,
        params: &failure.params,
    });
    let wire = Wire {
        r#type: &format!("{root}/problems/{}", info.code),
        title: info.title,
        status: info.kind.status(),
        detail: &view.detail(),
        instance: view.instance(),
        code: info.code,
        request_id: view.request_id(),
        errors: errors.collect(),
        members: problem.members().into_iter().collect(),
    };
    serde_json::to_vec(&wire).unwrap_or_default()
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

/// The challenges of an application.
pub(crate) struct Challenges {
    /// Every scheme, for a 401.
    all: HeaderValue,
    /// True if it accepts access tokens: only they have scopes (RFC 6750 section 3.1).
    pub(crate) has_bearer: bool,
}

impl Challenges {
    /// Returns the challenges of these schemes. Without credentials they have no error code (RFC
    /// 6750 section 3).
    pub(crate) fn new(schemes: &[SecurityScheme]) -> Self {
        let mut all: Vec<String> = Vec::new();
        for challenge in schemes.iter().filter_map(SecurityScheme::challenge) {
            if !all.contains(&challenge) {
                all.push(challenge);
            }
        }
        // A 401 has a challenge (RFC 9110 section 15.5.2), whatever identifies callers.
        let value = HeaderValue::try_from(all.join(", ")).ok();
        Self {
            all: value
                .filter(|challenge| !challenge.is_empty())
                .unwrap_or_else(|| HeaderValue::from_static("Bearer realm=\"api\"")),
            has_bearer: schemes.is_empty() || schemes.iter().any(SecurityScheme::has_scopes),
        }
    }

    /// Returns the challenge of a problem: that of the application, or that of the scheme that the
    /// client used.
    pub(crate) fn of(&self, code: &str) -> HeaderValue {
        match code {
            "invalid_token" if self.has_bearer => {
                HeaderValue::from_static("Bearer realm=\"api\", error=\"invalid_token\"")
            }
            // RFC 6749 section 5.2.
            "invalid_client" => HeaderValue::from_static("Basic realm=\"api\""),
            _ => self.all.clone(),
        }
    }
}
