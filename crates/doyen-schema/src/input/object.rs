//! The schema of an object.

use serde_json::{Map, Value as Json, json};

use super::{Field, Object};
use crate::{Components, Schema};

impl<T: Object> Object for Box<T> {
    const OPEN: bool = T::OPEN;

    fn names() -> &'static [&'static str] {
        T::names()
    }

    fn header_names() -> &'static [&'static str] {
        T::header_names()
    }

    fn fields(all: &mut Components) -> Vec<Field> {
        T::fields(all)
    }
}

/// Returns the schema of an object with these fields. `open` allows unknown fields.
pub fn object(fields: Vec<Field>, open: bool) -> Schema {
    let mut schema = Schema::of("object");
    let required: Vec<&str> = fields
        .iter()
        .filter(|field| field.required)
        .map(|field| field.name)
        .collect();
    if !required.is_empty() {
        schema.set("required", required);
    }
    let properties: Map<String, Json> = fields
        .into_iter()
        .map(|field| (field.name.to_owned(), property(field).into_json()))
        .collect();
    schema.set("properties", properties);
    if !open {
        schema.set("additionalProperties", json!(false));
    }
    schema
}

fn property(field: Field) -> Schema {
    let mut schema = field.schema;
    if !field.description.is_empty() {
        schema.set("description", field.description);
    }
    if field.deprecated {
        schema.set("deprecated", true);
    }
    schema
}
