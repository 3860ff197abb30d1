//! One operation.

use doyen_core::{Place, SchemeForm, SecurityScheme};
use serde_json::{Map, Value as Json, json};

use super::problems;
use super::response::{self, merge, responses};
use crate::Named;
use crate::contract::{Operation, Parameter, RequestBody};

pub(super) fn operation(one: &Operation, components: &Named) -> Json {
    let mut all = json!({
        "operationId": one.id,
        "summary": one.summary,
        "tags": one.tags,
        "security": security(one),
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
    if !one.callbacks.is_empty() {
        let calls = one.callbacks.iter();
        let calls = calls.map(|(call, schema)| (call.name.to_owned(), call.callback(schema)));
        all["callbacks"] = Json::Object(calls.collect());
    }
    let mut responses = responses(&one.answers);
    if one.is_conditional() {
        // `If-None-Match` is not listed as a parameter: clients send it on their own, and a schema
        // would restrict values that HTTP allows.
        let description = "Not modified: an `ETag` in `If-None-Match` is still current. The response has no body.";
        responses
            .entry("304")
            .or_insert_with(|| json!({"description": description}));
    }
    for (status, problem) in problems::responses(one, components) {
        match responses.get_mut(&status) {
            Some(response) => merge(response, problem),
            None => {
                responses.insert(status, problem);
            }
        }
    }
    if !one.limits.is_empty() {
        limited(&mut responses);
    }
    for response in responses.values_mut() {
        for header in &one.common_headers {
            response["headers"][&*header.name] = response::header(header);
        }
    }
    all["responses"] = Json::Object(responses);
    components.settle(&mut all);
    for edit in &one.edits {
        edit(&mut all);
    }
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

/// Returns the security requirements: one of the schemes of the callers, with the scope for an
/// access token, and each credential that the handler reads. A public route has none.
fn security(one: &Operation) -> Json {
    let scopes: Vec<&str> = one.allow.scopes().collect();
    let with = |mut all: Map<String, Json>, scheme: &SecurityScheme| {
        let scopes = if scheme.has_scopes() {
            scopes.as_slice()
        } else {
            &[]
        };
        all.entry(scheme.name()).or_insert_with(|| json!(scopes));
        all
    };
    let schemes = one.schemes.iter().filter(|scheme| is_shown(scheme));
    let mut all: Vec<Map<String, Json>> = schemes.map(|scheme| with(Map::new(), scheme)).collect();
    for (scheme, is_required) in one
        .credentials
        .iter()
        .filter(|(scheme, _)| is_shown(scheme))
    {
        if all.is_empty() {
            all.push(Map::new());
        }
        let mut more: Vec<_> = all.iter().map(|one| with(one.clone(), scheme)).collect();
        if !is_required {
            more.extend(all);
        }
        more.dedup();
        all = more;
    }
    json!(all)
}

/// True if a scheme is in the document.
pub(super) fn is_shown(scheme: &SecurityScheme) -> bool {
    *scheme.form() != SchemeForm::Hidden
}

fn parameter(one: &Parameter) -> Json {
    let mut all = json!({"name": one.name, "in": one.place.as_str(), "required": one.required, "schema": one.schema.as_json()});
    if !one.description.is_empty() {
        all["description"] = json!(one.description);
    }
    if one.deprecated {
        all["deprecated"] = json!(true);
    }
    let is_list = one.schema.get("type") == Some(&json!("array"));
    if is_list && matches!(one.place, Place::Query | Place::Cookie) {
        all["style"] = json!("form");
        all["explode"] = json!(!one.commas && one.place == Place::Query);
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
    let mut all = json!({"required": body.required, "content": content});
    if !body.description.is_empty() {
        all["description"] = json!(body.description);
    }
    all
}
