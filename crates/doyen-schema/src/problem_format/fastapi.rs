//! The errors of FastAPI.

use doyen_core::{Beyond, Failure};
use serde_json::{Map, Value as Json, json};

use super::{ProblemFormat, ProblemSchemas, ProblemView};
use crate::{Components, Direction, Schema};

/// The errors of FastAPI: `{"detail": [{"type", "loc", "msg"}]}` for validation errors, and
/// `{"detail": "Not Found"}` for every other problem.
///
/// The members `input` and `ctx` of FastAPI are missing: an error never contains the rejected
/// value. The other problems have their detail, or their title if they have none, as
/// `HTTPException` does.
#[derive(Clone, Copy, Debug, Default)]
pub struct FastApiErrors;

/// Marks the component of one error.
struct ValidationErrorItem;
/// Marks the component of all validation errors.
struct ValidationErrors;
/// Marks the component of another error.
struct HttpError;

impl ProblemFormat for FastApiErrors {
    fn body(&self, problem: &ProblemView<'_>) -> Vec<u8> {
        let detail = if problem.is_validation() {
            problem.failures().map(error).collect()
        } else {
            let detail = problem.problem.detail();
            Json::from(detail.unwrap_or_else(|| problem.info.title.to_owned()))
        };
        let mut all = Map::from_iter([("detail".to_owned(), detail)]);
        for (name, value) in problem.members() {
            all.insert(name.to_owned(), value);
        }
        Json::Object(all).to_string().into_bytes()
    }

    fn schemas(&self, components: &mut Components) -> ProblemSchemas {
        let text = |description: &str| json!({"type": "string", "description": description});
        let validation = components.define::<ValidationErrors>(
            Direction::Output,
            "HTTPValidationError",
            |all| {
                let item = all.define::<ValidationErrorItem>(
                    Direction::Output,
                    "ValidationError",
                    |_| {
                        let place = json!({
                            "type": "array",
                            "description": "Location of the value: the part of the request, then names and indexes.",
                            "items": {"anyOf": [{"type": "string"}, {"type": "integer"}]},
                        });
                        Schema::of("object")
                            .with("description", "A validation error.")
                            .with(
                                "properties",
                                json!({"loc": place, "msg": text("Message."), "type": text("Type of the error.")}),
                            )
                            .with("required", json!(["loc", "msg", "type"]))
                    },
                );
                object("Validation errors.", json!({"type": "array", "description": "All validation errors.", "items": item.as_json()}))
            },
        );
        let other = components.define::<HttpError>(Direction::Output, "HTTPError", |_| {
            object("An error.", text("What is wrong."))
        });
        ProblemSchemas { validation, other }
    }
}

fn object(description: &str, detail: Json) -> Schema {
    Schema::of("object")
        .with("description", description)
        .with("properties", json!({"detail": detail}))
        .with("required", json!(["detail"]))
}

fn error(failure: &Failure) -> Json {
    let (kind, message) = kind(failure);
    json!({"type": kind, "loc": location(failure), "msg": message})
}

/// Returns the location: the part of the request, then each segment of the pointer. Segments that
/// are numbers in a body are the indexes of items.
fn location(failure: &Failure) -> Vec<Json> {
    let segments = failure.pointer.split('/').skip(1);
    let segments = segments.map(|segment| {
        let segment = segment.replace("~1", "/").replace("~0", "~");
        match segment.parse::<u32>() {
            Ok(index) => Json::from(index),
            Err(_) => Json::from(segment),
        }
    });
    let place = Json::from(failure.place.as_str());
    [place].into_iter().chain(segments).collect()
}

/// Returns the type and the message of Pydantic for a failure. A failure with no counterpart there
/// is a `value_error` with its own message.
fn kind(failure: &Failure) -> (String, String) {
    let own = |kind: &str, message: &str| (kind.to_owned(), message.to_owned());
    let limit = |name: &str| {
        failure
            .params
            .get(name)
            .map(ToString::to_string)
            .unwrap_or_default()
    };
    let text = |name: &str| {
        let value = failure.params.get(name).and_then(Json::as_str);
        value.unwrap_or_default()
    };
    let plural = |count: &str| if count == "1" { "" } else { "s" };
    match (failure.code, failure.beyond) {
        ("required", _) => own("missing", "Field required"),
        ("unknown_field" | "unknown_parameter", _) => {
            own("extra_forbidden", "Extra inputs are not permitted")
        }
        ("type" | "null", _) => of_type(text("expected"), failure),
        ("length", Some(Beyond::Max)) => {
            let max = limit("max");
            let message = format!("String should have at most {max} character{}", plural(&max));
            own("string_too_long", &message)
        }
        ("length", Some(_)) => {
            let min = limit("min");
            let message = format!(
                "String should have at least {min} character{}",
                plural(&min)
            );
            own("string_too_short", &message)
        }
        ("range", Some(Beyond::Min)) => own(
            "greater_than_equal",
            &format!("Input should be greater than or equal to {}", limit("min")),
        ),
        ("range", Some(Beyond::ExclusiveMin)) => own(
            "greater_than",
            &format!("Input should be greater than {}", limit("exclusive_min")),
        ),
        ("range", Some(Beyond::Max)) => own(
            "less_than_equal",
            &format!("Input should be less than or equal to {}", limit("max")),
        ),
        ("range", Some(Beyond::ExclusiveMax)) => own(
            "less_than",
            &format!("Input should be less than {}", limit("exclusive_max")),
        ),
        ("multiple_of", _) => own(
            "multiple_of",
            &format!("Input should be a multiple of {}", limit("multiple_of")),
        ),
        ("pattern", _) => own(
            "string_pattern_mismatch",
            &format!("String should match pattern '{}'", text("pattern")),
        ),
        ("one_of", _) => own("enum", &one_of(failure)),
        _ => own("value_error", &format!("Value error, {}", failure.message)),
    }
}

/// Returns the type and the message for a value of another type. Values outside of a body are text,
/// which Pydantic parses.
fn of_type(expected: &str, failure: &Failure) -> (String, String) {
    let is_text = failure.place != doyen_core::Place::Body;
    let (kind, noun, parsed) = match expected {
        "integer" => (
            "int",
            "a valid integer",
            "unable to parse string as an integer",
        ),
        "number" => (
            "float",
            "a valid number",
            "unable to parse string as a number",
        ),
        "boolean" => ("bool", "a valid boolean", "unable to interpret input"),
        "string" => ("string", "a valid string", ""),
        "array" => ("list", "a valid list", ""),
        "object" => ("dict", "a valid dictionary", ""),
        _ => {
            return (
                "value_error".to_owned(),
                format!("Value error, {}", failure.message),
            );
        }
    };
    if is_text && !parsed.is_empty() {
        return (
            format!("{kind}_parsing"),
            format!("Input should be {noun}, {parsed}"),
        );
    }
    (format!("{kind}_type"), format!("Input should be {noun}"))
}

/// Returns the message for a value that is none of several: `Input should be 'a', 'b' or 'c'`.
fn one_of(failure: &Failure) -> String {
    let allowed = failure.params.values().find_map(Json::as_array);
    let names: Vec<String> = allowed
        .into_iter()
        .flatten()
        .map(|name| format!("'{}'", name.as_str().unwrap_or_default()))
        .collect();
    match names.split_last() {
        Some((last, rest)) if !rest.is_empty() => {
            format!("Input should be {} or {last}", rest.join(", "))
        }
        Some((last, _)) => format!("Input should be {last}"),
        None => format!("Input should be {}", failure.message),
    }
}

#[cfg(test)]
mod tests {
    use doyen_core::Place;

    use super::*;

    fn failure(
        pointer: &str,
        place: Place,
        code: &'static str,
        params: Json,
        beyond: Option<Beyond>,
    ) -> Failure {
        Failure {
            pointer: pointer.to_owned(),
            place,
            code,
            message: "must be something".to_owned(),
            params: params.as_object().cloned().unwrap_or_default(),
            beyond,
        }
    }

    #[test]
    fn failures_are_those_of_pydantic() {
        for (failure, wanted) in [
            (
                failure("/items/3/price", Place::Body, "required", json!({}), None),
                json!({"type": "missing", "loc": ["body", "items", 3, "price"], "msg": "Field required"}),
            ),
            (
                failure(
                    "/item_id",
                    Place::Path,
                    "type",
                    json!({"expected": "integer"}),
                    None,
                ),
                json!({"type": "int_parsing", "loc": ["path", "item_id"], "msg": "Input should be a valid integer, unable to parse string as an integer"}),
            ),
            (
                failure(
                    "/q",
                    Place::Query,
                    "length",
                    json!({"min": 3, "max": 50}),
                    Some(Beyond::Blank),
                ),
                json!({"type": "string_too_short", "loc": ["query", "q"], "msg": "String should have at least 3 characters"}),
            ),
            (
                failure(
                    "/size",
                    Place::Query,
                    "range",
                    json!({"exclusive_min": 0, "exclusive_max": 10.5}),
                    Some(Beyond::ExclusiveMax),
                ),
                json!({"type": "less_than", "loc": ["query", "size"], "msg": "Input should be less than 10.5"}),
            ),
            (
                failure(
                    "/model_name",
                    Place::Path,
                    "one_of",
                    json!({"allowed": ["alexnet", "resnet", "lenet"]}),
                    None,
                ),
                json!({"type": "enum", "loc": ["path", "model_name"], "msg": "Input should be 'alexnet', 'resnet' or 'lenet'"}),
            ),
            (
                failure("", Place::Body, "shouting", json!({}), None),
                json!({"type": "value_error", "loc": ["body"], "msg": "Value error, must be something"}),
            ),
        ] {
            assert_eq!(error(&failure), wanted);
        }
    }
}
