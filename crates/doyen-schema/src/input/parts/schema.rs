//! Parts of schemas.

use serde_json::{Map, Value as Json, json};

use crate::input::{Field, Object, object};
use crate::{Components, Direction, Schema};

/// Wraps a schema in a list, without a trait in scope.
pub fn list<T, const N: usize>(items: [T; N]) -> Vec<T> {
    Vec::from(items)
}

/// Creates a field.
pub fn described_field(
    name: &'static str,
    required: bool,
    schema: Schema,
    description: &str,
    deprecated: bool,
) -> Field {
    Field {
        name,
        required,
        schema,
        description: description.to_owned(),
        deprecated,
        hidden: false,
    }
}

/// Marks a field as left out of the document, as far as it is a parameter.
pub fn hidden(mut field: Field) -> Field {
    field.hidden = true;
    field
}

/// Returns the name of a generic type in the document: `Page` of `Ticket` is `PageTicket`.
pub fn name_of(base: &str, arguments: &[Schema]) -> String {
    let mut name = base.to_owned();
    for argument in arguments {
        name.push_str(&word(argument));
    }
    name
}

fn word(schema: &Schema) -> String {
    if let Some(referred) = schema.referred() {
        return referred.split('!').next().unwrap_or_default().to_owned();
    }
    let plain = schema.clone().without_null();
    if plain != *schema {
        return format!("Option{}", word(&plain));
    }
    let inner = |keyword| match schema.get(keyword) {
        Some(Json::Object(inner)) => word(&inner.clone().into()),
        _ => String::new(),
    };
    match (
        schema.get("type").and_then(Json::as_str),
        schema.get("format").and_then(Json::as_str),
    ) {
        (Some("array"), _) => format!("Array{}", inner("items")),
        (Some("object"), _) => format!("Object{}", inner("additionalProperties")),
        (Some(_), Some(format)) => capitals(format),
        (Some(kind), None) => capitals(kind),
        (None, _) => "Any".to_owned(),
    }
}

/// `date-time` as `DateTime`.
fn capitals(words: &str) -> String {
    let words = words.split('-').map(|word| {
        let (first, rest) = word.split_at_checked(1).unwrap_or((word, ""));
        first.to_uppercase() + rest
    });
    words.collect()
}

/// Returns the schema of an enumerated value.
pub fn words(all: &[&str], description: &str) -> Schema {
    let schema = Schema::of("string").with("enum", json!(all));
    described(schema, description)
}

/// Adds a description to a schema, if there is one.
pub fn described(mut schema: Schema, description: &str) -> Schema {
    if !description.is_empty() {
        schema.set("description", description);
    }
    schema
}

/// A variant of a tagged enum.
pub struct Variant {
    /// Value of the tag.
    pub word: &'static str,
    /// Reference to the component of the variant.
    pub schema: Schema,
}

/// Returns the schema of a variant: its fields and the tag.
pub fn variant(
    tag: &'static str,
    word: &'static str,
    mut fields: Vec<Field>,
    open: bool,
    description: &str,
) -> Schema {
    let schema = Schema::of("string").with("const", word);
    fields.insert(
        0,
        Field {
            name: tag,
            required: true,
            schema,
            description: String::new(),
            deprecated: false,
            hidden: false,
        },
    );
    described(object(fields, open), description)
}

/// Returns the schema of a tagged enum.
pub fn one_of(tag: &str, variants: Vec<Variant>, description: &str) -> Schema {
    let mapping: Map<String, Json> = variants
        .iter()
        .filter_map(|variant| Some((variant.word.to_owned(), variant.schema.get("$ref")?.clone())))
        .collect();
    let list: Vec<Json> = variants
        .into_iter()
        .map(|variant| variant.schema.into_json())
        .collect();
    let schema = Schema::any().with("oneOf", list).with(
        "discriminator",
        json!({"propertyName": tag, "mapping": mapping}),
    );
    described(schema, description)
}

/// Returns the schema of an enum without a tag.
pub fn any_of(types: Vec<Schema>, description: &str) -> Schema {
    let types: Vec<Json> = types.into_iter().map(Schema::into_json).collect();
    described(Schema::any().with("anyOf", types), description)
}

/// Returns the fields of a struct that is the body of a variant.
pub fn fields_of<T: Object>(all: &mut Components) -> (Vec<Field>, bool) {
    (T::fields(all), T::OPEN)
}

/// Defines an input component.
pub fn define<T: 'static>(
    all: &mut Components,
    name: &str,
    build: impl FnOnce(&mut Components) -> Schema,
) -> Schema {
    all.define::<T>(Direction::Input, name, build)
}

/// Serializes a default, if its type allows it. Method resolution prefers [`Written`];
/// [`Unwritten`] is the fallback.
pub struct Probe<'a, T: ?Sized>(pub &'a T);

/// A serializable value.
pub trait Written {
    /// Returns its JSON.
    fn json(&self) -> Option<Json>;
}

impl<T: serde::Serialize + ?Sized> Written for Probe<'_, T> {
    fn json(&self) -> Option<Json> {
        serde_json::to_value(self.0).ok()
    }
}

/// A value that cannot be serialized.
pub trait Unwritten {
    /// Returns `None`.
    fn json(&self) -> Option<Json> {
        None
    }
}

impl<T: ?Sized> Unwritten for &Probe<'_, T> {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn generic_names_are_readable() {
        assert_eq!(
            name_of("Page", &[Schema::reference("Ticket!output")]),
            "PageTicket"
        );
        assert_eq!(name_of("Page", &[Schema::of("string")]), "PageString");
        assert_eq!(
            name_of(
                "Page",
                &[Schema::of("array").with("items", Schema::reference("Ticket!output"))]
            ),
            "PageArrayTicket"
        );
        for (schema, name) in [
            (
                Schema::reference("Ticket!output").nullable(),
                "OptionTicket",
            ),
            (Schema::of("string").nullable(), "OptionString"),
            (
                Schema::of("array").with("items", Schema::of("integer").with("format", "int32")),
                "ArrayInt32",
            ),
            (
                Schema::of("object").with("additionalProperties", Schema::of("boolean")),
                "ObjectBoolean",
            ),
            (Schema::of("string").with("format", "date-time"), "DateTime"),
            (Schema::any(), "Any"),
        ] {
            assert_eq!(name_of("", &[schema]), name);
        }
    }
}
