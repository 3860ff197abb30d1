//! References to components before their names are settled.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use super::Direction;

const COMPONENTS: &str = "#/components/schemas/";

/// Returns the reference to one of the types with this name: `Ticket!input`, `Ticket!input!1`.
pub(super) fn mark(name: &str, direction: Direction, place: usize) -> String {
    let direction = match direction {
        Direction::Input => "input",
        Direction::Output => "output",
    };
    match place {
        0 => format!("{name}!{direction}"),
        place => format!("{name}!{direction}!{place}"),
    }
}

pub(super) fn unmark(marked: &str) -> Option<(&str, Direction, usize)> {
    let mut parts = marked.split('!');
    let name = parts.next()?;
    let direction = match parts.next()? {
        "input" => Direction::Input,
        "output" => Direction::Output,
        _ => return None,
    };
    let place = parts.next().map_or(Some(0), |place| place.parse().ok())?;
    Some((name, direction, place))
}

/// Replaces each reference by that to a name. A reference is the value of `$ref` or of the mapping
/// of a discriminator.
pub(super) fn replace(json: &mut Json, names: &BTreeMap<String, String>) {
    match json {
        Json::String(text) => {
            if let Some(name) = text
                .strip_prefix(COMPONENTS)
                .and_then(|mark| names.get(mark))
            {
                *text = format!("{COMPONENTS}{name}");
            }
        }
        Json::Object(map) => map.values_mut().for_each(|value| replace(value, names)),
        Json::Array(items) => items.iter_mut().for_each(|item| replace(item, names)),
        _ => {}
    }
}

/// Returns true if a schema refers to this name.
pub(super) fn refers(json: &Json, name: &str) -> bool {
    match json {
        Json::String(text) => text.strip_prefix(COMPONENTS) == Some(name),
        Json::Object(map) => map.values().any(|value| refers(value, name)),
        Json::Array(items) => items.iter().any(|item| refers(item, name)),
        _ => false,
    }
}
