//! Problems in the document: each status with the codes that a route can return.

use std::collections::BTreeMap;

use doyen_core::{INVALID, Kind, ProblemExtras, ProblemInfo};
use serde_json::{Map, Value as Json, json};

use crate::contract::Operation;
use crate::{Named, ProblemContract};

/// Returns the response entries for the problems of a route, by status.
pub(super) fn responses(one: &Operation, components: &Named) -> Map<String, Json> {
    let contract = components.problems.as_ref();
    let mut by_status: BTreeMap<u16, Vec<&ProblemInfo>> = BTreeMap::new();
    for problem in &one.problems {
        let status = contract.map_or_else(|| problem.kind.status(), |all| all.status(problem));
        by_status.entry(status).or_default().push(problem);
    }
    by_status
        .into_iter()
        .map(|(status, group)| (status.to_string(), response(&group, one, contract)))
        .collect()
}

fn response(group: &[&ProblemInfo], one: &Operation, contract: Option<&ProblemContract>) -> Json {
    let lines: Vec<String> = group
        .iter()
        .map(|problem| format!("- `{}`: {}", problem.code, problem.description))
        .collect();
    let extras = one
        .extras
        .iter()
        .filter(|extra| group.iter().any(|problem| problem.code == extra.code));
    let mut headers = json!({"X-Request-Id": {"$ref": "#/components/headers/X-Request-Id"}});
    for problem in group {
        match problem.kind {
            Kind::Unauthenticated => {
                headers["WWW-Authenticate"] =
                    json!({"$ref": "#/components/headers/WWW-Authenticate"})
            }
            Kind::Unavailable | Kind::TooManyRequests => {
                headers["Retry-After"] = json!({"$ref": "#/components/headers/Retry-After"})
            }
            _ => {}
        }
    }
    for (name, description) in extras.clone().flat_map(|extra| extra.headers) {
        if headers.get(*name).is_none() {
            headers[*name] = json!({"description": description, "required": false, "schema": {"type": "string"}});
        }
    }
    let (media_type, schema) = match contract {
        Some(contract) => (contract.format.media_type(), of_format(group, contract)),
        None => ("application/problem+json", of_rfc_9457(group, extras)),
    };
    json!({
        "description": format!("{}\n\n{}", group[0].kind.title(), lines.join("\n")),
        "headers": headers,
        "content": {media_type: {"schema": schema}},
    })
}

fn of_rfc_9457<'a>(
    group: &[&ProblemInfo],
    extras: impl Iterator<Item = &'a ProblemExtras>,
) -> Json {
    let codes: Vec<&str> = group.iter().map(|problem| problem.code).collect();
    let base = if group[0].kind == Kind::Invalid {
        "ValidationProblem"
    } else {
        "Problem"
    };
    let mut properties = json!({"code": {"type": "string", "enum": codes}});
    for (name, description) in extras.flat_map(|extra| extra.members) {
        properties[*name] = json!({"description": description});
    }
    json!({
        "allOf": [
            {"$ref": format!("#/components/schemas/{base}")},
            {"type": "object", "properties": properties},
        ],
    })
}

/// Returns the schema in the format of the application. A problem of its own with the kind of a
/// validation problem may have validation errors.
fn of_format(group: &[&ProblemInfo], contract: &ProblemContract) -> Json {
    let is_validation = |problem: &&ProblemInfo| problem.code == INVALID.code;
    if group.iter().all(is_validation) {
        return contract.schema(Some(true));
    }
    let may_be = |problem: &&ProblemInfo| problem.kind == Kind::Invalid;
    contract.schema(if group.iter().any(may_be) {
        None
    } else {
        Some(false)
    })
}

/// Returns the schemas of problems (RFC 9457 section 3).
pub(super) fn schemas() -> Map<String, Json> {
    let text = |max: u32, description: &str| json!({"type": "string", "maxLength": max, "description": description});
    let problem = json!({
        "type": "object",
        "description": "An error response (RFC 9457).",
        "properties": {
            "type": {"type": "string", "format": "uri-reference", "maxLength": 200, "description": "URL of a page that describes the problem and how to resolve it."},
            "title": text(200, "Short title, the same for every occurrence of the problem."),
            "status": {"type": "integer", "format": "int32", "minimum": 400, "maximum": 599, "description": "HTTP status code."},
            "detail": text(4000, "Explanation of this occurrence of the problem."),
            "instance": {"type": "string", "format": "uri-reference", "maxLength": 8192, "description": "Path of the request."},
            "code": {"type": "string", "pattern": "^[a-z][a-z0-9_]*$", "maxLength": 64, "description": "Stable, machine-readable code."},
            "request_id": {"type": "string", "pattern": "^[A-Za-z0-9._-]{1,64}$", "maxLength": 64, "description": "Id of the request, for support and logs."},
            "violated-policies": {"type": "array", "maxItems": 8, "description": "Names of the exceeded limits, as in `RateLimit-Policy`.", "items": text(48, "Name of a limit.")},
            "errors": {"type": "array", "maxItems": 10000, "description": "Validation errors, at most 100 of a body.", "items": {"$ref": "#/components/schemas/Failure"}},
        },
        "required": ["type", "title", "status", "detail", "instance", "code", "request_id"],
    });
    let validation = json!({
        "description": "An error response with validation errors.",
        "allOf": [{"$ref": "#/components/schemas/Problem"}, {"type": "object"}],
    });
    let failure = json!({
        "type": "object",
        "description": "One validation error. It never contains the rejected value.",
        "properties": {
            "pointer": text(8192, "JSON Pointer to the invalid value (RFC 6901)."),
            "in": {"type": "string", "enum": ["body", "query", "path", "header", "cookie"], "description": "Part of the request that contains the value."},
            "code": {"type": "string", "pattern": "^[a-z][a-z0-9_]*$", "maxLength": 64, "description": "Stable, machine-readable code."},
            "message": text(4000, "Human-readable message."),
            "params": {"type": "object", "additionalProperties": true, "description": "Parameters of the violated rule, such as its limits."},
        },
        "required": ["pointer", "in", "code", "message", "params"],
        "additionalProperties": false,
    });
    Map::from_iter([
        ("Problem".to_owned(), problem),
        ("ValidationProblem".to_owned(), validation),
        ("Failure".to_owned(), failure),
    ])
}

/// Returns the header components: those of problems, and the one of every response.
pub(super) fn headers() -> Json {
    json!({
        "X-Request-Id": {
            "description": "Id of the request. A valid id from the client is kept; otherwise the server generates one.",
            "schema": {"type": "string", "pattern": "^[A-Za-z0-9._-]{1,64}$", "maxLength": 64},
        },
        "WWW-Authenticate": {"description": "Accepted authentication schemes (RFC 9110 section 11.6.1).", "schema": {"type": "string", "maxLength": 400}},
        "RateLimit-Policy": {
            "description": "The rate limit that is closest to being exceeded: `q` requests per `w` seconds (draft-ietf-httpapi-ratelimit-headers-10, RFC 9651).",
            "schema": {"type": "string", "pattern": "^\"[A-Za-z0-9_-]+\";q=[0-9]+;w=[0-9]+$", "maxLength": 100},
        },
        "RateLimit": {
            "description": "State of the rate limit in `RateLimit-Policy`: `r` requests remain, and more become available in `t` seconds.",
            "schema": {"type": "string", "pattern": "^\"[A-Za-z0-9_-]+\";r=[0-9]+;t=[0-9]+$", "maxLength": 100},
        },
        "Retry-After": {
            "description": "Number of seconds to wait before a retry.",
            "schema": {"type": "integer", "format": "int32", "minimum": 0, "maximum": 34214400},
        },
    })
}
