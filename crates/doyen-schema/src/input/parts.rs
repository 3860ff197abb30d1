//! What the code of `#[derive(Input)]` calls, so that it stays small. Not part of the public API.

use doyen_core::{At, Failures};
use serde_json::{Map, Value as Json, json};

use super::{Field, MAX_FAILURES, Object, Value, object};
use crate::{Components, Direction, Schema};

/// The values of an object, each in the slot of its field.
pub struct Fields<'v, const N: usize>([Option<Value<'v>>; N]);

impl<'v, const N: usize> Fields<'v, N> {
    /// Sorts the values of an object into slots. Records what is not an object, and unknown fields unless `open`.
    pub fn open(
        value: Value<'v>,
        names: &[&str; N],
        open: bool,
        at: &At<'_>,
        out: &mut Failures,
    ) -> Option<Self> {
        let Value::Map(entries) = value else {
            value.refuse("object", "an object", at, out);
            return None;
        };
        let mut slots = [const { None }; N];
        for (name, value) in entries {
            match names.iter().position(|known| *known == name) {
                Some(slot) => slots[slot] = Some(value),
                None if !open && out.len() < MAX_FAILURES => unknown(&name, names, at, out),
                None => {}
            }
        }
        Some(Self(slots))
    }

    /// The value of a field, once.
    pub fn take(&mut self, slot: usize) -> Option<Value<'v>> {
        self.0[slot].take()
    }
}

fn unknown(name: &str, names: &[&str], at: &At<'_>, out: &mut Failures) {
    let mut params = Map::new();
    let message = match nearest(name, names) {
        Some(near) => {
            params.insert("nearest".into(), near.into());
            format!("is not a known field; did you mean `{near}`?")
        }
        None => "is not a known field".to_owned(),
    };
    at.field(name)
        .fail_with(out, "unknown_field", message, params);
}

/// The known name closest to a wrong one, if it is close.
fn nearest<'n>(name: &str, names: &[&'n str]) -> Option<&'n str> {
    // The cost of a distance grows with both lengths; a long name is no slip of the finger.
    if name.len() > 64 {
        return None;
    }
    let distances = names
        .iter()
        .map(|known| (strsim::damerau_levenshtein(name, known), *known));
    distances
        .min()
        .filter(|(distance, known)| *distance <= (known.len() / 3).max(1))
        .map(|(_, known)| known)
}

/// A list, without a trait that must be in scope.
pub fn list<T, const N: usize>(items: [T; N]) -> Vec<T> {
    Vec::from(items)
}

/// A field of the contract.
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
    }
}

/// Records that a field is missing.
pub fn required<T>(at: &At<'_>, out: &mut Failures) -> Option<T> {
    at.fail(out, "required", "is required");
    None
}

/// Reads text with the type's own function.
pub fn from_text<T, E: std::fmt::Display>(
    text: String,
    read: impl FnOnce(&str) -> Result<T, E>,
    code: &'static str,
    at: &At<'_>,
    out: &mut Failures,
) -> Option<T> {
    match read(&text) {
        Ok(value) => Some(value),
        Err(error) => {
            at.fail(out, code, error.to_string());
            None
        }
    }
}

/// Reads one of a few words: the index of the word.
pub fn choice(value: Value<'_>, words: &[&str], at: &At<'_>, out: &mut Failures) -> Option<usize> {
    let Some(text) = value.as_text() else {
        value.refuse("string", "text", at, out);
        return None;
    };
    let found = words.iter().position(|word| *word == text);
    if found.is_none() {
        not_one_of(words, at, out);
    }
    found
}

fn not_one_of(words: &[&str], at: &At<'_>, out: &mut Failures) {
    let list = words
        .iter()
        .map(|word| format!("`{word}`"))
        .collect::<Vec<_>>()
        .join(", ");
    let params = Map::from_iter([("allowed".to_owned(), json!(words))]);
    at.fail_with(out, "one_of", format!("must be one of {list}"), params);
}

/// Takes the tag out of an object: the index of the variant, and the object without the tag.
pub fn tagged<'v>(
    value: Value<'v>,
    tag: &str,
    words: &[&str],
    at: &At<'_>,
    out: &mut Failures,
) -> Option<(usize, Value<'v>)> {
    let Value::Map(mut entries) = value else {
        value.refuse("object", "an object", at, out);
        return None;
    };
    let here = at.field(tag);
    let Some(place) = entries.iter().position(|(name, _)| name == tag) else {
        here.fail(out, "required", "is required");
        return None;
    };
    let (_, word) = entries.remove(place);
    let index = choice(word, words, &here, out)?;
    Some((index, Value::Map(entries)))
}

/// The name of a generic type in the document: `Page` of `Ticket` is `PageTicket`.
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
    let kind = schema.get("type").and_then(Json::as_str).unwrap_or("any");
    let inner = match schema.get("items") {
        Some(Json::Object(items)) => items
            .get("$ref")
            .and_then(Json::as_str)
            .and_then(|r| r.rsplit('/').next()),
        _ => None,
    };
    let inner = inner
        .and_then(|name| name.split('!').next())
        .unwrap_or_default();
    format!("{}{}{inner}", kind[..1].to_uppercase(), &kind[1..])
}

/// The schema of one of a few words.
pub fn words(all: &[&str], description: &str) -> Schema {
    let schema = Schema::of("string").with("enum", json!(all));
    described(schema, description)
}

/// The schema with a description, if there is one.
pub fn described(mut schema: Schema, description: &str) -> Schema {
    if !description.is_empty() {
        schema.set("description", description);
    }
    schema
}

/// One variant of a tagged enum.
pub struct Variant {
    /// The word of the tag.
    pub word: &'static str,
    /// A reference to the component of the variant.
    pub schema: Schema,
}

/// The schema of a variant: the fields and the tag.
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
        },
    );
    described(object(fields, open), description)
}

/// The schema of a tagged enum.
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

/// The fields of a struct that is the body of a variant.
pub fn fields_of<T: Object>(all: &mut Components) -> (Vec<Field>, bool) {
    (T::fields(all), T::OPEN)
}

/// Defines a component that is read.
pub fn define<T: 'static>(
    all: &mut Components,
    name: &str,
    build: impl FnOnce(&mut Components) -> Schema,
) -> Schema {
    all.define::<T>(Direction::Input, name, build)
}

/// The JSON of a default, when its type can be written. Method resolution prefers [`Written`]; [`Unwritten`] is what remains.
pub struct Probe<'a, T: ?Sized>(pub &'a T);

/// A value that can be written.
pub trait Written {
    /// Its JSON.
    fn json(&self) -> Option<Json>;
}

impl<T: serde::Serialize + ?Sized> Written for Probe<'_, T> {
    fn json(&self) -> Option<Json> {
        serde_json::to_value(self.0).ok()
    }
}

/// A value that can not be written.
pub trait Unwritten {
    /// Nothing.
    fn json(&self) -> Option<Json> {
        None
    }
}

impl<T: ?Sized> Unwritten for &Probe<'_, T> {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_near() {
        let names = ["quantity", "sku"];
        assert_eq!(nearest("quantty", &names), Some("quantity"));
        assert_eq!(nearest("skuu", &names), Some("sku"));
        assert_eq!(nearest("colour", &names), None);
        assert_eq!(nearest(&"q".repeat(100), &names), None);
    }

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
    }
}
