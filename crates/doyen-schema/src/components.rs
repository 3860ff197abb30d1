//! The named schemas of a document.

use std::any::TypeId;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde_json::Value as Json;

use crate::Schema;

/// Direction of a type: its input and output schemas may differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Direction {
    /// Read by the service.
    Input,
    /// Written by the service.
    Output,
}

/// The named schemas of a document. Types register themselves when they are described.
///
/// A type with equal input and output schemas is one component; otherwise there are `Name` (output)
/// and `NameInput`. Two different types of one name are an error when the document is generated:
/// rename one.
#[derive(Debug, Default)]
pub struct Components {
    seen: HashMap<(TypeId, Direction), ()>,
    schemas: BTreeMap<(String, Direction), Vec<(TypeId, Schema)>>,
}

impl Components {
    /// Creates an empty set.
    pub fn new() -> Self {
        Self::default()
    }

    /// Describes a named type once and returns a reference to it. Recursive types are possible: the
    /// second visit returns at once.
    pub fn define<T: 'static>(
        &mut self,
        direction: Direction,
        name: &str,
        build: impl FnOnce(&mut Self) -> Schema,
    ) -> Schema {
        let id = TypeId::of::<T>();
        if self.seen.insert((id, direction), ()).is_none() {
            let schema = build(self);
            self.schemas
                .entry((name.to_owned(), direction))
                .or_default()
                .push((id, schema));
        }
        // The suffix is decided in `finish`, when both directions are known; until then the
        // reference contains its direction.
        Schema::reference(&match direction {
            Direction::Input => format!("{name}!input"),
            Direction::Output => format!("{name}!output"),
        })
    }

    /// Returns the property names of an object schema. References are resolved.
    pub fn properties(&self, schema: &Schema) -> Vec<String> {
        let properties = self
            .follow(schema)
            .get("properties")
            .and_then(Json::as_object);
        properties
            .map(|all| all.keys().cloned().collect())
            .unwrap_or_default()
    }

    /// Returns the object with every field optional and at least one present. References are
    /// resolved.
    pub fn partial(&self, schema: &Schema) -> Schema {
        let mut part = self.follow(schema).clone();
        part.remove("required");
        part.with("minProperties", 1)
    }

    /// Resolves a plain reference; returns any other schema unchanged.
    fn follow<'s>(&'s self, schema: &'s Schema) -> &'s Schema {
        let referred = schema.referred().and_then(|marked| {
            let (name, direction) = unmark(marked)?;
            let all = self.schemas.get(&(name.to_owned(), direction))?;
            all.first().map(|(_, schema)| schema)
        });
        referred.unwrap_or(schema)
    }

    /// Decides the final names.
    ///
    /// # Errors
    ///
    /// Returns an error if two different types have one name.
    pub fn finish(self) -> Result<Named, NameClash> {
        let split = self.split();
        let mut named = Named::default();
        for ((name, direction), mut same) in self.schemas {
            let (_, first) = same.swap_remove(0);
            if same.iter().any(|(_, other)| *other != first) {
                return Err(NameClash { name });
            }
            let settled = if direction == Direction::Input && split.contains(&name) {
                format!("{name}Input")
            } else {
                name.clone()
            };
            named.names.insert((name, direction), settled.clone());
            named.schemas.insert(settled, first);
        }
        let names = named.names.clone();
        for schema in named.schemas.values_mut() {
            let mut json = std::mem::take(schema).into_json();
            settle(&mut json, &names);
            if let Json::Object(map) = json {
                *schema = map.into();
            }
        }
        Ok(named)
    }

    /// Returns the names with two schemas: those that differ, and those that refer to one of them.
    fn split(&self) -> BTreeSet<String> {
        let schema = |name: &str, direction| {
            let same = self.schemas.get(&(name.to_owned(), direction))?;
            same.first().map(|(_, schema)| schema)
        };
        let mut twins: Vec<(&str, &Schema, &Schema)> = Vec::new();
        for (name, direction) in self.schemas.keys() {
            if *direction == Direction::Input
                && let Some(read) = schema(name, Direction::Input)
                && let Some(written) = schema(name, Direction::Output)
            {
                twins.push((name, read, written));
            }
        }
        let mut split: BTreeSet<String> = BTreeSet::new();
        loop {
            let before = split.len();
            for (name, read, written) in &twins {
                if bare(read) != bare(written) || split.iter().any(|other| refers(read, other)) {
                    split.insert((*name).to_owned());
                }
            }
            if split.len() == before {
                return split;
            }
        }
    }
}

/// The components of a document with their final names.
#[derive(Debug, Default)]
pub struct Named {
    names: BTreeMap<(String, Direction), String>,
    /// Returns each component with its final name.
    pub schemas: BTreeMap<String, Schema>,
}

impl Named {
    /// Replaces references in a part of the document by the final names.
    pub fn settle(&self, json: &mut Json) {
        settle(json, &self.names);
    }
}

/// Two different types have the same component name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NameClash {
    /// The name.
    pub name: String,
}

impl std::fmt::Display for NameClash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "two different types have the name `{}` in the document; rename one with `#[output(name = \"..\")]` or `#[input(name = \"..\")]`",
            self.name
        )
    }
}

impl std::error::Error for NameClash {}

/// Returns the schema without the direction marks, to compare the two schemas of a type.
fn bare(schema: &Schema) -> String {
    schema
        .as_json()
        .to_string()
        .replace("!input", "")
        .replace("!output", "")
}

/// True if an input schema refers to a component.
fn refers(schema: &Schema, name: &str) -> bool {
    schema
        .as_json()
        .to_string()
        .contains(&format!("\"#/components/schemas/{name}!input\""))
}

// Any marked reference: the value of `$ref`, and the mapping of a discriminator.
fn settle(json: &mut Json, names: &BTreeMap<(String, Direction), String>) {
    match json {
        Json::String(text) => {
            if let Some(found) = settled(text, names) {
                *text = format!("#/components/schemas/{found}");
            }
        }
        Json::Object(map) => map.values_mut().for_each(|value| settle(value, names)),
        Json::Array(items) => items.iter_mut().for_each(|item| settle(item, names)),
        _ => {}
    }
}

fn settled<'n>(
    reference: &str,
    names: &'n BTreeMap<(String, Direction), String>,
) -> Option<&'n String> {
    let marked = reference.strip_prefix("#/components/schemas/")?;
    let (name, direction) = unmark(marked)?;
    names.get(&(name.to_owned(), direction))
}

fn unmark(marked: &str) -> Option<(&str, Direction)> {
    match marked.strip_suffix("!input") {
        Some(name) => Some((name, Direction::Input)),
        None => Some((marked.strip_suffix("!output")?, Direction::Output)),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    struct Ticket;
    struct Priority;

    #[test]
    fn a_type_that_reads_and_writes_alike_is_one_component() {
        let mut all = Components::new();
        all.define::<Priority>(Direction::Input, "Priority", |_| Schema::of("string"));
        all.define::<Priority>(Direction::Output, "Priority", |_| Schema::of("string"));
        let named = all.finish().unwrap();
        assert_eq!(named.schemas.keys().collect::<Vec<_>>(), ["Priority"]);
    }

    #[test]
    fn two_contracts_get_two_names_and_references_follow() {
        let mut all = Components::new();
        let input = all.define::<Ticket>(Direction::Input, "Ticket", |_| Schema::of("object"));
        all.define::<Ticket>(Direction::Output, "Ticket", |_| {
            Schema::of("object").with("readOnly", true)
        });
        let named = all.finish().unwrap();
        let mut json = input.into_json();
        named.settle(&mut json);
        assert_eq!(json, json!({"$ref": "#/components/schemas/TicketInput"}));
    }

    #[test]
    fn two_types_of_one_name_are_refused() {
        let mut all = Components::new();
        all.define::<Ticket>(Direction::Output, "Thing", |_| Schema::of("object"));
        all.define::<Priority>(Direction::Output, "Thing", |_| Schema::of("string"));
        assert_eq!(all.finish().unwrap_err().name, "Thing");
    }
}
