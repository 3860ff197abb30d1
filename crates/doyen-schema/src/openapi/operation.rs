//! One operation.

use doyen_core::Place;
use serde_json::{Map, Value as Json, json};

use super::problems;
use crate::Named;
use crate::contract::{Answer, Operation, Parameter, RequestBody};

pub(super) fn operation(one: &Operation, components: &Named, api_keys: bool) -> Json {
    let mut all = json!({
        "operationId": one.id,
        "summary": one.summary,
        "tags": one.tags,
        "security": security(one, api_keys),
    });
    // Some tools show only the description, so that an empty one falls back to the summary.
    let description = if one.description.is_empty() {
        &one.summary
    } else {
        &one.description
    };
    all["description"] = json!(description);
    if one.deprecated {
        all["deprecated"] = json!(true);
    }
    if !one.parameters.is_empty() {
        all["parameters"] = one.parameters.iter().map(parameter).collect();
    }
    if let Some(body) = &one.body {
        all["requestBody"] = request_body(body);
    }
    let mut responses: Map<String, Json> = one
        .answers
        .iter()
        .map(|answer| (answer.status.to_string(), response(answer)))
        .collect();
    let tagged = one
        .answers
        .iter()
        .any(|answer| answer.headers.iter().any(|header| header.name == "ETag"));
    if one.method == "GET" && tagged {
        // `If-None-Match` is not listed as a parameter: clients send it on their own, and a schema
        // would restrict values that HTTP allows.
        let description = "The version in `If-None-Match` is still current.";
        responses.insert("304".to_owned(), json!({"description": description}));
    }
    responses.extend(problems::responses(&one.problems));
    if !one.limits.is_empty() {
        limited(&mut responses);
    }
    all["responses"] = Json::Object(responses);
    components.settle(&mut all);
    all
}

/// Adds the rate limit headers to the responses of the route.
fn limited(responses: &mut Map<String, Json>) {
    for (status, response) in responses {
        if !status.starts_with(['2', '4']) {
            continue;
        }
        for name in ["RateLimit", "RateLimit-Policy"] {
            response["headers"][name] = json!({"$ref": format!("#/components/headers/{name}")});
        }
    }
}

/// Returns the security requirements: none for a public route, otherwise a bearer token with the
/// scope, or an API key.
fn security(one: &Operation, api_keys: bool) -> Json {
    if one.allow.is_public() {
        return json!([]);
    }
    let scopes: Vec<&str> = one.allow.scope().into_iter().collect();
    let mut ways = vec![json!({"bearer": scopes})];
    if api_keys {
        ways.push(json!({"api_key": []}));
    }
    Json::Array(ways)
}

fn parameter(one: &Parameter) -> Json {
    let mut all = json!({"name": one.name, "in": one.place.as_str(), "required": one.required, "schema": one.schema.as_json()});
    if !one.description.is_empty() {
        all["description"] = json!(one.description);
    }
    if one.deprecated {
        all["deprecated"] = json!(true);
    }
    if one.schema.get("type") == Some(&json!("array")) && one.place == Place::Query {
        all["style"] = json!("form");
        all["explode"] = json!(!one.commas);
    }
    all
}

fn request_body(body: &RequestBody) -> Json {
    let content: Map<String, Json> = body
        .media_types
        .iter()
        .map(|media| {
            (
                (*media).to_owned(),
                json!({"schema": body.schema.as_json()}),
            )
        })
        .collect();
    let mut all = json!({"required": true, "content": content});
    if !body.description.is_empty() {
        all["description"] = json!(body.description);
    }
    all
}

fn response(answer: &Answer) -> Json {
    let mut all = json!({"description": answer.description});
    if let Some((media, schema)) = &answer.body {
        all["content"] = json!({*media: {"schema": schema.as_json()}});
    }
    let mut headers: Map<String, Json> = answer
        .headers
        .iter()
        .map(|header| {
            (
                header.name.to_owned(),
                json!({"description": header.description, "schema": header.schema.as_json()}),
            )
        })
        .collect();
    headers.insert(
        "X-Request-Id".to_owned(),
        json!({"$ref": "#/components/headers/X-Request-Id"}),
    );
    all["headers"] = Json::Object(headers);
    all
}
