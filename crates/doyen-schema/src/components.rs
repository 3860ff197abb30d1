//! The named schemas of a document.

mod clash;
mod loosen;
mod reference;
mod settle;

pub use clash::NameClash;

use std::any::{TypeId, type_name};
use std::collections::{BTreeMap, HashMap};

use doyen_core::Strictness;
use serde_json::Value as Json;

use self::reference::{mark, replace, unmark};
use crate::contract::OutboundCall;
use crate::{ProblemContract, Schema};

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
/// rename one. Only instances of a generic type, whose name is composed of the schemas of its
/// arguments, are distinguished by the Rust names of the arguments.
#[derive(Debug, Default)]
pub struct Components {
    /// The strictness of the application, and of the route that is described.
    usual: Strictness,
    current: Strictness,
    places: HashMap<(TypeId, Direction, String), usize>,
    schemas: BTreeMap<(String, Direction), Vec<Component>>,
}

/// One of the types with the same name and direction.
#[derive(Debug)]
struct Component {
    type_name: &'static str,
    schema: Schema,
}

impl Components {
    /// Creates an empty set.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the strictness of the application. The schemas of a route with another one are
    /// components of their own.
    pub const fn strictness(&mut self, usual: Strictness) {
        self.usual = usual;
        self.current = usual;
    }

    /// Sets the strictness of the route that is described next.
    pub const fn describe_route(&mut self, strictness: Strictness) {
        self.current = strictness;
    }

    /// Makes an input schema accept what the route accepts. References stay as they are.
    #[must_use]
    pub fn loosened(&self, schema: Schema) -> Schema {
        loosen::schema(schema, self.current)
    }

    /// Describes a named type once and gives the reference to it. Recursive types are fine: the
    /// second visit returns at once.
    pub fn define<T: 'static>(
        &mut self,
        direction: Direction,
        name: &str,
        build: impl FnOnce(&mut Self) -> Schema,
    ) -> Schema {
        let full = self.name_of(name, direction);
        let id = (TypeId::of::<T>(), direction, full.clone());
        if let Some(place) = self.places.get(&id) {
            return Schema::reference(&mark(&full, direction, *place));
        }
        let key = (full.clone(), direction);
        let same = self.schemas.entry(key.clone()).or_default();
        let place = same.len();
        same.push(Component {
            type_name: type_name::<T>(),
            schema: Schema::any(),
        });
        self.places.insert(id.clone(), place);
        let mut schema = build(self);
        if direction == Direction::Input {
            let loose = loosen::schema(schema.clone(), self.current);
            if full != name && schema.get("type").is_some_and(|kind| kind == "string") {
                // A string is the same at every strictness: it stays one component.
                self.places.remove(&id);
                self.forget_last(&key);
                return self.insert((id.0, direction, name.to_owned()), type_name::<T>(), schema);
            }
            schema = loose;
        }
        if let Some(same) = self.schemas.get_mut(&key) {
            same[place].schema = schema;
        }
        // The name is settled in `finish`, when all types are known.
        Schema::reference(&mark(&full, direction, place))
    }

    /// Removes the component of this name that was added last.
    fn forget_last(&mut self, key: &(String, Direction)) {
        let is_last = self.schemas.get_mut(key).is_some_and(|same| {
            same.pop();
            same.is_empty()
        });
        if is_last {
            self.schemas.remove(key);
        }
    }

    /// Adds a component that refers to no other, unless it is known.
    fn insert(
        &mut self,
        id: (TypeId, Direction, String),
        type_name: &'static str,
        schema: Schema,
    ) -> Schema {
        let (_, direction, name) = &id;
        let known = self.places.get(&id).copied();
        let same = self.schemas.entry((name.clone(), *direction)).or_default();
        let place = known.unwrap_or_else(|| {
            same.push(Component { type_name, schema });
            same.len() - 1
        });
        let reference = Schema::reference(&mark(name, *direction, place));
        self.places.insert(id, place);
        reference
    }

    /// Returns the name of a component at the current strictness.
    fn name_of(&self, name: &str, direction: Direction) -> String {
        let suffix = match direction {
            Direction::Input => loosen::suffix(self.usual, self.current),
            Direction::Output => "",
        };
        format!("{name}{suffix}")
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
            let (name, direction, place) = unmark(marked)?;
            let same = self.schemas.get(&(name.to_owned(), direction))?;
            Some(&same.get(place)?.schema)
        });
        referred.unwrap_or(schema)
    }

    /// Decides the final names.
    ///
    /// # Errors
    ///
    /// Returns every pair of different types that have the same name.
    pub fn finish(self) -> Result<Named, Vec<NameClash>> {
        settle::settle(&self.schemas)
    }
}

/// The components of a document with their final names.
#[derive(Debug, Default)]
pub struct Named {
    /// The final name of each reference.
    names: BTreeMap<String, String>,
    /// Each component by its final name.
    pub schemas: BTreeMap<String, Schema>,
    /// The format of problems, if it is not RFC 9457.
    pub problems: Option<ProblemContract>,
    /// Requests that the service sends on its own, with the schemas of their bodies.
    pub webhooks: Vec<(OutboundCall, Schema)>,
}

impl Named {
    /// Replaces references in a part of the document by the final names.
    pub fn settle(&self, json: &mut Json) {
        replace(json, &self.names);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    struct Ticket;
    struct Priority;
    struct Page<T>(T);

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
    fn two_types_of_one_name_are_refused_by_their_paths() {
        let mut all = Components::new();
        all.define::<Ticket>(Direction::Output, "Thing", |_| Schema::of("object"));
        all.define::<Priority>(Direction::Output, "Thing", |_| Schema::of("string"));
        let clashes = all.finish().unwrap_err();
        assert_eq!(clashes.len(), 1);
        assert_eq!(clashes[0].name, "Thing");
        let text = clashes[0].to_string();
        for part in ["components::tests::Ticket`", "components::tests::Priority`"] {
            assert!(text.contains(part), "{text}");
        }
    }

    #[test]
    fn a_name_that_another_type_gets_for_its_input_is_refused() {
        let mut all = Components::new();
        all.define::<Ticket>(Direction::Input, "Ticket", |_| Schema::of("object"));
        all.define::<Ticket>(Direction::Output, "Ticket", |_| Schema::of("string"));
        all.define::<Priority>(Direction::Output, "TicketInput", |_| Schema::of("array"));
        let clashes = all.finish().unwrap_err();
        assert_eq!(clashes[0].name, "TicketInput");
    }

    #[test]
    fn a_name_of_the_problems_is_refused() {
        let mut all = Components::new();
        all.define::<Ticket>(Direction::Output, "Failure", |_| Schema::of("object"));
        assert_eq!(all.finish().unwrap_err()[0].name, "Failure");
    }

    #[test]
    fn instances_of_a_generic_type_are_told_apart_in_both_directions() {
        let mut all = Components::new();
        let page = |limit: u8| Schema::of("object").with("maxProperties", limit);
        all.define::<Page<u8>>(Direction::Input, "PageInteger", |_| page(1));
        let two = all.define::<Page<Option<i8>>>(Direction::Input, "PageInteger", |_| page(2));
        all.define::<Page<u8>>(Direction::Output, "PageInteger", |_| page(1));
        let named = all.finish().unwrap();
        let names: Vec<&String> = named.schemas.keys().collect();
        assert_eq!(names, ["PageOptionI8", "PageU8"]);
        let mut json = two.into_json();
        named.settle(&mut json);
        assert_eq!(json, json!({"$ref": "#/components/schemas/PageOptionI8"}));
    }

    #[test]
    fn a_type_that_refers_to_itself_is_one_component() {
        let mut all = Components::new();
        all.define::<Ticket>(Direction::Output, "Ticket", |all| {
            let own = all.define::<Ticket>(Direction::Output, "Ticket", |_| Schema::of("string"));
            Schema::of("array").with("items", own)
        });
        let named = all.finish().unwrap();
        assert_eq!(
            named.schemas["Ticket"].as_json(),
            json!({"type": "array", "items": {"$ref": "#/components/schemas/Ticket"}})
        );
    }
}
