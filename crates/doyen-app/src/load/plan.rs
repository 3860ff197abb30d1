//! What a load test does: read from an OpenAPI document.
//!
//! A journey reads a list, one of its items and one of the parts of the item, or a path without
//! parameters. A journey that writes creates an item and follows the links of the response, so that
//! it does only what the state of the item allows. Everything else is left out, with the reason.

use serde_json::{Value, json};

use super::body;

/// How much load, and what is good enough.
#[derive(Clone, Debug)]
pub(crate) struct Options {
    /// Modules; all if empty.
    pub(crate) tags: Vec<String>,
    /// Journeys that begin in a second, whether or not earlier ones have ended.
    pub(crate) rate: f64,
    pub(crate) seconds: u64,
    /// Mean pause of a user between two requests, in seconds.
    pub(crate) think: f64,
    /// Percentage of the journeys that write.
    pub(crate) writes: f64,
    /// Maximum of the 99th percentile, in milliseconds.
    pub(crate) p99_ms: f64,
    /// Maximum percentage of failed requests.
    pub(crate) errors: f64,
}

/// An operation of the document.
struct Operation<'a> {
    method: &'a str,
    path: &'a str,
    /// Its description in the document.
    facts: &'a Value,
}

/// Returns the plan for a document.
pub(crate) fn plan(app: &str, document: &Value, options: &Options) -> Value {
    let all = operations(document);
    let login = all.iter().find(|one| is_login(one, document));
    let chosen: Vec<&Operation<'_>> = all
        .iter()
        .filter(|one| one.has_tag(&options.tags))
        .collect();
    let mut left_out = Vec::new();
    let mut reads = Vec::new();
    let mut resources: Vec<Value> = Vec::new();
    for one in chosen.iter().filter(|one| one.method == "GET") {
        match why_not(one) {
            Some(why) => left_out.push(one.left_out(why)),
            None if one.parameter().is_some() => {}
            None if has_ids(one.facts, document) => resources.push(json!({
                "list": one.path, "item": null, "parts": [], "create": null, "adds": [], "actions": [],
            })),
            None => reads.push(json!(one.path)),
        }
    }
    for one in chosen {
        let Some(index) = owner(one, &resources) else {
            if one.parameter().is_some() && why_not(one).is_none() {
                left_out.push(one.left_out("no list has the ids for its path"));
            } else if one.method != "GET" {
                left_out.push(one.left_out("it belongs to no list"));
            }
            continue;
        };
        if let Err(why) = join(one, &mut resources[index], document) {
            left_out.push(one.left_out(why));
        }
    }
    // A list whose created items cannot be read again may grow without an end.
    for resource in &mut resources {
        if resource["item"].is_null() && !resource["create"].is_null() {
            resource["create"] = Value::Null;
            left_out.push(json!({
                "operation": format!("POST {}", resource["list"].as_str().unwrap_or_default()),
                "why": "the created item cannot be read",
            }));
        }
    }
    json!({
        "app": app,
        "login": login.map(|one| one.path),
        "reads": reads,
        "resources": resources,
        "left_out": left_out,
        "rate": options.rate,
        "seconds": options.seconds,
        "think_seconds": options.think,
        "writes_percent": options.writes,
        "p99_ms": options.p99_ms,
        "errors_percent": options.errors,
    })
}

fn operations(document: &Value) -> Vec<Operation<'_>> {
    let paths = document["paths"].as_object().into_iter().flatten();
    let all = paths.flat_map(|(path, item)| {
        ["get", "post", "put", "patch", "delete"]
            .into_iter()
            .filter_map(move |method| {
                let facts = item.get(method)?;
                let method = match method {
                    "get" => "GET",
                    "post" => "POST",
                    "put" => "PUT",
                    "patch" => "PATCH",
                    _ => "DELETE",
                };
                Some(Operation {
                    method,
                    path,
                    facts,
                })
            })
    });
    all.collect()
}

impl Operation<'_> {
    fn has_tag(&self, tags: &[String]) -> bool {
        let own = self.facts["tags"].as_array().into_iter().flatten();
        let mut own = own.filter_map(Value::as_str);
        tags.is_empty() || own.any(|tag| tags.iter().any(|wanted| wanted == tag))
    }

    /// The only parameter of its path, in braces.
    fn parameter(&self) -> Option<&str> {
        let start = self.path.find('{')?;
        let end = self.path.find('}')?;
        self.path.get(start..=end)
    }

    fn left_out(&self, why: &str) -> Value {
        json!({"operation": format!("{} {}", self.method, self.path), "why": why})
    }

    /// True if it has a response with this status.
    fn answers(&self, status: &str) -> bool {
        self.facts["responses"].get(status).is_some()
    }
}

/// Why an operation cannot be part of a journey, whatever the others are.
fn why_not(one: &Operation<'_>) -> Option<&'static str> {
    if one.path.matches('{').count() > 1 {
        return Some("its path has more than one parameter");
    }
    if one.facts["deprecated"] == true {
        return Some("it is deprecated");
    }
    let parameters = one.facts["parameters"].as_array().into_iter().flatten();
    let mut required = parameters.filter(|one| one["required"] == true && one["in"] != "path");
    if required.any(|one| one["name"] != "Idempotency-Key") {
        return Some("it has a required parameter");
    }
    let content = one.facts["responses"]["200"]["content"].as_object();
    let is_json = content.is_none_or(|all| all.contains_key("application/json"));
    (!is_json).then_some("its response is a stream or a file")
}

fn is_login(one: &Operation<'_>, document: &Value) -> bool {
    let body = &one.facts["requestBody"]["content"]["application/json"]["schema"];
    let sent = &body::resolve(body, document)["properties"];
    let returned = &one.facts["responses"]["200"]["content"]["application/json"]["schema"];
    let returned = body::resolve(returned, document);
    let alternatives = returned["oneOf"].as_array().into_iter().flatten();
    let mut alternatives = alternatives.chain([returned]);
    let sends = |name| sent.get(name).is_some();
    sends("email")
        && sends("password")
        && alternatives.any(|one| {
            body::resolve(one, document)["properties"]
                .get("access_token")
                .is_some()
        })
}

/// True if a GET returns a page or an array of objects with ids.
fn has_ids(facts: &Value, document: &Value) -> bool {
    let schema = &facts["responses"]["200"]["content"]["application/json"]["schema"];
    let schema = body::resolve(schema, document);
    let items = match &schema["properties"]["items"] {
        Value::Null => &schema["items"],
        page => &body::resolve(page, document)["items"],
    };
    let items = body::resolve(items, document);
    let alternatives = items["anyOf"].as_array().into_iter().flatten();
    let mut alternatives = alternatives.chain([items]);
    alternatives.any(|one| {
        body::resolve(one, document)["properties"]
            .get("id")
            .is_some()
    })
}

/// The resource that an operation belongs to: the list, or its path begins with that of an item.
fn owner(one: &Operation<'_>, resources: &[Value]) -> Option<usize> {
    let base = match one.path.find("/{") {
        Some(end) => one.path.get(..end)?,
        None => one.path,
    };
    resources
        .iter()
        .position(|resource| resource["list"] == base)
}

/// Adds an operation to its resource.
fn join(one: &Operation<'_>, resource: &mut Value, document: &Value) -> Result<(), &'static str> {
    if let Some(why) = why_not(one) {
        // Already noted for a GET.
        return if one.method == "GET" {
            Ok(())
        } else {
            Err(why)
        };
    }
    let body = &one.facts["requestBody"]["content"];
    let is_item = one.path.ends_with('}');
    match (one.method, one.parameter()) {
        ("GET", None) => {}
        ("GET", Some(_)) if is_item => resource["item"] = json!(one.path),
        ("GET", Some(_)) => push(&mut resource["parts"], json!(one.path)),
        ("POST", None) if one.answers("201") => {
            resource["create"] = json!({"path": one.path, "body": filled(body, document)?});
        }
        ("POST", Some(_)) if body.is_null() => push(&mut resource["actions"], json!(one.path)),
        ("POST", Some(_)) if one.answers("201") => {
            let add = json!({"path": one.path, "body": filled(body, document)?});
            push(&mut resource["adds"], add);
        }
        _ => return Err("it changes or removes what other journeys read"),
    }
    Ok(())
}

fn push(list: &mut Value, one: Value) {
    if let Value::Array(all) = list {
        all.push(one);
    }
}

fn filled(content: &Value, document: &Value) -> Result<Value, &'static str> {
    let schema = content
        .get("application/json")
        .ok_or("its body is not JSON")?;
    body::of(&schema["schema"], document).ok_or("its body has a pattern without an example")
}
