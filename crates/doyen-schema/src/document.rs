//! The document as a whole.

use std::collections::BTreeMap;

use doyen_core::contract::Operation;
use doyen_core::schema::Named;
use serde::{Serialize, Serializer};
use serde_json::{Map, Value as Json, json};

use crate::operation::operation;
use crate::problems;

/// What stands at the top of the document.
#[derive(Clone, Debug, Default)]
pub struct Info {
    /// The name of the API.
    pub title: String,
    /// Its version, such as `1.0.0`.
    pub version: String,
    /// What it is for, as Markdown.
    pub description: String,
    /// Whom to ask: a name and an address, `https:` or `mailto:`.
    pub contact: Option<(String, String)>,
    /// Its licence.
    pub licence: Option<Licence>,
    /// Name and description of each tag, in the order to show them.
    pub tags: Vec<(String, String)>,
    /// Scopes and what they permit.
    pub scopes: Vec<(String, String)>,
    /// Whether programs may come with an API key instead of a token.
    pub api_keys: bool,
}

/// A licence by its SPDX expression.
#[derive(Clone, Debug)]
pub struct Licence {
    /// Its name.
    pub name: String,
    /// The SPDX expression, such as `MIT`.
    pub identifier: String,
}

/// The OpenAPI 3.1 document of these routes.
pub fn document(info: &Info, operations: &[Operation], components: &Named) -> Json {
    let shown: Vec<&Operation> = operations
        .iter()
        .filter(|operation| !operation.hidden)
        .collect();
    let mut paths: BTreeMap<String, Map<String, Json>> = BTreeMap::new();
    for one in &shown {
        let described = operation(one, components, info.api_keys);
        paths
            // OpenAPI knows no template for "the rest of the path": it is a parameter like any other there.
            .entry(one.path.replace("{*", "{"))
            .or_default()
            .insert(one.method.to_lowercase(), described);
    }
    let mut schemas: Map<String, Json> = components
        .schemas
        .iter()
        .map(|(name, schema)| (name.clone(), schema.as_json()))
        .collect();
    schemas.extend(problems::schemas());

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
        "servers": [{"url": "/", "description": "Where this document was read."}],
        "tags": tags,
        "paths": paths,
        "components": {"schemas": schemas, "headers": problems::headers()},
    });
    if shown.iter().any(|operation| !operation.allow.is_public()) {
        document["components"]["securitySchemes"] = json!({"bearer": bearer(&info.scopes)});
        if info.api_keys {
            document["components"]["securitySchemes"]["api_key"] = api_key();
        }
    }
    document
}

fn bearer(scopes: &[(String, String)]) -> Json {
    let mut description =
        "An access token from the login: `Authorization: Bearer <token>`.".to_owned();
    if !scopes.is_empty() {
        description.push_str("\n\nScopes:\n");
        for (name, meaning) in scopes {
            description.push_str(&format!("\n- `{name}`: {meaning}"));
        }
    }
    json!({"type": "http", "scheme": "bearer", "bearerFormat": "JWT (RFC 9068, see RFC 8725)", "description": description})
}

fn api_key() -> Json {
    let description = "A key that a user made for a program. It may do what it was made for, as far as its owner may; it is sent instead of a token, \
                       never beside one.";
    json!({"type": "apiKey", "in": "header", "name": "X-API-Key", "description": description})
}

/// The document as text that differs only where the contract does: two spaces, the head first, a newline at the end.
pub fn to_text(document: &Json) -> String {
    let mut text = serde_json::to_string_pretty(&HeadFirst(document)).unwrap_or_default();
    text.push('\n');
    text
}

/// Writes the parts of a document in the order people read them.
struct HeadFirst<'a>(&'a Json);

impl Serialize for HeadFirst<'_> {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        const ORDER: [&str; 6] = ["openapi", "info", "servers", "tags", "paths", "components"];
        s.collect_map(
            ORDER
                .iter()
                .filter_map(|name| Some((name, self.0.get(*name)?))),
        )
    }
}
