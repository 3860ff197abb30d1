//! The router: from a path and a method to a route.

use std::borrow::Cow;
use std::sync::Arc;

use doyen_core::Refusal;
use doyen_core::problem::Plain;
use doyen_schema::input::text;

use crate::handler::Endpoint;
use crate::mount::{self, ANY_METHOD};
use crate::problem::UNKNOWN_PATH_TEXT;
use crate::route_info::RouteInfo;

/// The methods that a mount can have, for `Allow`.
const MOUNT_METHODS: [&str; 5] = ["GET", "POST", "PUT", "PATCH", "DELETE"];

/// Every route by method and path. A lookup takes the same time for any number of routes.
///
/// Each method has a tree of its own, because the most specific path can lack a method that a less
/// specific one has: `DELETE /users/{id}` next to `GET /users/me`.
pub(crate) struct Router {
    trees: Vec<(&'static str, matchit::Router<usize>)>,
    routes: Vec<MountedRoute>,
}

/// A route in the router.
pub(crate) struct MountedRoute {
    pub(crate) info: Arc<RouteInfo>,
    pub(crate) endpoint: Arc<dyn Endpoint>,
}

/// The result of a lookup.
pub(crate) enum RouteMatch<'a> {
    Route {
        route: &'a MountedRoute,
        path_values: Vec<(Arc<str>, String)>,
    },
    /// The path exists with other methods: the value of `Allow`.
    OtherMethods {
        allow: String,
    },
    None,
}

impl Router {
    /// Creates a router. Returns the path that it cannot accept, and why.
    pub(crate) fn new(routes: Vec<MountedRoute>) -> Result<Self, (String, matchit::InsertError)> {
        // Ambiguous paths are a mistake even if their methods differ: the OpenAPI document cannot
        // contain both.
        let mut paths = matchit::Router::new();
        let mut known: Vec<String> = Vec::new();
        let mut trees: Vec<(&'static str, matchit::Router<usize>)> = Vec::new();
        for (index, route) in routes.iter().enumerate() {
            let path = route.info.path.as_str();
            let failed = |error| (path.to_owned(), error);
            let patterns = match route.info.subtree {
                true => mount::patterns(path),
                false => vec![path.to_owned()],
            };
            let method = route.info.method;
            if !trees.iter().any(|(known, _)| *known == method) {
                trees.push((method, matchit::Router::new()));
            }
            let tree = trees.iter_mut().find(|(known, _)| *known == method);
            let (_, tree) = tree.expect("it was added");
            for pattern in patterns {
                tree.insert(pattern.as_str(), index).map_err(failed)?;
                if !known.contains(&pattern) {
                    paths.insert(pattern.as_str(), ()).map_err(failed)?;
                    known.push(pattern);
                }
            }
        }
        Ok(Self { trees, routes })
    }

    /// Returns every route.
    pub(crate) fn routes(&self) -> impl Iterator<Item = &RouteInfo> {
        self.routes.iter().map(|route| &*route.info)
    }

    /// Returns the value of `Allow` for a path, or `None` if no route has the path: the methods in
    /// the order of their routes, HEAD with GET, and always OPTIONS.
    pub(crate) fn allow(&self, path: &str) -> Option<String> {
        let path = normalize(path);
        let found = self.trees.iter();
        let found = found.filter_map(|(method, tree)| Some((*tree.at(&path).ok()?.value, *method)));
        let mut found: Vec<(usize, &str)> = found.collect();
        if found.is_empty() {
            return None;
        }
        found.sort_unstable();
        let mut methods: Vec<&str> = found.into_iter().map(|(_, method)| method).collect();
        if methods.contains(&ANY_METHOD) {
            methods = MOUNT_METHODS.to_vec();
        }
        if methods.contains(&"GET") {
            methods.push("HEAD");
        }
        if !methods.contains(&"OPTIONS") {
            methods.push("OPTIONS");
        }
        Some(methods.join(", "))
    }

    /// Returns the tree of the routes for all methods.
    fn mounts(&self) -> Option<&matchit::Router<usize>> {
        let tree = self.trees.iter().find(|(known, _)| *known == ANY_METHOD);
        tree.map(|(_, tree)| tree)
    }

    /// Finds a route. HEAD finds the route for GET.
    pub(crate) fn find(&self, method: &str, path: &str) -> Result<RouteMatch<'_>, Refusal> {
        let wanted = if method == "HEAD" { "GET" } else { method };
        let tree = self.trees.iter().find(|(known, _)| *known == wanted);
        let normalized = normalize(path);
        let matched = tree.and_then(|(_, tree)| tree.at(&normalized).ok());
        // A mount gets what no route of the method matches.
        let matched = matched.or_else(|| self.mounts()?.at(&normalized).ok());
        let Some(matched) = matched else {
            return Ok(match self.allow(path) {
                Some(allow) => RouteMatch::OtherMethods { allow },
                None => RouteMatch::None,
            });
        };
        let route = &self.routes[*matched.value];
        let mut path_values = Vec::with_capacity(matched.params.len());
        for (name, value) in matched.params.iter() {
            let Ok(value) = text::segment(value) else {
                return Err(Plain::new(&UNKNOWN_PATH_TEXT).into());
            };
            path_values.push((Arc::from(name), value.into_owned()));
        }
        Ok(RouteMatch::Route { route, path_values })
    }
}

/// Decodes the characters that mean the same with and without percent-encoding (RFC 3986 section
/// 6.2.2.2). Reserved characters and `%` stay encoded: `%2F` does not separate segments, and a
/// value is decoded once. A path that is malformed or not UTF-8 is returned as it is.
fn normalize(path: &str) -> Cow<'_, str> {
    if !path.contains('%') {
        return path.into();
    }
    let mut bytes = Vec::with_capacity(path.len());
    let mut rest = path.as_bytes();
    while let [first, after @ ..] = rest {
        let (byte, length) = match (first, after) {
            (b'%', [high, low, ..]) => match (hex(*high), hex(*low)) {
                (Some(high), Some(low)) if !is_reserved(high << 4 | low) => (high << 4 | low, 3),
                _ => (b'%', 1),
            },
            _ => (*first, 1),
        };
        bytes.push(byte);
        rest = &rest[length..];
    }
    String::from_utf8(bytes).map_or(Cow::Borrowed(path), Cow::Owned)
}

fn hex(digit: u8) -> Option<u8> {
    let value = char::from(digit).to_digit(16)?;
    u8::try_from(value).ok()
}

fn is_reserved(byte: u8) -> bool {
    b"%:/?#[]@!$&'()*+,;=".contains(&byte)
}
