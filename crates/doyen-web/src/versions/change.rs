//! Changes between two versions, and their steps.

use std::fmt;
use std::sync::Arc;

use doyen_schema::Schema;
use serde_json::{Map, Value as Json};

type Convert = Arc<dyn Fn(Json) -> Json + Send + Sync>;

/// A difference between a version and the next newer one.
#[derive(Clone, Debug)]
pub struct VersionChange {
    pub(crate) about: &'static str,
    /// The name of a schema, and a step on its fields.
    pub(crate) steps: Vec<(&'static str, FieldStep)>,
}

impl VersionChange {
    /// Creates a change without steps. The sentence is in the document of the older version.
    pub const fn new(about: &'static str) -> Self {
        Self {
            about,
            steps: Vec::new(),
        }
    }

    /// Adds a step on the fields of a schema, by its name in the OpenAPI document. It applies
    /// wherever the schema occurs in a JSON request or response.
    #[must_use]
    pub fn on(mut self, schema: &'static str, step: FieldStep) -> Self {
        self.steps.push((schema, step));
        self
    }
}

/// A difference in one field.
#[derive(Clone)]
pub struct FieldStep {
    newer: Option<&'static str>,
    older: Option<&'static str>,
    schema: Option<Schema>,
    down: Convert,
    up: Convert,
    /// The value of a field that one side does not have.
    value: Option<Json>,
}

impl fmt::Debug for FieldStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FieldStep")
            .field("newer", &self.newer)
            .field("older", &self.older)
            .finish_non_exhaustive()
    }
}

impl FieldStep {
    fn new(newer: Option<&'static str>, older: Option<&'static str>) -> Self {
        Self {
            newer,
            older,
            schema: None,
            down: Arc::new(|value| value),
            up: Arc::new(|value| value),
            value: None,
        }
    }

    /// The field has another name in the older version. Add [`older_schema`](Self::older_schema),
    /// [`down`](Self::down) and [`up`](Self::up) if its value differs too.
    pub fn renamed(newer: &'static str, older: &'static str) -> Self {
        Self::new(Some(newer), Some(older))
    }

    /// The older version does not have the field.
    pub fn added(newer: &'static str) -> Self {
        Self::new(Some(newer), None)
    }

    /// Only the older version has the field: responses have this value, and in requests it is
    /// ignored.
    pub fn removed(older: &'static str, schema: Schema, value: impl Into<Json>) -> Self {
        Self {
            schema: Some(schema),
            value: Some(value.into()),
            ..Self::new(None, Some(older))
        }
    }

    /// Sets the value that requests of the older version have for an added field.
    #[must_use]
    pub fn in_requests(mut self, value: impl Into<Json>) -> Self {
        self.value = Some(value.into());
        self
    }

    /// Sets the schema of the field in the older version.
    #[must_use]
    pub fn older_schema(mut self, schema: Schema) -> Self {
        self.schema = Some(schema);
        self
    }

    /// Sets how a value of a response becomes that of the older version.
    #[must_use]
    pub fn down(mut self, convert: impl Fn(Json) -> Json + Send + Sync + 'static) -> Self {
        self.down = Arc::new(convert);
        self
    }

    /// Sets how a value of a request of the older version becomes the newer one.
    #[must_use]
    pub fn up(mut self, convert: impl Fn(Json) -> Json + Send + Sync + 'static) -> Self {
        self.up = Arc::new(convert);
        self
    }

    /// Rewrites an object of a response.
    pub(crate) fn apply_down(&self, object: &mut Map<String, Json>) {
        match (self.newer, self.older) {
            // A response with selected fields may lack it.
            (Some(newer), Some(older)) => {
                if let Some(value) = object.remove(newer) {
                    object.insert(older.to_owned(), (self.down)(value));
                }
            }
            (Some(newer), None) => drop(object.remove(newer)),
            (None, Some(older)) => {
                object.insert(older.to_owned(), self.value.clone().unwrap_or_default());
            }
            (None, None) => {}
        }
    }

    /// Rewrites an object of a request.
    pub(crate) fn apply_up(&self, object: &mut Map<String, Json>) {
        match (self.newer, self.older) {
            (Some(newer), Some(older)) => {
                if let Some(value) = object.remove(older) {
                    object.insert(newer.to_owned(), (self.up)(value));
                }
            }
            (Some(newer), None) => {
                if let Some(value) = &self.value {
                    object.entry(newer).or_insert_with(|| value.clone());
                }
            }
            (None, Some(older)) => drop(object.remove(older)),
            (None, None) => {}
        }
    }

    /// Returns the name of a field in the newer version.
    pub(crate) fn newer_name<'a>(&'a self, name: &'a str) -> &'a str {
        match (self.newer, self.older) {
            (Some(newer), Some(older)) if name == older => newer,
            _ => name,
        }
    }

    /// Returns the name of a field in the older version.
    pub(crate) fn older_name<'a>(&'a self, name: &'a str) -> &'a str {
        match (self.newer, self.older) {
            (Some(newer), Some(older)) if name == newer => older,
            _ => name,
        }
    }

    /// Rewrites the list of fields that `?fields=` can select.
    pub(crate) fn apply_to_names(&self, names: &mut Vec<Json>) {
        names.retain(|name| self.older.is_some() || name.as_str() != self.newer);
        for name in names.iter_mut() {
            if let (Some(newer), Some(older)) = (self.newer, self.older)
                && name == newer
            {
                *name = older.into();
            }
        }
    }

    /// Rewrites the schema of an object.
    pub(crate) fn apply_to_schema(&self, schema: &mut Map<String, Json>) {
        let mut is_required = self.newer.is_none();
        let mut described = None;
        if let Some(newer) = self.newer {
            described = properties(schema).and_then(|all| all.remove(newer));
            if let Some(Json::Array(required)) = schema.get_mut("required") {
                let before = required.len();
                required.retain(|name| name != newer);
                is_required = required.len() < before;
            }
        }
        let Some(older) = self.older else { return };
        let Some(described) = self.schema.clone().map(Schema::into_json).or(described) else {
            return;
        };
        let Some(all) = properties(schema) else {
            return;
        };
        all.insert(older.to_owned(), described);
        // Without the keyword every field is optional, as in a part of an object.
        if is_required && let Some(Json::Array(required)) = schema.get_mut("required") {
            required.push(older.into());
        }
    }
}

fn properties(schema: &mut Map<String, Json>) -> Option<&mut Map<String, Json>> {
    schema.get_mut("properties")?.as_object_mut()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn object(value: Json) -> Map<String, Json> {
        value.as_object().cloned().unwrap()
    }

    fn down(step: &FieldStep, value: Json) -> Json {
        let mut value = object(value);
        step.apply_down(&mut value);
        value.into()
    }

    fn up(step: &FieldStep, value: Json) -> Json {
        let mut value = object(value);
        step.apply_up(&mut value);
        value.into()
    }

    #[test]
    fn steps_rewrite_objects_both_ways() {
        let step = FieldStep::renamed("assignee", "assignee_id")
            .down(|value| value["id"].clone())
            .up(|id| json!({"id": id}));
        assert_eq!(
            down(&step, json!({"assignee": {"id": "u"}})),
            json!({"assignee_id": "u"})
        );
        assert_eq!(
            down(&step, json!({"assignee": null})),
            json!({"assignee_id": null})
        );
        assert_eq!(down(&step, json!({"x": 1})), json!({"x": 1}));
        assert_eq!(
            up(&step, json!({"assignee_id": "u"})),
            json!({"assignee": {"id": "u"}})
        );
        let added = FieldStep::added("kind").in_requests("plain");
        assert_eq!(down(&added, json!({"kind": "a", "b": 1})), json!({"b": 1}));
        assert_eq!(up(&added, json!({})), json!({"kind": "plain"}));
        assert_eq!(up(&added, json!({"kind": "own"})), json!({"kind": "own"}));
        let removed = FieldStep::removed("legacy", Schema::of("boolean"), false);
        assert_eq!(down(&removed, json!({})), json!({"legacy": false}));
        assert_eq!(up(&removed, json!({"legacy": true})), json!({}));
    }

    #[test]
    fn steps_rewrite_schemas() {
        let schema = || {
            object(json!({
                "type": "object",
                "properties": {"a": {"type": "string"}, "b": {"type": "integer"}},
                "required": ["a"],
            }))
        };
        let mut renamed = schema();
        FieldStep::renamed("a", "z").apply_to_schema(&mut renamed);
        assert_eq!(renamed["required"], json!(["z"]));
        assert_eq!(renamed["properties"]["z"], json!({"type": "string"}));
        let mut optional = schema();
        let of_text = FieldStep::renamed("b", "z").older_schema(Schema::of("string"));
        of_text.apply_to_schema(&mut optional);
        assert_eq!(optional["required"], json!(["a"]));
        assert_eq!(optional["properties"]["z"], json!({"type": "string"}));
        let mut added = schema();
        FieldStep::added("a").apply_to_schema(&mut added);
        assert_eq!(added["required"], json!([]));
        assert_eq!(added["properties"], json!({"b": {"type": "integer"}}));
        let mut removed = schema();
        FieldStep::removed("c", Schema::of("null"), Json::Null).apply_to_schema(&mut removed);
        assert_eq!(removed["required"], json!(["a", "c"]));
    }
}
