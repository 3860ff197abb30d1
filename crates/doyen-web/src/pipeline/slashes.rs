//! Paths with a slash too many or too few at their end.

use http::{HeaderValue, StatusCode, header};

use crate::router::{RouteMatch, Router};
use crate::{Body, Response};

/// Returns the path and query of the same resource with or without a slash at the end, if a route
/// has it and redirects to it.
pub(super) fn other_path(router: &Router, head: &http::request::Parts) -> Option<HeaderValue> {
    let path = head.uri.path();
    // `//host` in `Location` would lead to another host.
    if path == "/" || path.starts_with("//") {
        return None;
    }
    let other = match path.strip_suffix('/') {
        Some(shorter) => shorter.to_owned(),
        None => format!("{path}/"),
    };
    let RouteMatch::Route { route, .. } = router.find(head.method.as_str(), &other).ok()? else {
        return None;
    };
    if !route.info.strictness.redirects_slashes() {
        return None;
    }
    let location = match head.uri.query() {
        Some(query) => format!("{other}?{query}"),
        None => other,
    };
    HeaderValue::try_from(location).ok()
}

/// Returns the redirect: 307, so that the method and the body stay.
pub(super) fn redirect(location: HeaderValue) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::TEMPORARY_REDIRECT;
    response.headers_mut().insert(header::LOCATION, location);
    response
}
