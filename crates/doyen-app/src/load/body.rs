//! A body that a schema of the document accepts: its examples, and the smallest value otherwise.

use serde_json::{Map, Value, json};

/// A pattern that every usual text matches.
const ANY_TEXT: &str = "^[^\\u0000]*$";

/// How deep schemas may contain each other.
const MAX_DEPTH: usize = 16;

/// Follows a reference within the document.
pub(super) fn resolve<'a>(schema: &'a Value, document: &'a Value) -> &'a Value {
    let target = schema["$ref"]
        .as_str()
        .and_then(|path| path.strip_prefix('#'));
    target
        .and_then(|pointer| document.pointer(pointer))
        .unwrap_or(schema)
}

/// Returns a value; `None` if it cannot be known from the schema.
pub(super) fn of(schema: &Value, document: &Value) -> Option<Value> {
    value(schema, document, MAX_DEPTH)
}

fn value(schema: &Value, document: &Value, depth: usize) -> Option<Value> {
    let depth = depth.checked_sub(1)?;
    for given in [
        &schema["const"],
        &schema["examples"][0],
        &schema["default"],
        &schema["enum"][0],
    ] {
        if !given.is_null() {
            return Some(given.clone());
        }
    }
    let target = resolve(schema, document);
    if target != schema {
        return value(target, document, depth);
    }
    for name in ["anyOf", "oneOf"] {
        if let Some(alternatives) = schema[name].as_array() {
            return alternatives
                .iter()
                .find_map(|one| value(one, document, depth));
        }
    }
    let kind = match &schema["type"] {
        Value::Array(kinds) => kinds.first()?,
        kind => kind,
    };
    match kind.as_str()? {
        "object" => object(schema, document, depth),
        "array" => {
            let one = value(&schema["items"], document, depth)?;
            let least = schema["minItems"].as_u64().unwrap_or(0);
            // More than one would have to differ.
            (least < 2).then(|| json!(vec![one; usize::try_from(least).unwrap_or(0)]))
        }
        "string" => text(schema),
        "integer" | "number" => Some(match &schema["minimum"] {
            Value::Null => json!(1),
            least => least.clone(),
        }),
        "boolean" => Some(json!(false)),
        "null" => Some(Value::Null),
        _ => None,
    }
}

fn object(schema: &Value, document: &Value, depth: usize) -> Option<Value> {
    let required = schema["required"].as_array().into_iter().flatten();
    let members = required.map(|name| {
        let name = name.as_str()?;
        let member = value(&schema["properties"][name], document, depth)?;
        Some((name.to_owned(), member))
    });
    members.collect::<Option<Map<_, _>>>().map(Value::Object)
}

fn text(schema: &Value) -> Option<Value> {
    let text = match schema["format"].as_str() {
        Some("date-time") => "2026-01-01T00:00:00Z".to_owned(),
        Some("date") => "2026-01-01".to_owned(),
        Some("email") => "load@example.com".to_owned(),
        Some("uuid") => "01890a5d-ac96-774b-bcce-b302099a8057".to_owned(),
        Some(_) => return None,
        None => "Load test".to_owned(),
    };
    if !matches!(schema["pattern"].as_str(), None | Some(ANY_TEXT)) {
        return None;
    }
    let size = |name: &str| {
        schema[name]
            .as_u64()
            .and_then(|size| usize::try_from(size).ok())
    };
    let missing = size("minLength").unwrap_or(0).saturating_sub(text.len());
    let text = text + &".".repeat(missing);
    let longest = size("maxLength").unwrap_or(usize::MAX);
    Some(json!(text.chars().take(longest).collect::<String>()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_has_what_is_required_and_follows_examples() {
        let document = json!({"components": {"schemas": {
            "Tag": {"type": "string", "pattern": "^[a-z]+$"},
            "Size": {"type": "integer", "minimum": 3},
        }}});
        let schema = json!({
            "type": "object",
            "required": ["subject", "size", "kind", "note"],
            "properties": {
                "subject": {"type": "string", "examples": ["It burns"]},
                "size": {"$ref": "#/components/schemas/Size"},
                "kind": {"enum": ["low", "high"]},
                "note": {"type": "string", "minLength": 12},
                "tag": {"$ref": "#/components/schemas/Tag"},
            },
        });
        let expected =
            json!({"subject": "It burns", "size": 3, "kind": "low", "note": "Load test..."});
        assert_eq!(of(&schema, &document), Some(expected));
        assert_eq!(
            of(&json!({"$ref": "#/components/schemas/Tag"}), &document),
            None
        );
        let endless = json!({"components": {"schemas": {"A": {"anyOf": [{"$ref": "#/components/schemas/A"}]}}}});
        assert_eq!(
            of(&json!({"$ref": "#/components/schemas/A"}), &endless),
            None
        );
    }
}
