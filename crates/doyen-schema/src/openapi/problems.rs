//! Problems in the document: each status with the codes that a route can return.

use std::collections::BTreeMap;

use doyen_core::{Kind, ProblemInfo};
use serde_json::{Map, Value as Json, json};

/// Returns the response entries for these problems, by status.
pub(super) fn responses(problems: &[&'static ProblemInfo]) -> Map<String, Json> {
    let mut by_status: BTreeMap<u16, Vec<&ProblemInfo>> = BTreeMap::new();
    for problem in problems {
        by_status
            .entry(problem.kind.status())
            .or_default()
            .push(problem);
    }
    by_status
        .into_iter()
        .map(|(status, group)| (status.to_string(), response(&group)))
        .collect()
}

fn response(group: &[&ProblemInfo]) -> Json {
    let kind = group[0].kind;
    let lines: Vec<String> = group
        .iter()
        .map(|problem| format!("- `{}`: {}", problem.code, problem.description))
        .collect();
    let codes: Vec<&str> = group.iter().map(|problem| problem.code).collect();
    let base = if kind == Kind::Invalid {
        "ValidationProblem"
    } else {
        "Problem"
    };
    let mut headers = json!({"X-Request-Id": {"$ref": "#/components/headers/X-Request-Id"}});
    match kind {
        Kind::Unauthenticated => {
            headers["WWW-Authenticate"] = json!({"$ref": "#/components/headers/WWW-Authenticate"})
        }
        Kind::Unavailable | Kind::TooManyRequests => {
            headers["Retry-After"] = json!({"$ref": "#/components/headers/Retry-After"})
        }
        _ => {}
    }
    json!({
        "description": format!("{}\n\n{}", kind.title(), lines.join("\n")),
        "headers": headers,
        "content": {"application/problem+json": {"schema": {
            "allOf": [
                {"$ref": format!("#/components/schemas/{base}")},
                {"type": "object", "properties": {"code": {"type": "string", "enum": codes}}},
            ],
        }}},
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
            "errors": {"type": "array", "maxItems": 10000, "description": "All validation errors.", "items": {"$ref": "#/components/schemas/Failure"}},
        },
        "required": ["type", "title", "status", "detail", "instance", "code", "request_id"],
    });
    let validation = json!({
        "description": "An error response with all validation errors.",
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
            "description": "State of that rate limit: `r` requests remain, and more become available in `t` seconds.",
            "schema": {"type": "string", "pattern": "^\"[A-Za-z0-9_-]+\";r=[0-9]+;t=[0-9]+$", "maxLength": 100},
        },
        "Retry-After": {
            "description": "Number of seconds to wait before a retry.",
            "schema": {"type": "integer", "format": "int32", "minimum": 0, "maximum": 34214400},
        },
    })
}
