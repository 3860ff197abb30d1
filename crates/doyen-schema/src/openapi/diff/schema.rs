//! The differences between two schemas.

use std::borrow::Cow;
use std::collections::BTreeSet;

use serde_json::{Value as Json, json};

use super::Diff;

/// Keywords whose value may grow in a request.
const UPPER: [&str; 5] = [
    "maxLength",
    "maximum",
    "exclusiveMaximum",
    "maxItems",
    "maxProperties",
];
/// Keywords whose value may shrink in a request.
const LOWER: [&str; 5] = [
    "minLength",
    "minimum",
    "exclusiveMinimum",
    "minItems",
    "minProperties",
];
/// Keywords that may only disappear in a request.
const EXACT: [&str; 5] = ["pattern", "format", "const", "multipleOf", "uniqueItems"];

/// Maximum depth of nested schemas that are compared.
const MAX_DEPTH: usize = 24;

/// Replaces a reference by what it refers to.
pub(super) fn resolve<'a>(document: &'a Json, value: &'a Json) -> &'a Json {
    let target = value["$ref"]
        .as_str()
        .and_then(|text| text.strip_prefix('#'));
    target
        .and_then(|pointer| document.pointer(pointer))
        .unwrap_or(value)
}

/// Replaces a schema with `allOf` by one that requires the same: every field and keyword of all
/// members.
fn merged<'a>(document: &'a Json, schema: &'a Json, depth: usize) -> Cow<'a, Json> {
    let schema = resolve(document, schema);
    let (Some(whole), Some(members)) = (schema.as_object(), schema["allOf"].as_array()) else {
        return Cow::Borrowed(schema);
    };
    let mut merge = whole.clone();
    merge.remove("allOf");
    // A schema that contains itself in `allOf` ends here.
    let members = members.iter().filter(|_| depth < MAX_DEPTH);
    for member in members {
        let member = merged(document, member, depth + 1);
        for (keyword, value) in member.as_object().into_iter().flatten() {
            match (merge.get_mut(keyword), value) {
                (None, value) => drop(merge.insert(keyword.clone(), value.clone())),
                (Some(Json::Object(fields)), Json::Object(more)) if keyword == "properties" => {
                    for (name, field) in more {
                        let both = match fields.get(name) {
                            Some(first) => json!({"allOf": [first, field]}),
                            None => field.clone(),
                        };
                        fields.insert(name.clone(), both);
                    }
                }
                (Some(Json::Array(names)), Json::Array(more)) if keyword == "required" => {
                    names.extend(more.iter().cloned());
                }
                (Some(Json::Array(values)), Json::Array(others)) if keyword == "enum" => {
                    values.retain(|value| others.contains(value));
                }
                // The first of two annotations or constraints counts.
                (Some(_), _) => {}
            }
        }
    }
    Cow::Owned(Json::Object(merge))
}

impl Diff<'_> {
    /// Compares the schemas of a request: what was valid must stay valid.
    pub(super) fn request(&mut self, at: &str, old: &Json, new: &Json) {
        self.schema(at, old, new, true, 0);
    }

    /// Compares the schemas of a response: what is valid must have been valid.
    pub(super) fn response(&mut self, at: &str, old: &Json, new: &Json) {
        self.schema(at, old, new, false, 0);
    }

    fn schema(&mut self, at: &str, old: &Json, new: &Json, is_request: bool, depth: usize) {
        if depth > MAX_DEPTH {
            return;
        }
        let (Some(before), Some(after)) = (old["$ref"].as_str(), new["$ref"].as_str()) else {
            self.referred(at, old, new, is_request, depth);
            return;
        };
        let names = (before.to_owned(), after.to_owned());
        if self.comparing.contains(&names) {
            return;
        }
        self.comparing.push(names);
        self.referred(at, old, new, is_request, depth);
        self.comparing.pop();
    }

    /// Compares what two schemas refer to.
    fn referred(&mut self, at: &str, old: &Json, new: &Json, is_request: bool, depth: usize) {
        let (before, after) = (merged(self.old, old, 0), merged(self.new, new, 0));
        let (olds, news) = (alternatives(&before), alternatives(&after));
        if olds.len() > 1 || news.len() > 1 {
            self.alternatives(at, &olds, &news, is_request, depth);
            return;
        }
        let (Some(before), Some(after)) = (olds.first(), news.first()) else {
            return;
        };
        let (before, after) = (merged(self.old, before, 0), merged(self.new, after, 0));
        let (before, after) = (&*before, &*after);
        self.types(at, before, after, is_request);
        self.values(at, before, after, is_request);
        if is_request {
            self.constraints(at, before, after);
        }
        self.fields(at, before, after, is_request, depth);
        for keyword in ["items", "additionalProperties"] {
            if before[keyword].is_object() && after[keyword].is_object() {
                let place = format!("{at}/*");
                self.schema(
                    &place,
                    &before[keyword],
                    &after[keyword],
                    is_request,
                    depth + 1,
                );
            }
        }
    }

    /// Each alternative of one side must fit one of the other side.
    fn alternatives(
        &mut self,
        at: &str,
        olds: &[&Json],
        news: &[&Json],
        is_request: bool,
        depth: usize,
    ) {
        let fits = |old: &&Json, new: &&Json| {
            let mut inner = Diff {
                old: self.old,
                new: self.new,
                found: Vec::new(),
                comparing: self.comparing.clone(),
            };
            inner.schema(at, old, new, is_request, depth + 1);
            !inner.found.iter().any(|one| one.is_breaking)
        };
        let missing = if is_request {
            olds.iter()
                .filter(|old| !news.iter().any(|new| fits(old, new)))
                .count()
        } else {
            news.iter()
                .filter(|new| !olds.iter().any(|old| fits(old, new)))
                .count()
        };
        if missing > 0 {
            let what = if is_request {
                "accepts less than before"
            } else {
                "has new alternatives"
            };
            self.breaks("type_changed", at, format!("the value {what}"));
        }
    }

    fn types(&mut self, at: &str, old: &Json, new: &Json, is_request: bool) {
        let (before, after) = (types(old), types(new));
        let breaks = if is_request {
            !covers(&after, &before)
        } else {
            !covers(&before, &after)
        };
        if breaks {
            let detail = format!("the type was {} and is {}", show(&before), show(&after));
            self.breaks("type_changed", at, detail);
        }
    }

    fn values(&mut self, at: &str, old: &Json, new: &Json, is_request: bool) {
        let list = |schema: &Json| {
            let values = schema["enum"].as_array()?;
            Some(
                values
                    .iter()
                    .map(ToString::to_string)
                    .collect::<BTreeSet<_>>(),
            )
        };
        match (list(old), list(new)) {
            (Some(before), Some(after)) => {
                for value in before.difference(&after) {
                    let detail = format!("the value {value} was removed");
                    self.add(is_request, "enum_value_removed", at, detail);
                }
                for value in after.difference(&before) {
                    let detail = format!("the value {value} was added");
                    self.add(!is_request, "enum_value_added", at, detail);
                }
            }
            (None, Some(_)) if is_request => {
                self.breaks("constraint_added", at, "only some values are accepted now");
            }
            (Some(_), None) if !is_request => {
                self.breaks("enum_value_added", at, "any value is possible now");
            }
            _ => {}
        }
    }

    fn constraints(&mut self, at: &str, old: &Json, new: &Json) {
        let tighter = |keyword: &str, is_upper: bool| {
            let (before, after) = (old[keyword].as_f64(), new[keyword].as_f64());
            match (before, after) {
                (None, Some(_)) => true,
                (Some(before), Some(after)) if is_upper => after < before,
                (Some(before), Some(after)) => after > before,
                _ => false,
            }
        };
        let upper = UPPER.iter().filter(|keyword| tighter(keyword, true));
        let lower = LOWER.iter().filter(|keyword| tighter(keyword, false));
        let exact = EXACT.iter().filter(|keyword| {
            let after = &new[**keyword];
            !after.is_null() && after != false && old[**keyword] != *after
        });
        let keywords: Vec<&str> = upper.chain(lower).chain(exact).copied().collect();
        for keyword in keywords {
            let (before, after) = (&old[keyword], &new[keyword]);
            let detail = match before {
                Json::Null => format!("`{keyword}` was added: {after}"),
                _ => format!("`{keyword}` was {before} and is {after}"),
            };
            self.breaks("constraint_added", at, detail);
        }
    }

    fn fields(&mut self, at: &str, old: &Json, new: &Json, is_request: bool, depth: usize) {
        let required = |schema: &Json, name: &str| {
            schema["required"]
                .as_array()
                .is_some_and(|all| all.iter().any(|one| one == name))
        };
        for (name, field) in old["properties"].as_object().into_iter().flatten() {
            let place = format!("{at}/{name}");
            let Some(other) = new["properties"].get(name) else {
                let kind = if is_request {
                    "request_field_removed"
                } else {
                    "response_field_removed"
                };
                self.breaks(kind, &place, "the field was removed");
                continue;
            };
            match (required(old, name), required(new, name)) {
                (false, true) if is_request => {
                    self.breaks(
                        "request_field_required",
                        &place,
                        "the field became required",
                    );
                }
                (true, false) if !is_request => {
                    self.breaks(
                        "response_field_optional",
                        &place,
                        "the field became optional",
                    );
                }
                _ => {}
            }
            self.schema(&place, field, other, is_request, depth + 1);
        }
        for (name, _) in new["properties"].as_object().into_iter().flatten() {
            if old["properties"].get(name).is_some() {
                continue;
            }
            let place = format!("{at}/{name}");
            match (is_request, required(new, name)) {
                (true, true) => {
                    self.breaks(
                        "request_field_required",
                        &place,
                        "a required field was added",
                    );
                }
                (true, false) => {
                    self.fits("request_field_added", &place, "an optional field was added")
                }
                (false, _) => self.fits("response_field_added", &place, "a field was added"),
            }
        }
    }
}

/// Returns the alternatives of a schema: those of `anyOf` or `oneOf`, or the schema itself.
fn alternatives(schema: &Json) -> Vec<&Json> {
    let all = ["anyOf", "oneOf"]
        .iter()
        .find_map(|keyword| schema[*keyword].as_array());
    all.map_or_else(|| vec![schema], |all| all.iter().collect())
}

/// Returns the types of a schema; empty for any.
fn types(schema: &Json) -> BTreeSet<&str> {
    match &schema["type"] {
        Json::String(one) => BTreeSet::from([one.as_str()]),
        Json::Array(all) => all.iter().filter_map(Json::as_str).collect(),
        _ => BTreeSet::new(),
    }
}

/// True if every value of the types of `inner` has a type of `outer`.
fn covers(outer: &BTreeSet<&str>, inner: &BTreeSet<&str>) -> bool {
    if outer.is_empty() {
        return true;
    }
    let has = |one: &&str| outer.contains(one) || (*one == "integer" && outer.contains("number"));
    !inner.is_empty() && inner.iter().all(has)
}

fn show(types: &BTreeSet<&str>) -> String {
    match types.len() {
        0 => "any".to_owned(),
        _ => format!(
            "`{}`",
            types.iter().copied().collect::<Vec<_>>().join("` or `")
        ),
    }
}
