//! The document as a whole.

use std::collections::BTreeMap;

use doyen_core::{CredentialSource, SchemeForm, SecurityScheme};
use serde::ser::SerializeMap as _;
use serde::{Serialize, Serializer};
use serde_json::{Map, Value as Json, json};

use super::operation::{is_shown, operation};
use super::problems;
use crate::Named;
use crate::contract::Operation;

/// The head of the document.
#[derive(Clone, Debug, Default)]
pub struct Info {
    /// Name of the API.
    pub title: String,
    /// Version of the API, such as `1.0.0`.
    pub version: String,
    /// Description of the API, in Markdown.
    pub description: String,
    /// Contact: a name and a URL, `https:` or `mailto:`.
    pub contact: Option<(String, String)>,
    /// Licence of the API.
    pub licence: Option<Licence>,
    /// Name and description of each tag, in display order.
    pub tags: Vec<(String, String)>,
    /// Scopes and their descriptions.
    pub scopes: Vec<(String, String)>,
}

/// A licence with its SPDX expression.
#[derive(Clone, Debug)]
pub struct Licence {
    /// Name of the licence.
    pub name: String,
    /// SPDX expression, such as `MIT`.
    pub identifier: String,
}

/// Returns the OpenAPI 3.1 document of these routes.
pub fn document(info: &Info, operations: &[Operation], components: &Named) -> Json {
    let mut document = frame(info, operations, components);
    let paths = paths(operations).into_iter();
    let paths = paths.map(|(path, routes)| (path, item(&routes, components)));
    document["paths"] = Json::Object(paths.collect());
    document
}

/// Returns the document as stable text: indented by two spaces, the head first, a newline at the
/// end.
///
/// Each path is written before the next one is described: the JSON of all would take ten times the
/// memory of the text.
pub fn document_text(info: &Info, operations: &[Operation], components: &Named) -> String {
    let document = Text {
        frame: frame(info, operations, components),
        paths: Paths {
            paths: paths(operations),
            components,
        },
    };
    let mut text = serde_json::to_string_pretty(&document).unwrap_or_default();
    text.push('\n');
    text
}

/// Returns the routes that are shown, by path.
fn paths(operations: &[Operation]) -> BTreeMap<String, Vec<&Operation>> {
    let mut paths: BTreeMap<String, Vec<&Operation>> = BTreeMap::new();
    for one in operations.iter().filter(|operation| !operation.hidden) {
        // OpenAPI knows no template for "the rest of the path": it is a parameter like any other
        // there.
        let path = one.path.replace("{*", "{");
        paths.entry(path).or_default().push(one);
    }
    paths
}

/// Returns a path item: its routes by method.
fn item(routes: &[&Operation], components: &Named) -> Json {
    let described = |one: &&Operation| {
        let described = operation(one, components);
        (one.method.to_lowercase(), described)
    };
    Json::Object(routes.iter().map(described).collect())
}

/// Returns the document without its paths.
fn frame(info: &Info, operations: &[Operation], components: &Named) -> Json {
    let shown: Vec<&Operation> = operations
        .iter()
        .filter(|operation| !operation.hidden)
        .collect();
    let mut schemas: Map<String, Json> = components
        .schemas
        .iter()
        .map(|(name, schema)| (name.clone(), schema.as_json()))
        .collect();
    if components.problems.is_none() {
        schemas.extend(problems::schemas());
    }

    let mut head =
        json!({"title": info.title, "version": info.version, "description": info.description});
    if let Some((name, address)) = &info.contact {
        head["contact"] = match address.strip_prefix("mailto:") {
            Some(email) => json!({"name": name, "email": email}),
            None => json!({"name": name, "url": address}),
        };
    }
    if let Some(licence) = &info.licence {
        head["license"] = json!({"name": licence.name, "identifier": licence.identifier});
    }
    let used = |tag: &str| {
        shown
            .iter()
            .any(|operation| operation.tags.iter().any(|used| used == tag))
    };
    let tags: Vec<Json> = info
        .tags
        .iter()
        .filter(|(name, _)| used(name))
        .map(|(name, description)| json!({"name": name, "description": description}))
        .collect();
    let mut document = json!({
        "openapi": "3.1.0",
        "info": head,
        "servers": [{"url": "/", "description": "The server that returned this document."}],
        "tags": tags,
        "components": {"schemas": schemas, "headers": problems::headers()},
    });
    let of_routes = shown.iter().flat_map(|operation| {
        let read = operation.credentials.iter().map(|(scheme, _)| scheme);
        operation.schemes.iter().chain(read)
    });
    let schemes: Map<String, Json> = of_routes
        .filter(|scheme| is_shown(scheme))
        .map(|scheme| {
            let described = security_scheme(scheme, &info.scopes);
            (scheme.name().to_owned(), described)
        })
        .collect();
    if !schemes.is_empty() {
        document["components"]["securitySchemes"] = Json::Object(schemes);
    }
    document
}

/// Returns the object of a security scheme.
fn security_scheme(scheme: &SecurityScheme, scopes: &[(String, String)]) -> Json {
    let mut description = scheme.text().to_owned();
    if scheme.has_scopes() && !scopes.is_empty() {
        description.push_str("\n\nScopes:\n");
        for (name, meaning) in scopes {
            description.push_str(&format!("\n- `{name}`: {meaning}"));
        }
    }
    let (place, name) = match scheme.source() {
        CredentialSource::Header(name) => ("header", &**name),
        CredentialSource::Query(name) => ("query", &**name),
        CredentialSource::Cookie(name) => ("cookie", &**name),
        _ => ("header", "Authorization"),
    };
    let mut all = match scheme.form() {
        SchemeForm::Http { bearer_format } => {
            let name = match scheme.source() {
                CredentialSource::Authorization(name) => name.to_ascii_lowercase(),
                _ => String::new(),
            };
            let mut all = json!({"type": "http", "scheme": name});
            if let Some(format) = bearer_format {
                all["bearerFormat"] = json!(format);
            }
            all
        }
        SchemeForm::OAuth2Password { token_url } => {
            let scopes: Map<String, Json> = scopes
                .iter()
                .map(|(name, meaning)| (name.clone(), json!(meaning)))
                .collect();
            json!({"type": "oauth2", "flows": {"password": {"tokenUrl": token_url, "scopes": scopes}}})
        }
        SchemeForm::OpenIdConnect { url } => {
            json!({"type": "openIdConnect", "openIdConnectUrl": url})
        }
        _ => json!({"type": "apiKey", "in": place, "name": name}),
    };
    all["description"] = json!(description);
    all
}

/// A document that is written in reading order.
struct Text<'a> {
    frame: Json,
    paths: Paths<'a>,
}

impl Serialize for Text<'_> {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        let mut map = s.serialize_map(None)?;
        for name in ["openapi", "info", "servers", "tags"] {
            map.serialize_entry(name, &self.frame[name])?;
        }
        map.serialize_entry("paths", &self.paths)?;
        map.serialize_entry("components", &self.frame["components"])?;
        map.end()
    }
}

/// The paths, each described when it is written.
struct Paths<'a> {
    paths: BTreeMap<String, Vec<&'a Operation>>,
    components: &'a Named,
}

impl Serialize for Paths<'_> {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        let items = self.paths.iter();
        s.collect_map(items.map(|(path, routes)| (path, item(routes, self.components))))
    }
}
