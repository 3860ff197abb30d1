//! The query string: unknown parameters, and the fields to return.

use doyen_core::{At, Failures, Place, Refusal};
use doyen_schema::input::Value;

use crate::request::{Parts, Request};

/// Records a failure for each unknown parameter: a misspelt filter must not return the full list.
pub(super) fn check(request: &mut Request) -> Result<(), Refusal> {
    let parts = &request.parts;
    if parts.head.uri.query().is_none_or(str::is_empty) || parts.route.subtree {
        return Ok(());
    }
    let root = At::root(Place::Query);
    let known = &parts.route.query_names;
    let mut picked = Vec::new();
    for (name, value) in parts.query_fields()? {
        if !known.iter().any(|known| *known == name) {
            let message = match known.as_slice() {
                [] => "this operation has no query parameters".to_owned(),
                known => format!("is not a known parameter; known are {}", known.join(", ")),
            };
            root.field(&name)
                .fail(&mut request.failures, "unknown_parameter", message);
        } else if parts.route.sparse && name == "fields" {
            picked = pick(&value, parts, &root, &mut request.failures);
        }
    }
    request.parts.picked_fields = picked;
    Ok(())
}

/// Parses `fields=a,b` or `fields=a&fields=b`.
fn pick(value: &Value<'_>, parts: &Parts, root: &At<'_>, failures: &mut Failures) -> Vec<String> {
    let all = &parts.route.fields;
    let texts: Vec<&str> = match value {
        Value::List(items) => items.iter().filter_map(Value::as_text).collect(),
        one => one.as_text().into_iter().collect(),
    };
    let at = root.field("fields");
    let mut picked: Vec<String> = Vec::new();
    for field in texts.into_iter().flat_map(|text| text.split(',')) {
        let field = match &parts.version {
            Some(version) => version.newer_field(field),
            None => field,
        };
        if !all.iter().any(|known| known == field) {
            at.fail(
                failures,
                "one_of",
                format!("must be some of {}", all.join(", ")),
            );
        } else if picked.iter().any(|known| known == field) {
            at.fail(failures, "unique", "must not name a field twice");
        } else {
            picked.push(field.to_owned());
        }
    }
    picked
}
