//! Schemas of input at another strictness.

use doyen_core::{Strictness, UnknownNames};
use serde_json::{Map, Value as Json, json};

use crate::Schema;

/// Returns true if unknown names are accepted, and true if scalars have other forms: what a schema
/// can say.
fn shape(strictness: Strictness) -> (bool, bool) {
    let is_open = strictness.unknown() != UnknownNames::Refuse;
    (is_open, strictness.has_loose_scalars())
}

/// Returns the suffix of the names of components for a route whose schemas differ from those of the
/// application.
pub(super) fn suffix(usual: Strictness, current: Strictness) -> &'static str {
    match (shape(usual), shape(current)) {
        (usual, current) if usual == current => "",
        (_, (false, false)) => "Strict",
        (_, (true, false)) => "Open",
        (_, (false, true)) => "Loose",
        (_, (true, true)) => "OpenLoose",
    }
}

/// Makes a schema accept what is accepted.
pub(super) fn schema(schema: Schema, strictness: Strictness) -> Schema {
    let (is_open, is_loose) = shape(strictness);
    if !is_open && !is_loose {
        return schema;
    }
    let mut map = schema.into_map();
    object(&mut map, is_open, is_loose);
    map.into()
}

fn object(schema: &mut Map<String, Json>, is_open: bool, is_loose: bool) {
    if is_open && schema.get("additionalProperties") == Some(&Json::Bool(false)) {
        schema.remove("additionalProperties");
    }
    if is_loose && let Some(kind) = schema.get_mut("type") {
        loose_type(kind);
    }
    for (keyword, value) in schema {
        // Values are no schemas.
        if matches!(
            keyword.as_str(),
            "default" | "examples" | "enum" | "const" | "propertyNames"
        ) {
            continue;
        }
        nested(value, keyword == "properties", is_open, is_loose);
    }
}

fn nested(value: &mut Json, is_map: bool, is_open: bool, is_loose: bool) {
    match value {
        // The names of properties are no keywords.
        Json::Object(map) if is_map => {
            for schema in map.values_mut() {
                nested(schema, false, is_open, is_loose);
            }
        }
        Json::Object(map) => object(map, is_open, is_loose),
        Json::Array(all) => {
            for one in all {
                nested(one, false, is_open, is_loose);
            }
        }
        _ => {}
    }
}

/// A number may be text, a boolean also 0 and 1.
fn loose_type(kind: &mut Json) {
    let mut kinds = match kind {
        Json::String(one) => vec![json!(one)],
        Json::Array(all) => all.clone(),
        _ => return,
    };
    let is_boolean = kinds.contains(&json!("boolean"));
    let is_number = kinds.contains(&json!("integer")) || kinds.contains(&json!("number"));
    if !is_boolean && !is_number {
        return;
    }
    let more = if is_boolean {
        ["integer", "string"].as_slice()
    } else {
        &["string"]
    };
    for name in more {
        if !kinds.contains(&json!(name)) {
            kinds.push(json!(name));
        }
    }
    *kind = Json::Array(kinds);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_switched_off_is_loosened() {
        let strict = json!({
            "type": "object", "additionalProperties": false,
            "properties": {
                "type": {"type": ["integer", "null"], "minimum": 1, "default": 5},
                "on": {"type": "boolean"}, "name": {"type": "string"},
                "list": {"type": "array", "items": {"$ref": "#/components/schemas/A"}},
            },
        });
        let Json::Object(map) = strict.clone() else {
            unreachable!()
        };
        let with = |strictness| schema(map.clone().into(), strictness).into_json();
        assert_eq!(with(Strictness::new()), strict);
        let open = with(Strictness::new().unknown_names(UnknownNames::Ignore));
        assert_eq!(open["additionalProperties"], Json::Null);
        assert_eq!(open["properties"], strict["properties"]);
        let loose = with(Strictness::new().loose_scalars(true));
        assert_eq!(loose["additionalProperties"], false);
        let properties = &loose["properties"];
        assert_eq!(
            properties["type"]["type"],
            json!(["integer", "null", "string"])
        );
        assert_eq!(
            properties["on"]["type"],
            json!(["boolean", "integer", "string"])
        );
        assert_eq!(properties["name"], strict["properties"]["name"]);
        assert_eq!(properties["list"], strict["properties"]["list"]);
    }
}
