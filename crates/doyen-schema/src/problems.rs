//! Problems in the document: each status with the codes a route can really answer with.

use std::collections::BTreeMap;

use doyen_core::{Kind, ProblemInfo};
use serde_json::{Map, Value as Json, json};

/// The response entries for these problems, by status.
pub(crate) fn responses(problems: &[&'static ProblemInfo]) -> Map<String, Json> {
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

/// The components every problem is made of (RFC 9457 section 3).
pub(crate) fn schemas() -> Map<String, Json> {
    let text = |max: u32, description: &str| json!({"type": "string", "maxLength": max, "description": description});
    let problem = json!({
        "type": "object",
        "description": "What went wrong, as RFC 9457 words it.",
        "properties": {
            "type": {"type": "string", "format": "uri-reference", "maxLength": 200, "description": "A page that says what this problem means and what to do."},
            "title": text(200, "A short title, the same each time."),
            "status": {"type": "integer", "format": "int32", "minimum": 400, "maximum": 599, "description": "The HTTP status."},
            "detail": text(4000, "What happened this time."),
            "instance": {"type": "string", "format": "uri-reference", "maxLength": 8192, "description": "The path of the request."},
            "code": {"type": "string", "pattern": "^[a-z][a-z0-9_]*$", "maxLength": 64, "description": "A stable code a program can act on."},
            "request_id": {"type": "string", "pattern": "^[A-Za-z0-9._-]{1,64}$", "maxLength": 64, "description": "Finds this request in the log."},
            "violated-policies": {"type": "array", "maxItems": 8, "description": "The limits that refuse, by their names in `RateLimit-Policy`.", "items": text(48, "A name.")},
            "errors": {"type": "array", "maxItems": 10000, "description": "Every value that is not acceptable.", "items": {"$ref": "#/components/schemas/Failure"}},
        },
        "required": ["type", "title", "status", "detail", "instance", "code", "request_id"],
    });
    let validation = json!({
        "description": "Values that are not acceptable, every one of them.",
        "allOf": [{"$ref": "#/components/schemas/Problem"}, {"type": "object"}],
    });
    let failure = json!({
        "type": "object",
        "description": "One value that is not acceptable. It never holds the value itself.",
        "properties": {
            "pointer": text(8192, "Where: a JSON Pointer (RFC 6901)."),
            "in": {"type": "string", "enum": ["body", "query", "path", "header", "cookie"], "description": "In which part of the request."},
            "code": {"type": "string", "pattern": "^[a-z][a-z0-9_]*$", "maxLength": 64, "description": "A stable code a program can act on."},
            "message": text(4000, "A sentence for a person."),
            "params": {"type": "object", "additionalProperties": true, "description": "The numbers of the rule."},
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

/// The header fields of problems, and the one on every answer.
pub(crate) fn headers() -> Json {
    json!({
        "X-Request-Id": {
            "description": "The id of this request: yours if you sent a fit one, else ours.",
            "schema": {"type": "string", "pattern": "^[A-Za-z0-9._-]{1,64}$", "maxLength": 64},
        },
        "WWW-Authenticate": {"description": "How to authenticate (RFC 6750 section 3).", "schema": {"type": "string", "maxLength": 400}},
        "RateLimit-Policy": {
            "description": "The limit that is closest to refusing: `q` calls in `w` seconds (draft-ietf-httpapi-ratelimit-headers-10, RFC 9651).",
            "schema": {"type": "string", "pattern": "^\"[A-Za-z0-9_-]+\";q=[0-9]+;w=[0-9]+$", "maxLength": 100},
        },
        "RateLimit": {
            "description": "How it stands: `r` calls are left, and in `t` seconds there are more.",
            "schema": {"type": "string", "pattern": "^\"[A-Za-z0-9_-]+\";r=[0-9]+;t=[0-9]+$", "maxLength": 100},
        },
        "Retry-After": {
            "description": "After how many seconds to try again.",
            "schema": {"type": "integer", "format": "int32", "minimum": 0, "maximum": 34214400},
        },
    })
}
