//! Each operation of an application is called, and the response matches the document.

use std::collections::BTreeSet;

use doyen::schema::{Info, document};
use doyen::web::{Body, Service};
use http::Request;

use crate::kit::{Answer, Value, send};

#[path = "../ui/pass/every_form.rs"]
mod every_form;

fn shop() -> Service {
    crate::kit::finish(Service::builder().module(every_form::module()))
}

/// A value that this schema accepts.
fn example(schema: &Value, all: &Value) -> Value {
    if let Some(reference) = schema["$ref"].as_str() {
        return example(all.pointer(&reference[1..]).unwrap(), all);
    }
    if let Some(words) = schema["enum"].as_array() {
        return words[0].clone();
    }
    let kind = match &schema["type"] {
        Value::Array(kinds) => kinds[0].clone(),
        kind => kind.clone(),
    };
    match kind.as_str() {
        Some("integer" | "number") => schema.get("minimum").cloned().unwrap_or(1.into()),
        Some("boolean") => true.into(),
        Some("array") => Value::Array(vec![example(&schema["items"], all)]),
        Some("object") => {
            let fields = schema["properties"]
                .as_object()
                .cloned()
                .unwrap_or_default();
            Value::Object(
                fields
                    .iter()
                    .map(|(name, schema)| (name.clone(), example(schema, all)))
                    .collect(),
            )
        }
        _ => "abc".into(),
    }
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => items.first().map(plain).unwrap_or_default(),
        other => other.to_string(),
    }
}

/// A valid request: required parameters, and a body if there is one.
fn request(path: &str, method: &str, operation: &Value, all: &Value) -> Request<Body> {
    let mut path = path.to_owned();
    let mut query = Vec::new();
    let mut request = Request::builder().method(method.to_uppercase().as_str());
    let mut cookies = Vec::new();
    for parameter in operation["parameters"].as_array().into_iter().flatten() {
        let name = parameter["name"].as_str().unwrap();
        let value = plain(&example(&parameter["schema"], all));
        match parameter["in"].as_str().unwrap() {
            "path" => path = path.replace(&format!("{{{name}}}"), &value),
            _ if parameter["required"] != true => {}
            "query" => query.push(format!("{name}={value}")),
            "header" if name == "If-Match" => request = request.header(name, "\"7\""),
            "header" => request = request.header(name, value),
            _ => cookies.push(format!("{name}={value}")),
        }
    }
    if !cookies.is_empty() {
        request = request.header("cookie", cookies.join("; "));
    }
    if !query.is_empty() {
        path = format!("{path}?{}", query.join("&"));
    }
    let body = match operation["requestBody"]["content"].as_object() {
        None => Body::empty(),
        Some(content) => {
            let (media, schema) = content.iter().next().unwrap();
            let any = media == "*/*";
            request = request.header("content-type", if any { "any/thing" } else { media });
            let example = example(&schema["schema"], all);
            match media.as_str() {
                "application/x-www-form-urlencoded" => {
                    let fields = example.as_object().unwrap().iter();
                    let pairs: Vec<String> = fields
                        .map(|(name, value)| format!("{name}={}", plain(value)))
                        .collect();
                    Body::whole(pairs.join("&"))
                }
                media if media.ends_with("json") => Body::whole(example.to_string()),
                _ => Body::whole("abc"),
            }
        }
    };
    request.uri(path).body(body).unwrap()
}

/// Compares the response with the document.
fn holds(operation: &Value, answer: &Answer) {
    let id = &operation["operationId"];
    let documented = &operation["responses"][answer.status.to_string()];
    assert!(documented.is_object(), "{id}: {answer:?} is not documented");
    let media = answer
        .header("content-type")
        .map(|media| media.split(';').next().unwrap());
    match documented["content"].as_object() {
        None => assert!(answer.body.is_empty(), "{id}: a body is not documented"),
        Some(content) => {
            let known: BTreeSet<&str> = content.keys().map(String::as_str).collect();
            assert!(
                known.contains(media.unwrap_or("")),
                "{id}: {media:?} of {known:?}"
            );
        }
    }
    for name in documented["headers"].as_object().unwrap().keys() {
        assert!(
            answer.header(name).is_some(),
            "{id}: {name} is promised and missing"
        );
    }
}

#[tokio::test]
async fn every_operation_answers_as_documented() {
    let shop = shop();
    let all = document(&Info::default(), shop.operations(), shop.components());
    let mut called = 0;
    for (path, methods) in all["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let answer = send(&shop, request(path, method, operation, &all)).await;
            assert!(
                answer.status < 400,
                "{method} {path} refused what its contract allows: {answer:?}"
            );
            holds(operation, &answer);
            // And an unknown parameter is refused, as documented.
            let (mut head, body) = request(path, method, operation, &all).into_parts();
            let target = head.uri.to_string();
            let mark = if target.contains('?') { '&' } else { '?' };
            head.uri = format!("{target}{mark}surely_unknown=1").parse().unwrap();
            let refused = send(&shop, Request::from_parts(head, body)).await;
            refused.is_problem(422, "invalid");
            holds(operation, &refused);
            called += 1;
        }
    }
    assert_eq!(
        called,
        shop.operations().iter().filter(|one| !one.hidden).count()
    );
}
