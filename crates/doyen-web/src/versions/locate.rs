//! Where a named schema occurs in a body.

use std::collections::BTreeSet;

use doyen_schema::Named;
use serde_json::{Map, Value as Json};

const REFERENCE: &str = "#/components/schemas/";

/// A step from a value to a part of it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Segment {
    /// The member of this name.
    Field(String),
    /// Each item of a list, or each member of a map.
    Each,
}

/// The occurrence of a schema in a body.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Occurrence {
    pub(crate) path: Vec<Segment>,
    pub(crate) schema: &'static str,
}

/// Finds the occurrences of these schemas in the values of a schema. A schema inside itself is
/// found once.
pub(crate) fn occurrences(
    schema: &Json,
    components: &Named,
    names: &BTreeSet<&'static str>,
) -> Vec<Occurrence> {
    let mut walk = Walk {
        components,
        names,
        path: Vec::new(),
        inside: Vec::new(),
        found: BTreeSet::new(),
    };
    walk.visit(schema);
    let mut found: Vec<Occurrence> = walk.found.into_iter().collect();
    // Inner objects first: a step on an outer one may replace them.
    found.sort_by_key(|one| std::cmp::Reverse(one.path.len()));
    found
}

struct Walk<'a> {
    components: &'a Named,
    names: &'a BTreeSet<&'static str>,
    path: Vec<Segment>,
    inside: Vec<String>,
    found: BTreeSet<Occurrence>,
}

impl Walk<'_> {
    fn visit(&mut self, schema: &Json) {
        let reference = schema["$ref"]
            .as_str()
            .and_then(|text| text.strip_prefix(REFERENCE));
        if let Some(name) = reference {
            self.visit_component(name);
        }
        for keyword in ["anyOf", "oneOf", "allOf"] {
            for one in schema[keyword].as_array().into_iter().flatten() {
                self.visit(one);
            }
        }
        for (name, inner) in schema["properties"].as_object().into_iter().flatten() {
            self.visit_at(Segment::Field(name.clone()), inner);
        }
        for keyword in ["items", "additionalProperties"] {
            if schema[keyword].is_object() {
                self.visit_at(Segment::Each, &schema[keyword]);
            }
        }
    }

    fn visit_at(&mut self, segment: Segment, schema: &Json) {
        self.path.push(segment);
        self.visit(schema);
        self.path.pop();
    }

    fn visit_component(&mut self, name: &str) {
        if let Some(known) = self.names.get(name) {
            self.found.insert(Occurrence {
                path: self.path.clone(),
                schema: known,
            });
        }
        if self.inside.iter().any(|outer| outer == name) {
            return;
        }
        if let Some(schema) = self.components.schemas.get(name) {
            self.inside.push(name.to_owned());
            self.visit(&schema.as_json());
            self.inside.pop();
        }
    }
}

/// Calls a function with each object at a path.
pub(crate) fn each(value: &mut Json, path: &[Segment], f: &mut dyn FnMut(&mut Map<String, Json>)) {
    let Some((first, rest)) = path.split_first() else {
        if let Json::Object(object) = value {
            f(object);
        }
        return;
    };
    match (first, value) {
        (Segment::Field(name), Json::Object(object)) => {
            if let Some(inner) = object.get_mut(name) {
                each(inner, rest, f);
            }
        }
        (Segment::Each, Json::Array(items)) => {
            items.iter_mut().for_each(|item| each(item, rest, f));
        }
        (Segment::Each, Json::Object(members)) => {
            members
                .values_mut()
                .for_each(|member| each(member, rest, f));
        }
        _ => {}
    }
}

/// True if a pointer into a body begins at the path. Returns the segments after it.
pub(crate) fn after<'p>(pointer: &'p [String], path: &[Segment]) -> Option<&'p [String]> {
    let (front, rest) = pointer.split_at_checked(path.len())?;
    let fits = |(given, segment): (&String, &Segment)| match segment {
        Segment::Field(name) => given == name,
        Segment::Each => true,
    };
    front.iter().zip(path).all(fits).then_some(rest)
}
