//! CORS: which pages of other origins may call the API and read responses (WHATWG Fetch section
//! 3.3).
//!
//! CORS is not access control: clients other than browsers ignore it. The header
//! `Cross-Origin-Resource-Policy: same-origin` on every response does not conflict with it, because
//! browsers apply that header only to requests without CORS, such as images.

use http::{HeaderValue, Method, StatusCode, header};

use crate::Response;
use crate::options::Cors;

const TRUE: HeaderValue = HeaderValue::from_static("true");

/// A request from a page of an allowed origin.
pub(super) struct CorsRequest {
    /// The value of `Access-Control-Allow-Origin`.
    origin: HeaderValue,
    /// True if the browser only asks which methods and headers it may send.
    pub(super) is_preflight: bool,
}

/// Returns the CORS part of a request. Most requests have none, which takes one lookup.
pub(super) fn request(cors: Option<&Cors>, head: &http::request::Parts) -> Option<CorsRequest> {
    let cors = cors?;
    let mut origins = head.headers.get_all(header::ORIGIN).iter();
    let origin = cors.allows(origins.next()?)?;
    // Browsers send exactly one origin.
    if origins.next().is_some() {
        return None;
    }
    let is_preflight = head.method == Method::OPTIONS
        && head
            .headers
            .contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
    Some(CorsRequest {
        origin,
        is_preflight,
    })
}

/// Sets the headers, also on errors, so that the page can read them. Replaces those of the route:
/// duplicates would be invalid.
pub(super) fn apply(cors: Option<&Cors>, request: Option<CorsRequest>, response: &mut Response) {
    let (Some(cors), Some(request)) = (cors, request) else {
        return;
    };
    // A path that does not exist has no methods to allow. The preflight gets a 404 then.
    let is_granted = request.is_preflight && response.status() == StatusCode::NO_CONTENT;
    let headers = response.headers_mut();
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, request.origin);
    if cors.credentials {
        headers.insert(header::ACCESS_CONTROL_ALLOW_CREDENTIALS, TRUE);
    }
    if !is_granted {
        let names = cors.response_headers.clone();
        headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, names);
        return;
    }
    if let Some(methods) = headers.get(header::ALLOW).cloned() {
        headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, methods);
    }
    let names = cors.request_headers.clone();
    headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, names);
    headers.insert(header::ACCESS_CONTROL_MAX_AGE, cors.max_age.clone());
}
