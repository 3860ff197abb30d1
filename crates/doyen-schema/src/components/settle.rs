//! The final names of components.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value as Json;

use super::reference::{mark, refers, replace};
use super::{Component, Direction, NameClash, Named};
use crate::Schema;

/// The names of the schemas of problems, which every document has.
const RESERVED: [&str; 3] = ["Problem", "ValidationProblem", "Failure"];

type All = BTreeMap<(String, Direction), Vec<Component>>;

/// Settles the names: the instances of a generic type get different ones, and the input of a type
/// with two contracts gets a suffix.
pub(super) fn settle(all: &All) -> Result<Named, Vec<NameClash>> {
    let mut names = distinct_names(all);
    let split = split(all, &names);
    for ((name, direction), same) in all {
        for place in 0..same.len() {
            if let Some(settled) = names.get_mut(&mark(name, *direction, place))
                && *direction == Direction::Input
                && split.contains(settled)
            {
                settled.push_str("Input");
            }
        }
    }
    let mut found: BTreeMap<String, (&'static str, Json)> = BTreeMap::new();
    let mut clashes = Vec::new();
    for (mark, component) in components(all) {
        let name = &names[&mark];
        let mut json = component.schema.as_json();
        replace(&mut json, &names);
        let type_name = component.type_name;
        let other = match found.entry(name.clone()) {
            _ if RESERVED.contains(&name.as_str()) => Some("doyen::Problem"),
            Entry::Vacant(free) => {
                free.insert((type_name, json));
                None
            }
            Entry::Occupied(known) => (known.get().1 != json).then_some(known.get().0),
        };
        if let Some(other) = other {
            let clash = NameClash {
                name: name.clone(),
                types: [other, type_name],
            };
            if !clashes.contains(&clash) {
                clashes.push(clash);
            }
        }
    }
    if !clashes.is_empty() {
        return Err(clashes);
    }
    let schemas = found
        .into_iter()
        .filter_map(|(name, (_, json))| match json {
            Json::Object(map) => Some((name, Schema::from(map))),
            _ => None,
        });
    Ok(Named {
        schemas: schemas.collect(),
        names,
        problems: None,
        webhooks: Vec::new(),
    })
}

/// Returns every component with the reference to it.
fn components(all: &All) -> impl Iterator<Item = (String, &Component)> {
    all.iter().flat_map(|((name, direction), same)| {
        let places = same.iter().enumerate();
        places.map(|(place, component)| (mark(name, *direction, place), component))
    })
}

/// Returns a name for each reference. Instances of generic types whose names are the same get the
/// names of their Rust types.
fn distinct_names(all: &All) -> BTreeMap<String, String> {
    let plain: BTreeMap<String, String> = all
        .iter()
        .flat_map(|((name, direction), same)| {
            (0..same.len()).map(|place| (mark(name, *direction, place), name.clone()))
        })
        .collect();
    let schema = |component: &Component| {
        let mut json = component.schema.as_json();
        replace(&mut json, &plain);
        json
    };
    let ambiguous: BTreeSet<&String> = all
        .iter()
        .filter(|(_, same)| {
            same.windows(2)
                .any(|pair| schema(&pair[0]) != schema(&pair[1]))
        })
        .map(|((name, _), _)| name)
        .collect();
    let mut names = plain.clone();
    for (mark, component) in components(all) {
        if let Some(name) = names.get_mut(&mark)
            && ambiguous.contains(name)
            && component.type_name.contains('<')
        {
            *name = readable(component.type_name);
        }
    }
    names
}

/// Returns a type without its modules and brackets: `PageOptionTicket`.
fn readable(type_name: &str) -> String {
    let mut name = String::new();
    let is_path = |c: char| c.is_alphanumeric() || c == '_' || c == ':';
    for path in type_name.split(|c: char| !is_path(c)) {
        let mut chars = path.rsplit("::").next().unwrap_or_default().chars();
        name.extend(chars.next().into_iter().flat_map(char::to_uppercase));
        name.extend(chars);
    }
    name
}

/// Returns the names with two contracts: those whose schemas differ, and those whose input refers
/// to one of them.
fn split(all: &All, names: &BTreeMap<String, String>) -> BTreeSet<String> {
    let mut contracts: BTreeMap<(&String, Direction), Json> = BTreeMap::new();
    for ((name, direction), same) in all {
        for (place, component) in same.iter().enumerate() {
            let mut json = component.schema.as_json();
            replace(&mut json, names);
            contracts.insert((&names[&mark(name, *direction, place)], *direction), json);
        }
    }
    let twins: Vec<(&String, &Json, &Json)> = contracts
        .iter()
        .filter(|((_, direction), _)| *direction == Direction::Input)
        .filter_map(|((name, _), read)| {
            let written = contracts.get(&(*name, Direction::Output))?;
            Some((*name, read, written))
        })
        .collect();
    let mut split: BTreeSet<String> = BTreeSet::new();
    loop {
        let before = split.len();
        for (name, read, written) in &twins {
            if read != written || split.iter().any(|other| refers(read, other)) {
                split.insert((*name).clone());
            }
        }
        if split.len() == before {
            return split;
        }
    }
}
