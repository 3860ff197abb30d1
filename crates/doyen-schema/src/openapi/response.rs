//! The responses of an operation. Those with the same status become one.

use serde_json::{Map, Value as Json, json};

use crate::contract::{Answer, HeaderInfo};

/// Returns the response entries of these answers, by status.
pub(super) fn responses(answers: &[Answer]) -> Map<String, Json> {
    let mut all = Map::new();
    for answer in answers {
        let status = answer
            .status
            .map_or_else(|| "default".to_owned(), |status| status.to_string());
        match all.get_mut(&status) {
            Some(known) => merge(known, response(answer)),
            None => {
                all.insert(status, response(answer));
            }
        }
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
        .map(|entry| (entry.name.clone().into_owned(), header(entry)))
        .collect();
    headers.insert(
        "X-Request-Id".to_owned(),
        json!({"$ref": "#/components/headers/X-Request-Id"}),
    );
    all["headers"] = Json::Object(headers);
    all
}

/// Returns the entry of a header.
pub(super) fn header(header: &HeaderInfo) -> Json {
    let mut described =
        json!({"description": header.description, "schema": header.schema.as_json()});
    if header.optional {
        optional(&mut described);
    }
    described
}

/// Adds another response with the same status: its media types, and the schema of a media type that
/// both have. A header that only one has is optional.
pub(super) fn merge(into: &mut Json, mut other: Json) {
    let (text, more) = (&into["description"], &other["description"]);
    if text != more {
        let both = [text, more].map(|text| text.as_str().unwrap_or_default());
        into["description"] = json!(both.join("\n\n"));
    }
    for (media, described) in members(&mut other["content"]) {
        let known = &mut into["content"][&media];
        if known.is_null() {
            *known = described;
        } else {
            either(&mut known["schema"], &described["schema"]);
        }
    }
    let mut headers = members(&mut other["headers"]);
    for (name, header) in into["headers"].as_object_mut().into_iter().flatten() {
        if headers.remove(name).is_none() {
            optional(header);
        }
    }
    for (name, mut header) in headers {
        optional(&mut header);
        into["headers"][&name] = header;
    }
}

fn members(object: &mut Json) -> Map<String, Json> {
    match object.take() {
        Json::Object(members) => members,
        _ => Map::new(),
    }
}

/// Marks a header of one of several responses. A reference stays as it is.
fn optional(header: &mut Json) {
    if header.get("$ref").is_none() {
        header["required"] = json!(false);
    }
}

/// Makes a schema accept what another one accepts.
fn either(schema: &mut Json, other: &Json) {
    if schema == other {
        return;
    }
    let is_choice = schema.as_object().is_some_and(|all| all.len() == 1);
    match schema.get_mut("anyOf").and_then(Json::as_array_mut) {
        Some(choices) if is_choice && choices.contains(other) => {}
        Some(choices) if is_choice => choices.push(other.clone()),
        _ => *schema = json!({"anyOf": [schema.take(), other]}),
    }
}
