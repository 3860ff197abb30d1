//! The document as a whole.

use std::collections::BTreeMap;

use doyen_core::{CredentialSource, SchemeForm, SecurityScheme};
use serde::ser::SerializeMap as _;
use serde::{Serialize, Serializer};
use serde_json::{Map, Value as Json, json};

use super::operation::{is_shown, operation};
use super::{Info, head, problems};
use crate::Named;
use crate::contract::Operation;

/// Returns the OpenAPI 3.1 document of these routes.
pub fn document(info: &Info, operations: &[Operation], components: &Named) -> Json {
    let mut document = frame(info, operations, components);
    let paths = paths(operations).into_iter();
    let paths = paths.map(|(path, routes)| (path, item(&routes, components)));
    document["paths"] = Json::Object(paths.collect());
    if let Some(edit) = &info.edit {
        edit.apply(&mut document);
    }
    document
}

/// Returns the document as stable text: indented by two spaces, the head first, a newline at the
/// end.
///
/// Each path is written before the next one is described: the JSON of all would take ten times the
/// memory of the text.
pub fn document_text(info: &Info, operations: &[Operation], components: &Named) -> String {
    // A function over the document needs it whole.
    let (frame, paths) = match info.edit {
        Some(_) => (document(info, operations, components), None),
        None => {
            let paths = paths(operations);
            (
                frame(info, operations, components),
                Some(Paths { paths, components }),
            )
        }
    };
    let mut text = serde_json::to_string_pretty(&Text { frame, paths }).unwrap_or_default();
    text.push('\n');
    text
}

/// Returns the routes that are shown, by path.
fn paths(operations: &[Operation]) -> BTreeMap<String, Vec<&Operation>> {
    let mut paths: BTreeMap<String, Vec<&Operation>> = BTreeMap::new();
    for one in operations.iter().filter(|operation| !operation.hidden) {
        paths.entry(path_key(&one.path)).or_default().push(one);
    }
    paths
}

/// Returns the key of a route in `paths`, from its template. OpenAPI knows no template for "the
/// rest of the path": it is a parameter like any other there.
pub fn path_key(template: &str) -> String {
    template.replace("{*", "{")
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
        "info": head::info(info),
        "servers": head::servers(info),
        "tags": tags,
        "components": {"schemas": schemas, "headers": problems::headers()},
    });
    if let Some((url, description)) = &info.external_docs {
        document["externalDocs"] = json!({"url": url, "description": description});
    }
    if !components.webhooks.is_empty() {
        let hooks = components.webhooks.iter();
        let hooks = hooks.map(|(call, schema)| (call.name.to_owned(), call.path_item(schema)));
        let mut hooks = Json::Object(hooks.collect());
        components.settle(&mut hooks);
        document["webhooks"] = hooks;
    }
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
    /// `None` if they are in the frame.
    paths: Option<Paths<'a>>,
}

/// The members in reading order; others, such as extensions, follow.
const ORDER: [&str; 8] = [
    "openapi",
    "info",
    "externalDocs",
    "servers",
    "tags",
    "paths",
    "webhooks",
    "components",
];

impl Serialize for Text<'_> {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        let mut map = s.serialize_map(None)?;
        for name in ORDER {
            match (&self.paths, self.frame.get(name)) {
                (Some(paths), _) if name == "paths" => map.serialize_entry(name, paths)?,
                (_, Some(value)) => map.serialize_entry(name, value)?,
                (_, None) => {}
            }
        }
        for (name, value) in self.frame.as_object().into_iter().flatten() {
            if !ORDER.contains(&name.as_str()) {
                map.serialize_entry(name, value)?;
            }
        }
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
