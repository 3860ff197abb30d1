//! JSON Schema (draft 2020-12), as a value.

use serde_json::{Map, Value as Json, json};

/// A JSON Schema. A thin wrapper over a JSON object, so that any keyword can be set.
///
/// ```
/// use doyen_schema::Schema;
///
/// let schema = Schema::of("integer").with("minimum", 1).with("maximum", 100);
/// assert_eq!(schema.as_json()["maximum"], 100);
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Schema(Map<String, Json>);

impl Schema {
    /// Returns the schema that accepts anything: `{}`.
    pub fn any() -> Self {
        Self::default()
    }

    /// Creates a schema with a `type`.
    pub fn of(kind: &str) -> Self {
        Self::any().with("type", kind)
    }

    /// Creates a reference to a component.
    pub fn reference(name: &str) -> Self {
        Self::any().with("$ref", format!("#/components/schemas/{name}"))
    }

    /// Sets a keyword.
    #[must_use]
    pub fn with(mut self, keyword: &str, value: impl Into<Json>) -> Self {
        self.set(keyword, value);
        self
    }

    /// Sets a keyword.
    pub fn set(&mut self, keyword: &str, value: impl Into<Json>) {
        self.0.insert(keyword.to_owned(), value.into());
    }

    /// Removes a keyword.
    pub fn remove(&mut self, keyword: &str) {
        self.0.remove(keyword);
    }

    /// Returns the value of a keyword.
    pub fn get(&self, keyword: &str) -> Option<&Json> {
        self.0.get(keyword)
    }

    /// Returns the name of the referenced component, if this is a plain reference.
    pub fn referred(&self) -> Option<&str> {
        self.0
            .get("$ref")?
            .as_str()?
            .strip_prefix("#/components/schemas/")
    }

    /// Returns this schema or null: `"type": ["string", "null"]`, or `anyOf` for references.
    #[must_use]
    pub fn nullable(mut self) -> Self {
        match self.0.get_mut("type") {
            Some(Json::String(kind)) => {
                let kinds = json!([kind.clone(), "null"]);
                self.set("type", kinds);
                if let Some(Json::Array(values)) = self.0.get_mut("enum") {
                    values.push(Json::Null);
                }
                self
            }
            Some(Json::Array(kinds)) if kinds.contains(&json!("null")) => self,
            _ => Schema::any().with("anyOf", json!([Json::Object(self.0), {"type": "null"}])),
        }
    }

    /// Returns this schema without null, for example for a query string, which has no null.
    #[must_use]
    pub fn without_null(mut self) -> Self {
        if let Some(Json::Array(kinds)) = self.0.get_mut("type") {
            kinds.retain(|kind| kind != "null");
            if let [only] = kinds.as_slice() {
                let only = only.clone();
                self.set("type", only);
            }
        }
        if let Some(Json::Array(values)) = self.0.get_mut("enum") {
            values.retain(|value| !value.is_null());
        }
        if let Some(Json::Array(choices)) = self.0.get_mut("anyOf") {
            choices.retain(|choice| choice != &json!({"type": "null"}));
            if let [Json::Object(only)] = choices.as_slice() {
                let only = only.clone();
                self.0.remove("anyOf");
                self.0.extend(only);
            }
        }
        self
    }

    /// Returns the keywords.
    pub fn into_map(self) -> Map<String, Json> {
        self.0
    }

    /// Returns the schema as JSON.
    pub fn as_json(&self) -> Json {
        Json::Object(self.0.clone())
    }

    /// Converts the schema to JSON without a copy.
    pub fn into_json(self) -> Json {
        Json::Object(self.0)
    }
}

impl From<Map<String, Json>> for Schema {
    fn from(keywords: Map<String, Json>) -> Self {
        Self(keywords)
    }
}

impl From<Schema> for Json {
    fn from(schema: Schema) -> Json {
        schema.into_json()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn null_can_be_taken_back() {
        for schema in [
            Schema::of("string"),
            Schema::reference("A"),
            Schema::of("string").with("enum", json!(["a"])),
        ] {
            assert_eq!(schema.clone().nullable().without_null(), schema);
        }
    }

    #[test]
    fn nullable_keeps_references_whole() {
        assert_eq!(
            Schema::of("string").nullable().as_json(),
            json!({"type": ["string", "null"]})
        );
        assert_eq!(
            Schema::reference("A").nullable().as_json()["anyOf"][1],
            json!({"type": "null"})
        );
    }
}
