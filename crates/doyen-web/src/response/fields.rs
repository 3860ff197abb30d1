//! Sparse responses: the client selects fields, or omits those that are null.

use doyen_core::Place;
use doyen_schema::contract::{Answer, Operation, Parameter};
use doyen_schema::{Components, Schema};
use serde_json::{Value, json};

/// The fields of a resource, or of each item of a page, that the client wants.
#[derive(Debug, Default)]
pub(crate) struct WantedFields {
    /// The fields that `?fields=` selects; empty for all.
    pub(crate) picked: Vec<String>,
    /// True for `?nulls=omit`.
    pub(crate) omits_nulls: bool,
}

impl WantedFields {
    /// True if the client wants all fields.
    pub(crate) const fn is_all(&self) -> bool {
        self.picked.is_empty() && !self.omits_nulls
    }

    /// Removes the other fields of an object.
    pub(crate) fn apply(&self, json: &mut Value) {
        if let Value::Object(fields) = json {
            fields.retain(|name, value| {
                (self.picked.is_empty() || self.picked.iter().any(|picked| picked == name))
                    && !(self.omits_nulls && value.is_null())
            });
        }
    }
}

/// Describes the parameters of a sparse route.
pub(crate) fn describe_sparse(operation: &mut Operation, components: &Components) {
    thin(&mut operation.answers, components);
    let names = &operation.fields;
    let fields = Schema::of("array")
        .with("items", json!({"type": "string", "enum": names}))
        .with("minItems", 1)
        .with("maxItems", names.len())
        .with("uniqueItems", true);
    let nulls = Schema::of("string").with("enum", json!(["omit"]));
    for (name, schema, description) in [
        (
            "fields",
            fields,
            "Comma-separated fields to return. If omitted, all fields are returned.",
        ),
        (
            "nulls",
            nulls,
            "`omit` leaves out the fields whose value is null. If omitted, they are returned.",
        ),
    ] {
        operation.parameter(Parameter {
            place: Place::Query,
            name: name.to_owned(),
            required: false,
            schema,
            description: description.to_owned(),
            deprecated: false,
            commas: name == "fields",
        });
    }
}

/// Makes fields optional where the client can omit them: in the response, or in each item of the
/// page.
fn thin(answers: &mut [Answer], components: &Components) {
    let also = |whole: Schema| {
        let part = components.partial(&whole).into_json();
        Schema::any().with("anyOf", json!([whole.into_json(), part]))
    };
    for (_, schema) in answers.iter_mut().filter_map(|answer| answer.body.as_mut()) {
        if schema.referred().is_some() {
            *schema = also(std::mem::take(schema));
            continue;
        }
        let Some(mut properties) = schema.get("properties").cloned() else {
            continue;
        };
        if let Some(serde_json::Value::Object(item)) = properties.pointer_mut("/items/items") {
            *item = also(Schema::from(std::mem::take(item))).into_map();
            schema.set("properties", properties);
        }
    }
}
