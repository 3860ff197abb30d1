//! Generates valid request bodies from the OpenAPI document, so that only the permission is tested.

use serde_json::{Map, Value, json};

/// Returns the media type of a request body and a valid value.
pub(crate) fn body(document: &Value, operation: &Value) -> Option<(String, Value)> {
    let (media_type, content) = operation["requestBody"]["content"]
        .as_object()?
        .iter()
        .next()?;
    Some((media_type.clone(), value(document, &content["schema"], 0)))
}

/// Returns the smallest valid value of a schema.
pub(crate) fn value(document: &Value, schema: &Value, depth: usize) -> Value {
    if depth > 12 {
        return Value::Null;
    }
    if let Some(target) = schema["$ref"]
        .as_str()
        .and_then(|target| target.strip_prefix('#'))
    {
        return value(
            document,
            document.pointer(target).unwrap_or(&Value::Null),
            depth + 1,
        );
    }
    for given in ["example", "const", "default"] {
        if !schema[given].is_null() {
            return schema[given].clone();
        }
    }
    for list in ["examples", "enum"] {
        if let Some(first) = schema[list].get(0) {
            return first.clone();
        }
    }
    for choice in ["anyOf", "oneOf", "allOf"] {
        if let Some(first) = schema[choice].get(0) {
            return value(document, first, depth + 1);
        }
    }
    let kind = schema["type"]
        .as_str()
        .or_else(|| schema["type"].get(0)?.as_str());
    match kind {
        Some("object") => object(document, schema, depth),
        Some("array") => json!([]),
        Some("integer" | "number") => schema.get("minimum").cloned().unwrap_or(json!(1)),
        Some("boolean") => json!(false),
        Some("string") => Value::String(
            "x".repeat(schema["minLength"].as_u64().unwrap_or(1).clamp(1, 64) as usize),
        ),
        _ => json!({}),
    }
}

fn object(document: &Value, schema: &Value, depth: usize) -> Value {
    let required = schema["required"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str);
    let members = required.map(|name| {
        (
            name.to_owned(),
            value(document, &schema["properties"][name], depth + 1),
        )
    });
    Value::Object(members.collect::<Map<_, _>>())
}

/// An operation of the OpenAPI document.
pub(crate) struct Operation<'d> {
    pub(crate) method: String,
    pub(crate) path: &'d str,
    pub(crate) definition: &'d Value,
}

impl Operation<'_> {
    /// Returns true if the operation requires credentials. `security: [{}]` and an empty list do
    /// not.
    pub(crate) fn is_protected(&self) -> bool {
        let needs = self.definition["security"].as_array();
        needs.is_some_and(|needs| {
            !needs.is_empty()
                && needs
                    .iter()
                    .all(|one| one.as_object().is_some_and(|one| !one.is_empty()))
        })
    }

    pub(crate) fn has_id(&self) -> bool {
        self.path.contains('{')
    }
}

/// Returns all operations of the document.
pub(crate) fn operations(document: &Value) -> Vec<Operation<'_>> {
    let mut all = Vec::new();
    for (path, item) in document["paths"].as_object().into_iter().flatten() {
        for (method, definition) in item.as_object().into_iter().flatten() {
            if matches!(method.as_str(), "get" | "post" | "put" | "patch" | "delete") {
                all.push(Operation {
                    method: method.to_uppercase(),
                    path,
                    definition,
                });
            }
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_fits_the_smallest_shape() {
        let document = json!({"components": {"schemas": {"New": {"type": "object", "required": ["a", "b"], "properties": {
            "a": {"type": "string", "minLength": 3}, "b": {"enum": ["low", "high"]}, "c": {"type": "integer"}}}}}});
        let made = value(&document, &json!({"$ref": "#/components/schemas/New"}), 0);
        assert_eq!(made, json!({"a": "xxx", "b": "low"}));
    }
}
