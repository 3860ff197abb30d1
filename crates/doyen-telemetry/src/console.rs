//! The console: a page on the admin address that shows what its other paths report. Its files are
//! embedded, and it loads nothing else.

use doyen_core::{Problem, anyone};
use doyen_macros::get;
use doyen_web::{Body, Response};
use http::{HeaderValue, header};

/// What the page may load: its own files, and the reports of the same address.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; \
     frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

const FILES: [(&str, &str, &str); 6] = [
    (
        "console.css",
        "text/css; charset=utf-8",
        include_str!("../assets/console.css"),
    ),
    (
        "console.js",
        "text/javascript; charset=utf-8",
        include_str!("../assets/console.js"),
    ),
    (
        "metrics.js",
        "text/javascript; charset=utf-8",
        include_str!("../assets/metrics.js"),
    ),
    (
        "dom.js",
        "text/javascript; charset=utf-8",
        include_str!("../assets/dom.js"),
    ),
    (
        "requests.js",
        "text/javascript; charset=utf-8",
        include_str!("../assets/requests.js"),
    ),
    (
        "operate.js",
        "text/javascript; charset=utf-8",
        include_str!("../assets/operate.js"),
    ),
];

/// Errors of the files of the page.
#[derive(Debug, Problem)]
pub(crate) enum FindFile {
    /// The page has no file of this name. Check the URL.
    #[problem(not_found, code = "not_found")]
    Missing,
}

/// The console.
#[get("/console", allow = anyone, hidden)]
pub(crate) async fn page() -> Response {
    response(
        "text/html; charset=utf-8",
        include_str!("../assets/console.html"),
    )
}

/// A script or style of the console.
#[get("/console/{file}", allow = anyone, hidden)]
pub(crate) async fn file(file: String) -> Result<Response, FindFile> {
    let found = FILES.iter().find(|(name, ..)| *name == file);
    let (_, media_type, text) = found.ok_or(FindFile::Missing)?;
    Ok(response(media_type, text))
}

fn response(media_type: &'static str, text: &'static str) -> Response {
    let mut response = Response::new(Body::whole(text));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    headers.insert(
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static(CONTENT_SECURITY_POLICY),
    );
    response
}
