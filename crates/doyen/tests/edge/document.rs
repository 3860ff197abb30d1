//! The OpenAPI document of a small application: everything in the signatures, and nothing else.

use doyen::prelude::*;
use doyen::schema::{Info, Licence, document, document_text};
use doyen::web::Service;
use serde_json::json;

use crate::kit::{Value, finish};

#[derive(Clone, Copy, Debug, doyen::domain::Scope)]
enum Scope {
    /// Read orders.
    #[scope("orders:read")]
    Read,
    /// Place orders.
    #[scope("orders:write")]
    Write,
}

/// How urgent it is.
#[derive(Clone, Copy, Input, Output)]
enum Urgency {
    /// In its turn.
    Normal,
    /// Before all others.
    High,
}

/// What a buyer sends.
#[derive(Input)]
struct NewOrder {
    /// The number on the label.
    #[validate(length(min = 1, max = 32))]
    sku: String,
    #[validate(range(min = 1, max = 100))]
    quantity: u32,
    #[input(default = Urgency::Normal)]
    urgency: Urgency,
}

/// An order.
#[derive(Output)]
#[output(name = "Order", etag = version)]
struct OrderView {
    id: u32,
    sku: String,
    urgency: Urgency,
    note: Option<String>,
    #[output(skip)]
    version: u32,
}

/// Which orders.
#[derive(Input)]
struct Filter {
    /// Only those that are urgent.
    urgency: Option<Urgency>,
    #[input(default)]
    tag: Vec<String>,
}

/// Why an order was not found.
#[derive(Debug, Problem)]
enum FindOrder {
    /// There is no such order.
    #[problem(not_found, code = "order_not_found")]
    Missing,
    /// It was deleted for good.
    #[problem(gone, code = "order_deleted")]
    Deleted,
}

/// Why an order cannot be placed.
#[derive(Debug, Problem)]
enum PlaceOrder {
    /// There is not enough of it.
    #[problem(conflict, code = "out_of_stock")]
    OutOfStock,
    /// The account is closed.
    #[problem(conflict, code = "account_closed")]
    Closed,
}

/// List orders.
///
/// Newest first.
#[get("/orders", allow = Scope::Read, sparse)]
async fn list(filter: Query<Filter>, paging: Paging) -> Page<OrderView> {
    let filter = filter.into_inner();
    let _ = (filter.urgency.is_some(), filter.tag.len());
    Page {
        items: Vec::new(),
        limit: paging.limit,
        next: None,
        prev: None,
        total: None,
    }
}

/// Show one order.
#[get("/orders/{id}", allow = Scope::Read)]
async fn show(id: u32) -> Result<Json<OrderView>, FindOrder> {
    match id {
        0 => Err(FindOrder::Missing),
        1 => Err(FindOrder::Deleted),
        id => Ok(Json(OrderView {
            id,
            sku: String::new(),
            urgency: Urgency::Normal,
            note: None,
            version: 1,
        })),
    }
}

/// Place an order.
#[post("/orders", allow = Scope::Write)]
async fn place(Json(new): Json<NewOrder>) -> Result<Created<OrderView>, PlaceOrder> {
    match new.quantity {
        1 => Err(PlaceOrder::OutOfStock),
        2 => Err(PlaceOrder::Closed),
        _ => Ok(Created(OrderView {
            id: 1,
            sku: new.sku,
            urgency: new.urgency,
            note: None,
            version: 1,
        })),
    }
}

/// Change an order.
#[put("/orders/{id}", allow = signed_in, deprecated)]
async fn change(id: u32, version: IfMatch, Json(new): Json<NewOrder>) -> NoContent {
    let _ = (id, version, new.quantity);
    NoContent
}

/// A file.
#[get("/files/{*path}", allow = anyone)]
async fn file(path: String) -> Text {
    Text(path)
}

/// Not for the public.
#[get("/inside", allow = anyone, hidden)]
async fn inside() -> NoContent {
    NoContent
}

fn shop() -> Service {
    let routes = routes![list, show, place, change, file, inside];
    let orders = Module::new("orders").describe("Orders.").routes(routes);
    finish(
        Service::builder()
            .module(orders)
            .module(Module::new("empty")),
    )
}

fn text() -> String {
    let shop = shop();
    let info = Info {
        title: "Shop".into(),
        version: "1.2.3".into(),
        description: "Sells tea.".into(),
        licence: Some(Licence {
            name: "MIT".into(),
            identifier: "MIT".into(),
            url: String::new(),
        }),
        tags: shop.contracts().modules.clone(),
        scopes: vec![("orders:read".into(), "Read orders.".into())],
        ..Info::default()
    };
    let text = document_text(&info, shop.operations(), shop.components());
    let parsed: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(
        parsed,
        document(&info, shop.operations(), shop.components())
    );
    text
}

fn whole() -> Value {
    serde_json::from_str(&text()).unwrap()
}

/// The codes of an operation, by status.
fn codes(operation: &Value) -> Vec<(String, Vec<String>)> {
    let mut all = Vec::new();
    for (status, response) in operation["responses"].as_object().unwrap() {
        let problem = &response["content"]["application/problem+json"]["schema"];
        if let Some(codes) = problem.pointer("/allOf/1/properties/code/enum") {
            let codes = codes.as_array().unwrap().iter();
            all.push((
                status.clone(),
                codes
                    .map(|code| code.as_str().unwrap().to_owned())
                    .collect(),
            ));
        }
    }
    all
}

fn parameter<'a>(operation: &'a Value, name: &str) -> &'a Value {
    operation["parameters"]
        .as_array()
        .unwrap()
        .iter()
        .find(|parameter| parameter["name"] == name)
        .unwrap_or_else(|| panic!("no parameter {name} in {operation:#}"))
}

#[test]
fn the_same_routes_give_the_same_text() {
    assert_eq!(text(), text());
    assert!(text().ends_with("}\n"));
}

#[test]
fn the_head_of_the_document_is_complete() {
    let all = whole();
    assert_eq!(all["openapi"], "3.1.0");
    assert_eq!(all["info"]["version"], "1.2.3");
    assert_eq!(
        all["info"]["license"],
        json!({"name": "MIT", "identifier": "MIT"})
    );
    // A module without routes is no tag; a hidden route is not in the document.
    assert_eq!(
        all["tags"],
        json!([{"name": "orders", "description": "Orders."}])
    );
    let paths: Vec<&String> = all["paths"].as_object().unwrap().keys().collect();
    assert_eq!(paths, ["/files/{path}", "/orders", "/orders/{id}"]);
    let scheme = &all["components"]["securitySchemes"]["bearer"];
    assert_eq!(scheme["scheme"], "bearer");
    assert!(
        scheme["description"]
            .as_str()
            .unwrap()
            .contains("`orders:read`: Read orders.")
    );
}

#[test]
fn an_operation_is_its_signature() {
    let all = whole();
    let list = &all["paths"]["/orders"]["get"];
    assert_eq!(list["operationId"], "orders_list");
    assert_eq!(list["summary"], "List orders.");
    assert_eq!(list["description"], "Newest first.");
    assert_eq!(list["security"], json!([{"bearer": ["orders:read"]}]));
    let names: Vec<&str> = list["parameters"]
        .as_array()
        .unwrap()
        .iter()
        .map(|parameter| parameter["name"].as_str().unwrap())
        .collect();
    assert_eq!(
        names,
        [
            "urgency", "tag", "limit", "cursor", "page", "per_page", "fields", "nulls"
        ]
    );
    assert_eq!(
        parameter(list, "urgency")["description"],
        "Only those that are urgent."
    );
    assert_eq!(parameter(list, "urgency")["required"], false);
    assert_eq!(parameter(list, "tag")["explode"], true);
    let fields = parameter(list, "fields");
    assert_eq!(fields["explode"], false);
    assert_eq!(
        fields["schema"]["items"]["enum"],
        json!(["id", "note", "sku", "urgency"])
    );

    let show = &all["paths"]["/orders/{id}"]["get"];
    let id = parameter(show, "id");
    assert_eq!((&id["in"], &id["required"]), (&json!("path"), &json!(true)));
    assert_eq!(id["schema"]["type"], "integer");
    // It has a version: the response to a conditional request is part of the contract.
    assert!(show["responses"]["304"].is_object());
    assert!(show["responses"]["200"]["headers"]["ETag"].is_object());

    let change = &all["paths"]["/orders/{id}"]["put"];
    assert_eq!(change["deprecated"], true);
    assert_eq!(change["security"], json!([{"bearer": []}]));
    assert_eq!(parameter(change, "If-Match")["required"], true);

    let file = &all["paths"]["/files/{path}"]["get"];
    assert_eq!(file["security"], json!([]));
    assert_eq!(parameter(file, "path")["in"], "path");
}

#[test]
fn each_error_is_listed_by_status_with_its_code() {
    let all = whole();
    let of = |path: &str, method: &str| codes(&all["paths"][path][method]);
    let list = |all: &[(&str, &[&str])]| -> Vec<(String, Vec<String>)> {
        all.iter()
            .map(|(status, codes)| {
                (
                    (*status).to_owned(),
                    codes.iter().map(|code| (*code).to_owned()).collect(),
                )
            })
            .collect()
    };
    assert_eq!(
        of("/orders/{id}", "get"),
        list(&[
            ("400", &["malformed_parameters"]),
            ("401", &["unauthenticated"]),
            ("403", &["forbidden"]),
            ("404", &["order_not_found"]),
            ("410", &["order_deleted"]),
            ("412", &["precondition_failed"]),
            ("414", &["uri_too_long"]),
            ("422", &["invalid"]),
            ("500", &["internal"]),
            ("503", &["timeout", "unavailable"]),
        ])
    );
    let place = of("/orders", "post");
    let codes = |status: &str| {
        place
            .iter()
            .find(|(known, _)| known == status)
            .map(|(_, codes)| codes.join(" "))
    };
    assert_eq!(codes("409").as_deref(), Some("account_closed out_of_stock"));
    assert_eq!(codes("413").as_deref(), Some("body_too_large"));
    assert_eq!(codes("415").as_deref(), Some("unsupported_media_type"));
    assert_eq!(codes("408").as_deref(), Some("body_timeout"));
    let change = of("/orders/{id}", "put");
    for (status, code) in [
        ("412", "precondition_failed"),
        ("428", "precondition_required"),
    ] {
        assert!(
            change
                .iter()
                .any(|(known, codes)| known == status && codes.contains(&code.to_owned())),
            "{change:?}"
        );
    }
    let file = of("/files/{path}", "get");
    assert!(
        !file
            .iter()
            .any(|(status, _)| status == "401" || status == "403")
    );
    let description = &all["paths"]["/orders"]["post"]["responses"]["409"]["description"];
    assert!(
        description
            .as_str()
            .unwrap()
            .contains("- `out_of_stock`: There is not enough of it."),
        "{description}"
    );
}

#[test]
fn input_and_output_are_two_schemas() {
    let all = whole();
    let schemas = all["components"]["schemas"].as_object().unwrap();
    let new = &schemas["NewOrder"];
    assert_eq!(new["required"], json!(["sku", "quantity"]));
    assert_eq!(new["additionalProperties"], false);
    assert_eq!(new["properties"]["sku"]["maxLength"], 32);
    assert_eq!(
        new["properties"]["sku"]["description"],
        "The number on the label."
    );
    let order = &schemas["Order"];
    assert_eq!(order["required"], json!(["id", "sku", "urgency", "note"]));
    assert!(order["properties"].get("version").is_none());
    assert_eq!(
        order["properties"]["note"]["type"],
        json!(["string", "null"])
    );
    let body = &all["paths"]["/orders"]["post"]["requestBody"];
    assert_eq!(body["required"], true);
    assert_eq!(
        body["content"]["application/json"]["schema"]["$ref"],
        "#/components/schemas/NewOrder"
    );
}

#[test]
fn every_reference_leads_somewhere_and_nothing_is_left_over() {
    let all = whole();
    let text = text();
    let mut rest = text.as_str();
    let mut named = Vec::new();
    while let Some(at) = rest.find("\"$ref\": \"#") {
        rest = &rest[at + 10..];
        let pointer = &rest[..rest.find('"').unwrap()];
        assert!(all.pointer(pointer).is_some(), "{pointer} leads nowhere");
        named.push(pointer.to_owned());
    }
    for name in all["components"]["schemas"].as_object().unwrap().keys() {
        let pointer = format!("/components/schemas/{name}");
        assert!(named.contains(&pointer), "{name} is not used");
    }
}
