//! The differences between two documents: one case for each kind of change.

use doyen_schema::diff;
use serde_json::{Value as Json, json};

/// A document with one operation.
fn base() -> Json {
    json!({
        "paths": {"/orders/{id}": {"post": {
            "parameters": [
                {"in": "path", "name": "id", "required": true, "schema": {"type": "string"}},
                {"in": "query", "name": "limit", "schema": {"type": "integer", "maximum": 100}},
            ],
            "security": [{"bearer": ["orders:write"]}],
            "requestBody": {"required": false, "content": {"application/json": {
                "schema": {"$ref": "#/components/schemas/NewOrder"}}}},
            "responses": {
                "201": {
                    "headers": {"Location": {}},
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Order"}}}},
                "404": {},
            },
        }}},
        "components": {"schemas": {
            "NewOrder": {
                "type": "object",
                "properties": {
                    "sku": {"type": "string", "maxLength": 20},
                    "kind": {"enum": ["a", "b"], "type": "string"},
                    "note": {"type": "string"},
                },
                "required": ["sku"],
            },
            "Order": {
                "type": "object",
                "properties": {
                    "id": {"type": "string"},
                    "state": {"enum": ["open", "done"], "type": "string"},
                    "parent": {"anyOf": [{"$ref": "#/components/schemas/Order"}, {"type": "null"}]},
                },
                "required": ["id", "state"],
            },
        }},
    })
}

const OPERATION: &str = "/paths/~1orders~1{id}/post";
const INPUT: &str = "/components/schemas/NewOrder";
const OUTPUT: &str = "/components/schemas/Order";

/// The kinds of the breaking changes, and of the others, after an edit.
fn changes(edit: impl FnOnce(&mut Json)) -> (Vec<&'static str>, Vec<&'static str>) {
    let mut new = base();
    edit(&mut new);
    let found = diff(&base(), &new);
    let kinds = |is_breaking: bool| {
        let mut kinds: Vec<_> = found
            .iter()
            .filter(|one| one.is_breaking == is_breaking)
            .map(|one| one.kind)
            .collect();
        kinds.dedup();
        kinds
    };
    (kinds(true), kinds(false))
}

fn at<'a>(document: &'a mut Json, place: &str, pointer: &str) -> &'a mut Json {
    let whole = format!("{place}{pointer}");
    document
        .pointer_mut(&whole)
        .unwrap_or_else(|| panic!("{whole}"))
}

fn remove(document: &mut Json, place: &str, pointer: &str, name: &str) {
    let gone = at(document, place, pointer)
        .as_object_mut()
        .and_then(|all| all.remove(name));
    assert!(gone.is_some(), "{name}");
}

#[test]
fn the_same_document_has_no_difference() {
    assert_eq!(diff(&base(), &base()), []);
}

#[test]
fn each_breaking_change_has_its_kind() {
    type Edit = fn(&mut Json);
    let cases: &[(&str, Edit)] = &[
        ("operation_removed", |new| {
            remove(new, "", "/paths/~1orders~1{id}", "post")
        }),
        ("parameter_removed", |new| {
            at(new, OPERATION, "/parameters")
                .as_array_mut()
                .unwrap()
                .truncate(1);
        }),
        ("parameter_required", |new| {
            at(new, OPERATION, "/parameters/1")["required"] = json!(true)
        }),
        ("parameter_required", |new| {
            let more = json!({"in": "header", "name": "Key", "required": true, "schema": {}});
            at(new, OPERATION, "/parameters")
                .as_array_mut()
                .unwrap()
                .push(more);
        }),
        ("constraint_added", |new| {
            at(new, OPERATION, "/parameters/1/schema")["maximum"] = json!(50)
        }),
        ("type_changed", |new| {
            at(new, OPERATION, "/parameters/1/schema")["type"] = json!("boolean")
        }),
        ("body_required", |new| {
            at(new, OPERATION, "/requestBody")["required"] = json!(true)
        }),
        ("body_removed", |new| {
            remove(new, OPERATION, "", "requestBody")
        }),
        ("media_type_removed", |new| {
            at(new, OPERATION, "/requestBody")["content"] = json!({"text/csv": {}});
        }),
        ("request_field_removed", |new| {
            remove(new, INPUT, "/properties", "note")
        }),
        ("request_field_required", |new| {
            at(new, INPUT, "")["required"] = json!(["sku", "note"])
        }),
        ("request_field_required", |new| {
            at(new, INPUT, "/properties")["count"] = json!({"type": "integer"});
            at(new, INPUT, "")["required"] = json!(["sku", "count"]);
        }),
        ("enum_value_removed", |new| {
            at(new, INPUT, "/properties/kind")["enum"] = json!(["a"])
        }),
        ("constraint_added", |new| {
            at(new, INPUT, "/properties/sku")["maxLength"] = json!(10)
        }),
        ("constraint_added", |new| {
            at(new, INPUT, "/properties/note")["pattern"] = json!("^a")
        }),
        ("constraint_added", |new| {
            at(new, INPUT, "/properties/note")["enum"] = json!(["a"])
        }),
        ("response_field_removed", |new| {
            remove(new, OUTPUT, "/properties", "id")
        }),
        ("response_field_optional", |new| {
            at(new, OUTPUT, "")["required"] = json!(["id"])
        }),
        ("enum_value_added", |new| {
            at(new, OUTPUT, "/properties/state")["enum"] = json!(["open", "done", "lost"]);
        }),
        ("type_changed", |new| {
            at(new, OUTPUT, "/properties/id")["type"] = json!("integer")
        }),
        ("type_changed", |new| {
            at(new, OUTPUT, "/properties/id")["type"] = json!(["string", "null"])
        }),
        ("type_changed", |new| {
            let more = json!({"type": "string"});
            at(new, OUTPUT, "/properties/parent/anyOf")
                .as_array_mut()
                .unwrap()
                .push(more);
        }),
        ("response_removed", |new| {
            remove(new, OPERATION, "/responses", "201")
        }),
        ("response_header_removed", |new| {
            remove(new, OPERATION, "/responses/201/headers", "Location")
        }),
        ("scope_required", |new| {
            at(new, OPERATION, "")["security"] = json!([{"bearer": ["orders:write", "more"]}]);
        }),
        ("security_scheme_removed", |new| {
            at(new, OPERATION, "")["security"] = json!([{"key": []}])
        }),
    ];
    for (kind, edit) in cases {
        assert_eq!(changes(*edit).0, [*kind], "{kind}");
    }
    let mut open = base();
    at(&mut open, OPERATION, "")["security"] = json!([]);
    let found = diff(&open, &base());
    assert_eq!(
        (found[0].kind, found[0].is_breaking),
        ("authentication_required", true)
    );
}

/// An error response in the form that Doyen describes it, and a field of two schemas.
fn joined() -> Json {
    let mut document = base();
    let code =
        json!({"type": "object", "properties": {"code": {"type": "string", "enum": ["gone"]}}});
    at(&mut document, OPERATION, "/responses")["404"] = json!({"content": {"application/json": {
        "schema": {"allOf": [{"$ref": "#/components/schemas/Order"}, code]}}}});
    let size = json!({"allOf": [
        {"type": "object", "properties": {"count": {"type": "integer"}}, "required": ["count"]},
        {"properties": {"count": {"maximum": 9}, "unit": {"type": "string", "enum": ["a", "b"]}}},
    ]});
    at(&mut document, INPUT, "/properties")["size"] = size;
    document
}

#[test]
fn members_of_all_of_are_compared_as_one_schema() {
    const ERROR: &str = "/responses/404/content/application~1json/schema/allOf";
    const SIZE: &str = "/properties/size/allOf";
    type Edit = fn(&mut Json);
    let cases: &[(&str, bool, Edit)] = &[
        ("response_field_removed", true, |new| {
            remove(new, OUTPUT, "/properties", "id")
        }),
        ("response_field_removed", true, |new| {
            remove(new, OPERATION, &format!("{ERROR}/1/properties"), "code")
        }),
        // A new error code is like a new error.
        ("enum_value_added", false, |new| {
            at(new, OPERATION, &format!("{ERROR}/1/properties/code"))["enum"] =
                json!(["gone", "lost"]);
        }),
        ("request_field_required", true, |new| {
            at(new, INPUT, &format!("{SIZE}/1"))["required"] = json!(["unit"]);
        }),
        ("constraint_added", true, |new| {
            at(new, INPUT, &format!("{SIZE}/1/properties/count"))["maximum"] = json!(5);
        }),
        ("enum_value_removed", true, |new| {
            at(new, INPUT, &format!("{SIZE}/0/properties"))["unit"] = json!({"enum": ["a"]});
        }),
    ];
    for (kind, is_breaking, edit) in cases {
        let mut new = joined();
        edit(&mut new);
        let found = diff(&joined(), &new);
        let kinds: Vec<_> = found
            .iter()
            .map(|one| (one.kind, one.is_breaking))
            .collect();
        assert!(kinds.contains(&(*kind, *is_breaking)), "{kind}: {kinds:?}");
    }
    assert_eq!(diff(&joined(), &joined()), []);

    // The same fields in one schema are no change.
    let mut new = joined();
    at(&mut new, INPUT, "/properties")["size"] = json!({
        "type": "object",
        "properties": {
            "count": {"type": "integer", "maximum": 9},
            "unit": {"type": "string", "enum": ["a", "b"]},
        },
        "required": ["count"],
    });
    assert_eq!(diff(&joined(), &new), []);
}

#[test]
fn a_schema_that_contains_itself_is_compared() {
    let mut own = base();
    at(&mut own, OUTPUT, "")["allOf"] = json!([{"$ref": "#/components/schemas/Order"}]);
    assert_eq!(diff(&own, &own), []);
    let mut new = own.clone();
    remove(&mut new, OUTPUT, "/properties", "id");
    assert_eq!(diff(&own, &new)[0].kind, "response_field_removed");
}

#[test]
fn parameters_of_a_path_belong_to_its_operations() {
    let key =
        |required: bool| json!({"in": "header", "name": "Key", "required": required, "schema": {}});
    let with = |required: bool| {
        let mut document = base();
        at(&mut document, "", "/paths/~1orders~1{id}")["parameters"] = json!([key(required)]);
        document
    };
    assert_eq!(
        diff(&with(false), &with(true))[0].kind,
        "parameter_required"
    );
    assert_eq!(diff(&with(true), &base())[0].kind, "parameter_removed");

    // A parameter of the operation replaces the one of the path.
    let mut new = with(true);
    at(&mut new, OPERATION, "/parameters")
        .as_array_mut()
        .unwrap()
        .push(key(false));
    assert_eq!(diff(&with(false), &new), []);
}

#[test]
fn compatible_changes_do_not_break() {
    type Edit = fn(&mut Json);
    let cases: &[(Option<&str>, Edit)] = &[
        (Some("operation_added"), |new| {
            new["paths"]["/more"]["get"] = json!({"responses": {}})
        }),
        (Some("parameter_added"), |new| {
            let more = json!({"in": "query", "name": "q", "schema": {}});
            at(new, OPERATION, "/parameters")
                .as_array_mut()
                .unwrap()
                .push(more);
        }),
        (None, |new| {
            at(new, OPERATION, "/parameters/1/schema")["maximum"] = json!(200)
        }),
        (None, |new| {
            at(new, OPERATION, "/parameters/1/schema")["type"] = json!("number")
        }),
        (Some("request_field_added"), |new| {
            at(new, INPUT, "/properties")["x"] = json!({})
        }),
        (None, |new| at(new, INPUT, "")["required"] = json!([])),
        (Some("enum_value_added"), |new| {
            at(new, INPUT, "/properties/kind")["enum"] = json!(["a", "b", "c"]);
        }),
        (Some("response_field_added"), |new| {
            at(new, OUTPUT, "/properties")["x"] = json!({})
        }),
        (Some("enum_value_removed"), |new| {
            at(new, OUTPUT, "/properties/state")["enum"] = json!(["open"]);
        }),
        (Some("response_added"), |new| {
            at(new, OPERATION, "/responses")["409"] = json!({})
        }),
        (Some("response_removed"), |new| {
            remove(new, OPERATION, "/responses", "404")
        }),
        (Some("operation_deprecated"), |new| {
            at(new, OPERATION, "")["deprecated"] = json!(true)
        }),
        (None, |new| {
            at(new, OUTPUT, "/properties/id")["description"] = json!("Id.")
        }),
    ];
    for (kind, edit) in cases {
        let (breaking, other) = changes(*edit);
        assert_eq!(breaking, Vec::<&str>::new(), "{kind:?}");
        assert_eq!(other.first().copied(), *kind);
    }
}
