//! The texts of the OpenAPI document agree with each other and with the API.

use serde_json::Value;

fn document() -> Value {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/openapi.json");
    serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap()
}

/// Returns each operation with its label, such as `GET /v1/me`.
fn operations(document: &Value) -> Vec<(String, &Value)> {
    let paths = document["paths"].as_object().unwrap().iter();
    let all = paths.flat_map(|(path, item)| {
        let methods = item.as_object().unwrap().iter();
        methods.map(move |(method, one)| (format!("{} {path}", method.to_uppercase()), one))
    });
    all.collect()
}

/// Returns the problem codes of a status of an operation.
fn codes(operation: &Value, status: &str) -> Vec<String> {
    let content = &operation["responses"][status]["content"]["application/problem+json"];
    let codes = &content["schema"]["allOf"][1]["properties"]["code"]["enum"];
    let codes = codes.as_array().into_iter().flatten();
    codes.filter_map(Value::as_str).map(str::to_owned).collect()
}

/// Calls a function with each text of a value.
fn texts<'a>(value: &'a Value, see: &mut impl FnMut(&'a str)) {
    match value {
        Value::String(text) => see(text),
        Value::Array(items) => items.iter().for_each(|item| texts(item, see)),
        Value::Object(members) => members.values().for_each(|member| texts(member, see)),
        _ => {}
    }
}

#[test]
fn each_parameter_has_a_description() {
    let document = document();
    for (label, operation) in operations(&document) {
        let parameters = operation["parameters"].as_array().into_iter().flatten();
        for parameter in parameters {
            assert!(parameter["description"].is_string(), "{label}: {parameter}");
        }
    }
}

/// A route that requires a login session refuses API keys, whatever their scopes.
#[test]
fn an_operation_that_refuses_api_keys_does_not_list_them() {
    let document = document();
    let (mut refused, mut accepted) = (0, 0);
    for (label, operation) in operations(&document) {
        let schemes = operation["security"].as_array().unwrap();
        let lists = |name: &str| schemes.iter().any(|scheme| scheme.get(name).is_some());
        if codes(operation, "403").contains(&"session_required".to_owned()) {
            assert!(lists("bearer") && !lists("api_key"), "{label}: {schemes:?}");
            refused += 1;
        } else if !schemes.is_empty() {
            assert!(lists("api_key"), "{label}: {schemes:?}");
            accepted += 1;
        }
    }
    assert!(refused > 0 && accepted > 0);
}

/// A path in code marks, with or without a method, is one of this document.
#[test]
fn a_text_names_only_paths_that_exist() {
    let document = document();
    let labels: Vec<String> = operations(&document)
        .into_iter()
        .map(|(label, _)| label)
        .collect();
    let mut wrong = Vec::new();
    texts(&document, &mut |text| {
        for inside in text.split('`').skip(1).step_by(2) {
            let is_path = |text: &str| text.starts_with('/') && text.len() > 1;
            let known = match inside.split_once(' ') {
                Some((_, path)) if is_path(path) => labels.iter().any(|label| label == inside),
                None if is_path(inside) => labels.iter().any(|label| label.ends_with(inside)),
                _ => true,
            };
            if !known {
                wrong.push(text);
            }
        }
    });
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn the_response_to_a_change_says_what_it_is() {
    let document = document();
    for (label, operation) in operations(&document) {
        let text = operation["responses"]["200"]["description"].as_str();
        let is_general = text.is_some_and(|text| text.starts_with("The requested resource."));
        assert!(
            !is_general || label.starts_with("GET "),
            "{label}: {text:?}"
        );
    }
}

/// `If-Match` on a read, where the client has nothing to merge.
#[test]
fn a_failed_precondition_says_what_to_do_for_the_method() {
    let document = document();
    for (label, operation) in operations(&document) {
        let Some(text) = operation["responses"]["412"]["description"].as_str() else {
            continue;
        };
        let is_of_reads = text.contains("Omit `If-Match`");
        assert_eq!(is_of_reads, label.starts_with("GET "), "{label}: {text}");
    }
}

#[test]
fn the_profile_has_the_problems_of_a_profile() {
    let document = document();
    for method in ["get", "patch"] {
        let operation = &document["paths"]["/v1/me"][method];
        let missing = operation["responses"]["404"]["description"].as_str();
        assert!(missing.is_some_and(|text| text.contains("no longer exists")));
        assert_eq!(codes(operation, "409"), Vec::<String>::new());
    }
}

#[test]
fn each_success_lists_the_version_that_it_has() {
    let document = document();
    assert_eq!(document["info"]["version"], "2026-11-01");
    for (label, operation) in operations(&document) {
        let responses = operation["responses"].as_object().unwrap().iter();
        for (status, response) in responses.filter(|(status, _)| status.starts_with("20")) {
            let header = &response["headers"]["API-Version"];
            assert!(header.is_object(), "{label} {status}");
        }
    }
}

#[test]
fn each_event_has_the_schema_of_its_message() {
    let document = document();
    let schemas = &document["components"]["schemas"];
    let mut events: Vec<&str> = Vec::new();
    texts(&schemas["EventName"]["enum"], &mut |name| events.push(name));
    let webhooks = document["webhooks"].as_object().unwrap();
    let mut described: Vec<&str> = webhooks.keys().map(String::as_str).collect();
    events.sort_unstable();
    described.sort_unstable();
    assert_eq!(described, events);
}
