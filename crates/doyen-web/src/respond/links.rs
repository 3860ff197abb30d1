//! Links to other routes, by the route's own value, shown only when the caller may follow them.

use std::any::TypeId;
use std::collections::{BTreeMap, HashMap};
use std::fmt::Display;
use std::sync::Arc;

use doyen_core::inject::{Context, Inject, Node};
use doyen_core::{Allow, Caller, Refusal};
use doyen_schema::{Components, Output, Schema};
use serde::Serialize;
use serde_json::json;

/// A route that can be linked to: the value of the same name that `#[get]` and its kin add beside the handler.
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

/// Links by relation: the value of a `_links` field.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct LinkMap(BTreeMap<&'static str, Link>);

impl LinkMap {
    /// The address of a relation.
    pub fn href(&self, rel: &str) -> Option<&str> {
        self.0.get(rel).map(|link| link.href.as_str())
    }
}

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

/// Every route by its value: where it is mounted and who may call it.
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

    /// The address of a route with these path parameters, in their order; `None` when it is not mounted.
    pub fn path<R: Linked>(&self, values: &[&dyn Display]) -> Option<String> {
        self.routes
            .get(&TypeId::of::<R>())
            .map(|target| fill(&target.path, values))
    }
}

/// Makes links for this request's caller. Ask for it as a parameter.
///
/// ```text
/// let links = links.map().to::<show>("self", &[&ticket.id]).to::<solve>("solve", &[&ticket.id]).done();
/// ```
#[derive(Clone, Debug)]
pub struct Links {
    table: Arc<RouteTable>,
    caller: Option<Caller>,
}

impl Links {
    /// The address of a route with these path parameters, in their order, whether or not the caller may call it: for `Location`. `None`
    /// when it is not mounted.
    pub fn path<R: Linked>(&self, values: &[&dyn Display]) -> Option<String> {
        self.table.path::<R>(values)
    }

    /// Begins a map of links.
    pub fn map(&self) -> LinkBuilder<'_> {
        LinkBuilder {
            links: self,
            map: LinkMap::default(),
        }
    }
}

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
    /// Links to a route if the caller may call it and it is mounted.
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

    /// The same, only if this holds: what the state of the resource permits now.
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

    /// The links.
    pub fn done(self) -> LinkMap {
        self.map
    }
}

/// `/v1/tickets/{id}` with its parameters in place, percent-encoded.
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
