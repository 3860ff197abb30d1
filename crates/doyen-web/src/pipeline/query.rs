//! The query string: unknown parameters, and the fields to return.

use doyen_core::{At, Failures, Place, Refusal, UnknownNames};
use doyen_schema::input::Value;

use crate::request::{Parts, Request};
use crate::response::WantedFields;
use crate::route_info::RouteInfo;

/// Records a failure for each unknown parameter: a misspelt filter must not return the full list.
pub(super) fn check(request: &mut Request) -> Result<(), Refusal> {
    let parts = &request.parts;
    if parts.head.uri.query().is_none_or(str::is_empty) || parts.route.subtree {
        return Ok(());
    }
    let root = At::root(Place::Query);
    let known = &parts.route.query_names;
    let unknown = match parts.route.open_query {
        true => UnknownNames::Ignore,
        false => parts.route.strictness.unknown(),
    };
    let mut wanted = WantedFields::default();
    for (name, value) in parts.query_fields()? {
        let is_known = known.iter().any(|known| *known == name);
        if !is_known && unknown != UnknownNames::Refuse {
            if unknown == UnknownNames::Warn {
                request.failures.ignore(root.field(&name).pointer());
            }
        } else if !is_known {
            let message = match known.as_slice() {
                [] => "this operation has no query parameters".to_owned(),
                known => format!("is not a known parameter; known are {}", known.join(", ")),
            };
            root.field(&name)
                .fail(&mut request.failures, "unknown_parameter", message);
        } else if parts.route.sparse && name == "fields" {
            wanted.picked = pick(&value, parts, &root, &mut request.failures);
        } else if parts.route.sparse && name == "nulls" {
            wanted.omits_nulls = value.as_text() == Some("omit");
            if !wanted.omits_nulls {
                root.field("nulls")
                    .fail(&mut request.failures, "one_of", "must be omit");
            }
        }
    }
    request.parts.wanted = wanted;
    Ok(())
}

/// Writes a warning for each name that was ignored. Names come from the client: a long one is cut.
pub(super) fn log_ignored(request: &Request, route: &RouteInfo) {
    for name in request.failures.ignored() {
        let name: String = name.chars().take(64).collect();
        tracing::warn!(
            name,
            method = route.method,
            route = route.path,
            "unknown name ignored"
        );
    }
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
