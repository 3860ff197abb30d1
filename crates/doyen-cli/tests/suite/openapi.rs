//! `doyen openapi diff`: one pair of documents for each rule, and the helpdesk's document.

use std::path::Path;
use std::process::Command;

use serde_json::{Value as Json, json};

use crate::sandbox::{Ended, Sandbox, checkout, run};

const CREATE: &str = "/paths/~1orders/post";
const BODY: &str = "/paths/~1orders/post/requestBody/content/application~1json/schema";
const CREATED: &str = "/paths/~1orders/post/responses/201/content/application~1json/schema";

fn document() -> Json {
    json!({
        "openapi": "3.1.0",
        "info": {"title": "Shop", "version": "1"},
        "paths": {
            "/health": {"get": {"responses": {"200": {"description": "Healthy."}}}},
            "/orders": {"post": {
                "security": [{"bearer": ["orders:write"]}, {"key": []}],
                "parameters": [{"in": "query", "name": "dry", "schema": {"type": "boolean"}}],
                "requestBody": {"required": true, "content": {"application/json": {"schema": {
                    "type": "object",
                    "properties": {
                        "sku": {"type": "string", "maxLength": 20},
                        "kind": {"type": "string", "enum": ["a", "b"]},
                        "count": {"type": ["integer", "null"]},
                    },
                    "required": ["sku"],
                }}}},
                "responses": {"201": {"description": "Created.", "content": {"application/json": {"schema": {
                    "type": "object",
                    "properties": {
                        "id": {"type": "string"},
                        "state": {"type": "string", "enum": ["open", "paid"]},
                    },
                    "required": ["id", "state"],
                }}}}},
            }},
        },
    })
}

/// Compares a document with a changed copy of it.
fn compare(before: &Json, after: &Json, options: &[&str]) -> Ended {
    let sandbox = Sandbox::new();
    for (name, document) in [("old.json", before), ("new.json", after)] {
        std::fs::write(sandbox.folder.join(name), document.to_string()).unwrap();
    }
    let arguments = [&["openapi", "diff", "old.json", "new.json"], options].concat();
    sandbox.doyen(".", &arguments)
}

fn at<'a>(document: &'a mut Json, pointer: &str) -> &'a mut Json {
    document
        .pointer_mut(pointer)
        .unwrap_or_else(|| panic!("{pointer}"))
}

fn remove(document: &mut Json, pointer: &str, name: &str) -> Json {
    let all = at(document, pointer).as_object_mut().unwrap();
    all.remove(name).unwrap_or_else(|| panic!("{name}"))
}

fn push(document: &mut Json, list: &str, one: Json) {
    let list = at(document, &format!("{CREATE}{list}"));
    list.as_array_mut().unwrap().push(one);
}

type Edit = fn(&mut Json);

#[test]
fn each_rule_has_a_change_that_breaks_and_one_that_does_not() {
    let rules: &[(&str, Edit, Edit)] = &[
        (
            "breaking  operation_removed  GET /health: the operation was removed",
            |new| drop(remove(new, "/paths", "/health")),
            |new| at(new, "/paths")["/more"] = json!({"get": {"responses": {}}}),
        ),
        (
            "breaking  operation_removed  POST /orders",
            |new| {
                let post = remove(new, "/paths/~1orders", "post");
                at(new, "/paths/~1orders")["put"] = post;
            },
            |new| at(new, "/paths/~1orders")["get"] = json!({"responses": {}}),
        ),
        (
            "breaking  parameter_required  POST /orders query parameter `dry`",
            |new| at(new, CREATE)["parameters"][0]["required"] = json!(true),
            |new| {
                push(
                    new,
                    "/parameters",
                    json!({"in": "query", "name": "q", "schema": {}}),
                )
            },
        ),
        (
            "breaking  request_field_required  POST /orders body/note",
            |new| {
                at(new, BODY)["properties"]["note"] = json!({"type": "string"});
                at(new, BODY)["required"] = json!(["sku", "note"]);
            },
            |new| at(new, BODY)["properties"]["note"] = json!({"type": "string"}),
        ),
        (
            "breaking  request_field_removed  POST /orders body/kind",
            |new| drop(remove(new, &format!("{BODY}/properties"), "kind")),
            |new| at(new, BODY)["required"] = json!([]),
        ),
        (
            "breaking  type_changed  POST /orders body/count",
            |new| at(new, BODY)["properties"]["count"]["type"] = json!("integer"),
            |new| at(new, BODY)["properties"]["count"]["type"] = json!(["number", "null"]),
        ),
        (
            "breaking  constraint_added  POST /orders body/sku: `maxLength` was 20 and is 10",
            |new| at(new, BODY)["properties"]["sku"]["maxLength"] = json!(10),
            |new| at(new, BODY)["properties"]["sku"]["maxLength"] = json!(30),
        ),
        (
            "breaking  enum_value_removed  POST /orders body/kind: the value \"b\" was removed",
            |new| at(new, BODY)["properties"]["kind"]["enum"] = json!(["a"]),
            |new| at(new, BODY)["properties"]["kind"]["enum"] = json!(["a", "b", "c"]),
        ),
        (
            "breaking  response_field_removed  POST /orders 201/id",
            |new| drop(remove(new, &format!("{CREATED}/properties"), "id")),
            |new| at(new, CREATED)["properties"]["more"] = json!({}),
        ),
        (
            "breaking  response_field_optional  POST /orders 201/state",
            |new| at(new, CREATED)["required"] = json!(["id"]),
            |new| at(new, CREATED)["properties"]["id"]["maxLength"] = json!(9),
        ),
        (
            "breaking  enum_value_added  POST /orders 201/state: the value \"lost\" was added",
            |new| at(new, CREATED)["properties"]["state"]["enum"] = json!(["open", "paid", "lost"]),
            |new| at(new, CREATED)["properties"]["state"]["enum"] = json!(["open"]),
        ),
        (
            "breaking  type_changed  POST /orders 201/id",
            |new| at(new, CREATED)["properties"]["id"]["type"] = json!(["string", "null"]),
            |new| at(new, CREATED)["properties"]["id"]["description"] = json!("Id."),
        ),
        (
            "breaking  response_removed  POST /orders 201",
            |new| {
                let created = remove(new, &format!("{CREATE}/responses"), "201");
                at(new, CREATE)["responses"]["200"] = created;
            },
            |new| at(new, CREATE)["responses"]["409"] = json!({}),
        ),
        (
            "breaking  security_scheme_removed  POST /orders: the scheme `key` was removed",
            |new| at(new, CREATE)["security"] = json!([{"bearer": ["orders:write"]}]),
            |new| push(new, "/security", json!({"cookie": []})),
        ),
        (
            "breaking  scope_required  POST /orders: the scope `admin` is required",
            |new| at(new, CREATE)["security"][0] = json!({"bearer": ["orders:write", "admin"]}),
            |new| at(new, CREATE)["security"][0] = json!({"bearer": []}),
        ),
    ];
    for (line, breaks, fits) in rules {
        let mut new = document();
        breaks(&mut new);
        let ended = compare(&document(), &new, &[]).failure(1, &["break clients"]);
        assert!(ended.stdout.contains(line), "{line}\n{}", ended.stdout);

        let mut new = document();
        fits(&mut new);
        let ended = compare(&document(), &new, &[]).success();
        let last = ended.stdout.lines().last().unwrap_or_default();
        assert!(
            last.ends_with("none breaks clients"),
            "{line}\n{}",
            ended.stdout
        );
    }
}

#[test]
fn json_has_every_change_and_the_exit_code_stays() {
    let mut new = document();
    remove(&mut new, "/paths", "/health");
    at(&mut new, CREATED)["properties"]["more"] = json!({});
    let ended = compare(&document(), &new, &["--json"]).failure(1, &["1 of 2 changes"]);
    let report: Json = serde_json::from_str(&ended.stdout).unwrap();
    assert_eq!(
        report,
        json!({"breaking": 1, "compatible": 1, "changes": [
            {"breaking": true, "kind": "operation_removed", "at": "GET /health", "detail": "the operation was removed"},
            {"breaking": false, "kind": "response_field_added", "at": "POST /orders 201/more", "detail": "a field was added"},
        ]})
    );
    let ended = compare(&document(), &document(), &["--json"]).success();
    let report: Json = serde_json::from_str(&ended.stdout).unwrap();
    assert_eq!(
        report,
        json!({"breaking": 0, "compatible": 0, "changes": []})
    );
}

#[test]
fn the_helpdesks_document_is_compared_with_a_changed_one() {
    let text = std::fs::read_to_string(checkout().join("apps/helpdesk/openapi.json")).unwrap();
    let document: Json = serde_json::from_str(&text).unwrap();
    let same = compare(&document, &document, &[]).success();
    assert_eq!(same.stdout.trim(), "0 changes, none breaks clients");

    // A field of each ticket, and one of every error, which `allOf` adds to the responses.
    let mut new = document.clone();
    remove(&mut new, "/components/schemas/Ticket/properties", "subject");
    remove(&mut new, "/components/schemas/Problem/properties", "title");
    let ended = compare(&document, &new, &[]).failure(1, &["break clients"]);
    for line in [
        "breaking  response_field_removed  GET /v1/tickets/{id} 200/subject: the field was removed",
        "breaking  response_field_removed  GET /v1/tickets/{id} 404/title: the field was removed",
    ] {
        assert!(ended.stdout.contains(line), "{line}\n{}", ended.stdout);
    }
}

fn git(folder: &Path, arguments: &[&str]) {
    let mut git = Command::new("git");
    git.args(["-c", "user.name=Ada", "-c", "user.email=ada@example.com"]);
    git.args([
        "-c",
        "commit.gpgsign=false",
        "-c",
        "init.defaultBranch=main",
    ]);
    run(git.args(arguments).current_dir(folder)).success();
}

#[test]
fn a_revision_has_the_older_document() {
    let sandbox = Sandbox::new();
    let api = sandbox.folder.join("api");
    std::fs::create_dir(&api).unwrap();
    let write = |document: &Json| {
        std::fs::write(api.join("openapi.json"), document.to_string()).unwrap();
    };
    write(&document());
    git(&sandbox.folder, &["init", "--quiet"]);
    git(&sandbox.folder, &["add", "."]);
    git(
        &sandbox.folder,
        &["commit", "--quiet", "-m", "Add the document"],
    );
    git(&sandbox.folder, &["tag", "v1"]);

    let against = |folder: &str, more: &[&str]| {
        let arguments = [&["openapi", "diff", "--against"], more].concat();
        sandbox.doyen(folder, &arguments)
    };
    against("api", &["v1"]).success();
    let mut new = document();
    remove(&mut new, "/paths", "/health");
    write(&new);
    against("api", &["v1"]).failure(1, &["1 of 1 changes"]);
    against(".", &["HEAD", "api/openapi.json"]).failure(1, &["1 of 1 changes"]);

    against("api", &["v2"]).failure(2, &["git has no document `v2:./openapi.json`", "help: "]);
    against("api", &["v1", "a.json", "b.json"]).failure(2, &["`--against` is the older"]);
    // A revision is never an option of git.
    let option = format!("--output={}", sandbox.folder.join("written").display());
    sandbox
        .doyen("api", &["openapi", "diff", &format!("--against={option}")])
        .failure(2, &["git has no document"]);
    assert!(!sandbox.folder.join("written:./openapi.json").exists());
    assert!(!sandbox.folder.join("written").exists());
}

#[test]
fn what_is_no_document_is_refused() {
    let sandbox = Sandbox::new();
    std::fs::write(sandbox.folder.join("empty.json"), "{}").unwrap();
    std::fs::write(sandbox.folder.join("api.yaml"), "openapi: 3.1.0\n").unwrap();
    std::fs::write(sandbox.folder.join("api.json"), document().to_string()).unwrap();
    for (names, words) in [
        (
            &["empty.json", "api.json"][..],
            "empty.json is no OpenAPI 3 document",
        ),
        (&["api.json", "api.yaml"], "api.yaml is not JSON"),
        (&["api.json", "gone.json"], "cannot read gone.json"),
        (&["api.json"], "two documents are compared"),
        (&[], "two documents are compared"),
    ] {
        let arguments = [&["openapi", "diff"], names].concat();
        sandbox.doyen(".", &arguments).failure(2, &[words]);
    }
}
