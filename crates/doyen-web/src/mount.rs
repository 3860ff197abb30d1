//! Mounts: any `tower` service below a path, with the policies of a route.

use std::net::SocketAddr;
use std::sync::Arc;

use doyen_core::inject::BoxFuture;
use doyen_core::{Refusal, Unexpected};
use http::{HeaderValue, Uri};

use crate::around::{Oneshot, oneshot};
use crate::extract::limited;
use crate::handler::{Endpoint, check_failures};
use crate::request::Request;
use crate::route::Route;
use crate::{Body, Response};

/// The method of a route that serves all methods.
pub(crate) const ANY_METHOD: &str = "*";

/// The peer address of a connection, as an extension of a request. A mounted service receives it,
/// and an application that is used as a `tower` service reads it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer(pub SocketAddr);

impl Route {
    /// Mounts a `tower` service below a path: an axum `Router`, a service of `tower-http`, another
    /// application. It gets every method and every path that no route matches, and sees the path
    /// without the prefix.
    ///
    /// It is a route with all policies of one: without `allow` the application does not start. The
    /// document does not describe it. The request has the extensions [`Peer`] and, if the caller is
    /// known, `Arc<Caller>`; its `X-Request-Id` is that of the response.
    ///
    /// ```
    /// use doyen_core::anyone;
    /// use doyen_web::{Module, Route, Service, Text};
    ///
    /// async fn hello() -> Text {
    ///     Text("hello".into())
    /// }
    ///
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// let route = Route::get("/hello").name("hello").allow(anyone).handler(hello);
    /// let other = Service::builder().module(Module::new("other").route(route)).build().unwrap();
    /// let mount = Route::mount("/other", other).allow(anyone);
    /// let service = Service::builder().module(Module::new("all").route(mount)).build().unwrap();
    /// let request = http::Request::get("/other/hello").body(doyen_web::Body::empty()).unwrap();
    /// assert_eq!(service.handle(request, None).await.status(), 200);
    /// # });
    /// ```
    pub fn mount(path: &str, service: impl Oneshot) -> Self {
        Self::subtree(ANY_METHOD, path, Arc::new(Mounted(service)))
    }

    /// A route for every path below this one.
    pub(crate) fn subtree(method: &'static str, path: &str, endpoint: Arc<dyn Endpoint>) -> Self {
        let path = match path.trim_end_matches('/') {
            "" => "/",
            path => path,
        };
        let letters = |one: char| {
            if one.is_ascii_alphanumeric() {
                one
            } else {
                '_'
            }
        };
        let name: String = path.chars().map(letters).collect();
        let mut route = Self::new(method, path)
            .hidden()
            .name(&format!("mount{name}"));
        route.subtree = true;
        route.endpoint = Some(endpoint);
        route
    }
}

/// Returns the patterns of a route for a whole subtree.
pub(crate) fn patterns(path: &str) -> Vec<String> {
    let below = path.trim_end_matches('/');
    let mut patterns = vec![format!("{below}/"), format!("{below}/{{*rest}}")];
    if !below.is_empty() {
        patterns.push(below.to_owned());
    }
    patterns
}

/// Returns the raw path below a mount: without the segments of its template, which can contain
/// parameters.
pub(crate) fn rest<'a>(path: &'a str, template: &str) -> &'a str {
    let segments = template.split('/').filter(|segment| !segment.is_empty());
    let mut rest = path;
    for _ in segments {
        let after = rest.strip_prefix('/').unwrap_or(rest);
        rest = after.find('/').map_or("", |at| &after[at..]);
    }
    rest
}

/// A mounted service.
struct Mounted<S>(S);

impl<S: Oneshot> Endpoint for Mounted<S> {
    fn call<'a>(&'a self, request: &'a mut Request) -> BoxFuture<'a, Result<Response, Refusal>> {
        Box::pin(async move {
            // A guard can have found some.
            check_failures(request)?;
            let inner = inner_request(request)?;
            Ok(oneshot(self.0.clone(), inner).await?)
        })
    }
}

/// Returns the request that a mounted service sees.
fn inner_request(request: &mut Request) -> Result<http::Request<Body>, Unexpected> {
    let parts = &mut request.parts;
    let mut head = parts.take_head();
    head.uri = inner_uri(head.uri, &parts.route.path)?;
    if let Ok(id) = HeaderValue::try_from(parts.request_id.as_str()) {
        head.headers.insert("x-request-id", id);
    }
    if let Some(peer) = parts.peer {
        head.extensions.insert(Peer(peer));
    }
    if let Some(caller) = parts.context.caller() {
        head.extensions.insert(Arc::clone(caller));
    }
    let body = std::mem::take(&mut request.body);
    let body = limited(body, parts.body_limits.max_bytes, parts.account.as_ref());
    Ok(http::Request::from_parts(head, body))
}

/// Removes the prefix of the mount. The rest is not decoded.
fn inner_uri(uri: Uri, template: &str) -> Result<Uri, Unexpected> {
    let rest = rest(uri.path(), template);
    let slash = if rest.starts_with('/') { "" } else { "/" };
    let target = match uri.query() {
        Some(query) => format!("{slash}{rest}?{query}"),
        None => format!("{slash}{rest}"),
    };
    let mut parts = uri.into_parts();
    parts.path_and_query = Some(target.try_into()?);
    Ok(Uri::from_parts(parts)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_prefix_is_removed_and_the_rest_stays_as_it_is() {
        let inner = |path: &str, template: &str| {
            inner_uri(path.parse().unwrap(), template)
                .unwrap()
                .to_string()
        };
        assert_eq!(inner("/old", "/old"), "/");
        assert_eq!(inner("/old/", "/old"), "/");
        assert_eq!(inner("/old?a=%2F", "/old"), "/?a=%2F");
        assert_eq!(inner("/old/a%2Fb//c/", "/old"), "/a%2Fb//c/");
        assert_eq!(inner("/%6Fld/x", "/old"), "/x");
        assert_eq!(inner("/t/7/files/x", "/t/{tenant}/files"), "/x");
        assert_eq!(inner("//x/y", "/"), "//x/y");
        assert_eq!(inner("http://h/old/x", "/old"), "http://h/x");
    }
}
