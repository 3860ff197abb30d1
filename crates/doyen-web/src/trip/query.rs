//! Names in the query string that the route does not know, and the fields it is asked to pick.

use doyen_core::{At, Place, Refusal};

use crate::request::Request;

/// Records a failure for each unknown name: a misspelt filter must not give the unfiltered list.
pub(super) fn check(request: &mut Request) -> Result<(), Refusal> {
    let parts = &request.parts;
    if parts.head.uri.query().is_none_or(str::is_empty) {
        return Ok(());
    }
    let root = At::root(Place::Query);
    let known = &parts.entry.query_names;
    for name in parts.query_names()? {
        if !known.iter().any(|known| *known == name) {
            let message = if known.is_empty() {
                "nothing is read from the query".to_owned()
            } else {
                format!("must be one of {}", known.join(", "))
            };
            root.field(&name)
                .fail(&mut request.failures, "unknown_parameter", message);
        }
    }
    if !parts.entry.sparse {
        return Ok(());
    }
    let fields = &parts.entry.operation.fields;
    let mut picked = Vec::new();
    for (name, value) in crate::extract::text::pairs(parts.head.uri.query().unwrap_or(""))? {
        if name != "fields" {
            continue;
        }
        for field in value.split(',') {
            if !fields.iter().any(|known| known == field) {
                root.field("fields").fail(
                    &mut request.failures,
                    "one_of",
                    format!("must be some of {}", fields.join(", ")),
                );
            } else if picked.iter().any(|known| known == field) {
                root.field("fields").fail(
                    &mut request.failures,
                    "unique_items",
                    "must not name a field twice",
                );
            } else {
                picked.push(field.to_owned());
            }
        }
    }
    request.parts.picked = picked;
    Ok(())
}
