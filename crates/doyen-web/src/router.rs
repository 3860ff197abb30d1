//! From a path and a method to a route.

use std::sync::Arc;

use doyen_core::Refusal;
use doyen_core::problem::Plain;
use doyen_schema::input::text;

use crate::problem::UNKNOWN_PATH_TEXT;
use crate::route::Entry;

/// Every route by its path: one look-up, whatever their number.
pub(crate) struct Router {
    tree: matchit::Router<usize>,
    places: Vec<Place>,
}

/// One path and the routes on it.
#[derive(Default)]
struct Place {
    routes: Vec<(&'static str, Arc<Entry>)>,
    allow: String,
}

/// What a look-up finds.
pub(crate) enum Found<'a> {
    Route {
        entry: &'a Arc<Entry>,
        path_values: Vec<(Arc<str>, String)>,
    },
    OtherMethods {
        allow: &'a str,
    },
    Nothing,
}

impl Router {
    pub(crate) fn new(entries: Vec<Arc<Entry>>) -> Result<Self, (String, matchit::InsertError)> {
        let mut tree = matchit::Router::new();
        let mut paths: Vec<(String, Place)> = Vec::new();
        for entry in entries {
            let path = entry.operation.path.clone();
            let method = entry.operation.method;
            match paths.iter_mut().find(|(known, _)| *known == path) {
                Some((_, place)) => place.routes.push((method, entry)),
                None => paths.push((
                    path,
                    Place {
                        routes: vec![(method, entry)],
                        allow: String::new(),
                    },
                )),
            }
        }
        let mut places = Vec::with_capacity(paths.len());
        for (path, mut place) in paths {
            place.allow = allow(&place.routes);
            tree.insert(&path, places.len())
                .map_err(|error| (path, error))?;
            places.push(place);
        }
        Ok(Self { tree, places })
    }

    /// Every route.
    pub(crate) fn entries(&self) -> impl Iterator<Item = &Arc<Entry>> {
        self.places
            .iter()
            .flat_map(|place| place.routes.iter().map(|(_, entry)| entry))
    }

    /// The methods of a path, if there is anything at it.
    pub(crate) fn allow(&self, path: &str) -> Option<&str> {
        let matched = self.tree.at(path).ok()?;
        Some(&self.places[*matched.value].allow)
    }

    /// HEAD finds the route of GET.
    pub(crate) fn find(&self, method: &str, path: &str) -> Result<Found<'_>, Refusal> {
        let Ok(matched) = self.tree.at(path) else {
            return Ok(Found::Nothing);
        };
        let place = &self.places[*matched.value];
        let wanted = if method == "HEAD" { "GET" } else { method };
        let Some((_, entry)) = place.routes.iter().find(|(known, _)| *known == wanted) else {
            return Ok(Found::OtherMethods {
                allow: &place.allow,
            });
        };
        let mut path_values = Vec::with_capacity(matched.params.len());
        for (name, value) in matched.params.iter() {
            let Ok(value) = text::segment(value) else {
                return Err(Plain::new(&UNKNOWN_PATH_TEXT).into());
            };
            path_values.push((Arc::from(name), value.into_owned()));
        }
        Ok(Found::Route { entry, path_values })
    }
}

/// The value of `Allow`: the methods of a path, HEAD with GET, OPTIONS always.
fn allow(routes: &[(&'static str, Arc<Entry>)]) -> String {
    let mut methods: Vec<&str> = routes.iter().map(|(method, _)| *method).collect();
    if methods.contains(&"GET") {
        methods.push("HEAD");
    }
    if !methods.contains(&"OPTIONS") {
        methods.push("OPTIONS");
    }
    methods.join(", ")
}
