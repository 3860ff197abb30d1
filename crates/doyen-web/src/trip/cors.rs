//! Pages of other origins (CORS, WHATWG Fetch section 3.3): which may call, and read the answer.
//!
//! It keeps nobody out: whoever is no browser sends what it likes. It only tells browsers which pages may read an answer.
//! `Cross-Origin-Resource-Policy: same-origin`, which every answer carries, is no contradiction: browsers look at it where a page does not
//! ask for CORS, such as for an image.

use http::{HeaderValue, Method, StatusCode, header};

use crate::Response;
use crate::service::Cors;

const TRUE: HeaderValue = HeaderValue::from_static("true");

/// What the browser of a page that may call asks.
pub(super) struct Asked {
    /// What the answer says of the page's origin.
    origin: HeaderValue,
    /// Whether it only asks which methods and header fields it may send.
    pub(super) preflight: bool,
}

/// Reads the question. Most requests have none: one look-up then.
pub(super) fn ask(cors: Option<&Cors>, head: &http::request::Parts) -> Option<Asked> {
    let cors = cors?;
    let mut origins = head.headers.get_all(header::ORIGIN).iter();
    let origin = cors.allows(origins.next()?)?;
    // Two origins are nobody's: browsers send one.
    if origins.next().is_some() {
        return None;
    }
    let preflight = head.method == Method::OPTIONS
        && head
            .headers
            .contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
    Some(Asked { origin, preflight })
}

/// Writes the fields, on errors too: a page must be able to read why. They replace what a route wrote by hand, since two make none.
pub(super) fn apply(cors: Option<&Cors>, asked: Option<Asked>, response: &mut Response) {
    let (Some(cors), Some(asked)) = (cors, asked) else {
        return;
    };
    // An address that does not exist has no methods to allow: the preflight is a 404 like any other then.
    let granted = asked.preflight && response.status() == StatusCode::NO_CONTENT;
    let headers = response.headers_mut();
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, asked.origin);
    if cors.credentials {
        headers.insert(header::ACCESS_CONTROL_ALLOW_CREDENTIALS, TRUE);
    }
    if !granted {
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
