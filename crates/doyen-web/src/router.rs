//! The router: from a path and a method to a route.

use std::sync::Arc;

use doyen_core::Refusal;
use doyen_core::problem::Plain;
use doyen_schema::input::text;

use crate::handler::Endpoint;
use crate::problem::UNKNOWN_PATH_TEXT;
use crate::route_info::RouteInfo;

/// Every route by its path. A lookup takes the same time for any number of routes.
pub(crate) struct Router {
    tree: matchit::Router<usize>,
    paths: Vec<PathEntry>,
}

/// A path and its routes.
#[derive(Default)]
struct PathEntry {
    routes: Vec<(&'static str, MountedRoute)>,
    allow: String,
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
    /// The path exists with other methods.
    OtherMethods {
        allow: &'a str,
    },
    None,
}

impl Router {
    /// Creates a router. Returns the path that it cannot accept, and why.
    pub(crate) fn new(routes: Vec<MountedRoute>) -> Result<Self, (String, matchit::InsertError)> {
        let mut tree = matchit::Router::new();
        let mut paths: Vec<(String, PathEntry)> = Vec::new();
        for route in routes {
            let path = route.info.path.clone();
            let method = route.info.method;
            match paths.iter_mut().find(|(known, _)| *known == path) {
                Some((_, entry)) => entry.routes.push((method, route)),
                None => paths.push((
                    path,
                    PathEntry {
                        routes: vec![(method, route)],
                        allow: String::new(),
                    },
                )),
            }
        }
        let mut entries = Vec::with_capacity(paths.len());
        for (path, mut entry) in paths {
            entry.allow = allow(&entry.routes);
            tree.insert(&path, entries.len())
                .map_err(|error| (path, error))?;
            entries.push(entry);
        }
        Ok(Self {
            tree,
            paths: entries,
        })
    }

    /// Returns every route.
    pub(crate) fn routes(&self) -> impl Iterator<Item = &RouteInfo> {
        let routes = self.paths.iter().flat_map(|entry| &entry.routes);
        routes.map(|(_, route)| &*route.info)
    }

    /// Returns the methods of a path as the value of `Allow`, or `None` if no route has the path.
    pub(crate) fn allow(&self, path: &str) -> Option<&str> {
        let matched = self.tree.at(path).ok()?;
        Some(&self.paths[*matched.value].allow)
    }

    /// Finds a route. HEAD finds the route for GET.
    pub(crate) fn find(&self, method: &str, path: &str) -> Result<RouteMatch<'_>, Refusal> {
        let Ok(matched) = self.tree.at(path) else {
            return Ok(RouteMatch::None);
        };
        let entry = &self.paths[*matched.value];
        let wanted = if method == "HEAD" { "GET" } else { method };
        let Some((_, route)) = entry.routes.iter().find(|(known, _)| *known == wanted) else {
            return Ok(RouteMatch::OtherMethods {
                allow: &entry.allow,
            });
        };
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

/// Returns the value of `Allow`: the methods of a path, HEAD with GET, and always OPTIONS.
fn allow(routes: &[(&'static str, MountedRoute)]) -> String {
    let mut methods: Vec<&str> = routes.iter().map(|(method, _)| *method).collect();
    if methods.contains(&"GET") {
        methods.push("HEAD");
    }
    if !methods.contains(&"OPTIONS") {
        methods.push("OPTIONS");
    }
    methods.join(", ")
}
