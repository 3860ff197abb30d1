//! Links to other routes, identified by the route's value. A link is included only if the caller
//! may follow it.

use std::any::TypeId;
use std::collections::{BTreeMap, HashMap};
use std::fmt::Display;
use std::sync::Arc;

use doyen_core::inject::{Context, Inject, Node};
use doyen_core::{Allow, Caller, Refusal};
use doyen_schema::{Components, Output, Schema};
use serde::Serialize;
use serde_json::json;

/// A route that can be linked to: the value that a route attribute such as `#[get]` generates for
/// the handler.
pub trait Linked: 'static {}

/// A link to a related operation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Link {
    /// URL of the operation.
    pub href: String,
    /// HTTP method, if it is not `GET`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub method: Option<&'static str>,
}

#[diagnostic::do_not_recommend]
impl Output for Link {
    fn schema(components: &mut Components) -> Schema {
        components.define::<Self>(doyen_schema::Direction::Output, "Link", |_| {
            Schema::of("object")
                .with("description", "A link to a related operation.")
                .with(
                    "properties",
                    json!({
                        "href": {"type": "string", "format": "uri-reference", "maxLength": 2048, "description": "URL of the operation."},
                        "method": {"type": "string", "enum": ["POST", "PUT", "PATCH", "DELETE"], "description": "HTTP method, if it is not `GET`."},
                    }),
                )
                .with("required", json!(["href"]))
                .with("additionalProperties", false)
        })
    }
}

/// Links by relation: the type of a `_links` field.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct LinkMap(BTreeMap<&'static str, Link>);

impl LinkMap {
    /// Returns the URL of a relation.
    pub fn href(&self, rel: &str) -> Option<&str> {
        self.0.get(rel).map(|link| link.href.as_str())
    }
}

#[diagnostic::do_not_recommend]
impl Output for LinkMap {
    fn schema(components: &mut Components) -> Schema {
        let link = Link::schema(components);
        Schema::of("object")
            .with(
                "description",
                "Operations that are available to the caller, by link relation.",
            )
            .with("additionalProperties", link.into_json())
    }
}

/// The path and the access policy of each linked route.
#[derive(Debug, Default)]
pub struct RouteTable {
    routes: HashMap<TypeId, Target>,
}

#[derive(Debug)]
struct Target {
    method: &'static str,
    path: String,
    allow: Allow,
}

impl RouteTable {
    /// Adds a route by its public path.
    pub(crate) fn add(&mut self, id: TypeId, method: &'static str, path: String, allow: Allow) {
        self.routes.insert(
            id,
            Target {
                method,
                path,
                allow,
            },
        );
    }

    /// Returns the URL of a route with these path parameters in order, or `None` if it is not
    /// mounted.
    pub fn path<R: Linked>(&self, values: &[&dyn Display]) -> Option<String> {
        self.routes
            .get(&TypeId::of::<R>())
            .map(|target| fill(&target.path, values))
    }
}

/// Creates links for the caller of the request. Declare it as a parameter of the handler.
///
/// ```text
/// let links = links.map().to::<show>("self", &[&ticket.id]);
/// let links = links.to::<solve>("solve", &[&ticket.id]).done();
/// ```
#[derive(Clone, Debug)]
pub struct Links {
    table: Arc<RouteTable>,
    caller: Option<Caller>,
}

impl Links {
    /// Returns the URL of a route with these path parameters in order, or `None` if it is not
    /// mounted. It does not check whether the caller may call the route: use it for `Location`.
    pub fn path<R: Linked>(&self, values: &[&dyn Display]) -> Option<String> {
        self.table.path::<R>(values)
    }

    /// Starts a map of links.
    pub fn map(&self) -> LinkBuilder<'_> {
        LinkBuilder {
            links: self,
            map: LinkMap::default(),
        }
    }
}

#[diagnostic::do_not_recommend]
impl Inject for Links {
    fn node() -> Node {
        Node::of::<Self>(vec![
            Node::port::<RouteTable>,
            <Option<Caller> as Inject>::node,
        ])
    }
    async fn make(cx: &Context) -> Result<Self, Refusal> {
        Ok(Self {
            table: cx.get::<Arc<RouteTable>>().await?,
            caller: cx.get::<Option<Caller>>().await?,
        })
    }
}

/// Collects links.
#[derive(Debug)]
pub struct LinkBuilder<'a> {
    links: &'a Links,
    map: LinkMap,
}

impl LinkBuilder<'_> {
    /// Adds a link to a route if it is mounted and the caller may call it.
    #[must_use]
    pub fn to<R: Linked>(mut self, rel: &'static str, values: &[&dyn Display]) -> Self {
        let target = self.links.table.routes.get(&TypeId::of::<R>());
        if let Some(target) =
            target.filter(|target| target.allow.check(self.links.caller.as_ref()).is_ok())
        {
            let method = (target.method != "GET").then_some(target.method);
            self.map.0.insert(
                rel,
                Link {
                    href: fill(&target.path, values),
                    method,
                },
            );
        }
        self
    }

    /// Adds a link if the condition holds, which is that the state of the resource permits it.
    #[must_use]
    #[allow(
        clippy::wrong_self_convention,
        reason = "it links to a route; nothing is converted"
    )]
    pub fn to_if<R: Linked>(self, holds: bool, rel: &'static str, values: &[&dyn Display]) -> Self {
        if holds {
            self.to::<R>(rel, values)
        } else {
            self
        }
    }

    /// Returns the links.
    pub fn done(self) -> LinkMap {
        self.map
    }
}

/// Fills a template such as `/v1/tickets/{id}` with percent-encoded values.
fn fill(template: &str, values: &[&dyn Display]) -> String {
    let mut values = values.iter();
    let segments = template
        .split('/')
        .map(|segment| match segment.strip_prefix('{') {
            Some(_) => match values.next() {
                Some(value) => percent_encoding::utf8_percent_encode(
                    &value.to_string(),
                    percent_encoding::NON_ALPHANUMERIC,
                )
                .to_string()
                .replace("%5F", "_")
                .replace("%2D", "-"),
                None => segment.to_owned(),
            },
            None => segment.to_owned(),
        });
    segments.collect::<Vec<_>>().join("/")
}
