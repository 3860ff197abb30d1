//! What an application says about its document: the head, callbacks, webhooks, and functions over
//! the result.

use doyen::prelude::*;
use doyen::schema::contract::OutboundCall;
use doyen::schema::{DocumentEdit, Info, Licence, document, document_text};
use doyen::web::Service;
use serde_json::json;

use crate::kit::{Value, finish};

/// An invoice.
#[derive(Input, Output)]
#[input(example = serde_json::json!({"id": "inv_1", "total": 5}))]
struct Invoice {
    id: String,
    total: u32,
}

/// An invoice was paid.
#[derive(Output)]
struct Paid {
    invoice: String,
    at: Option<String>,
}

/// A new subscription.
#[derive(Output)]
struct Subscription {
    username: String,
}

fn with_extension(operation: &mut serde_json::Value) {
    operation["x-code-samples"] = json!([{"lang": "sh", "source": "curl .."}]);
}

const PAID: OutboundCall = OutboundCall::post::<Paid>("invoice_paid")
    .to("{$request.query.callback_url}/invoices/{$request.body#/id}")
    .summary("Report that the invoice was paid");

/// Create an invoice
#[post(
    "/invoices",
    allow = anyone,
    callback = PAID,
    returns = "The created invoice.",
    document = with_extension
)]
async fn create(
    #[query] callback_url: Option<String>,
    Json(invoice): Json<Invoice>,
) -> Status<201, Json<Invoice>> {
    let _ = callback_url;
    Status(Json(invoice))
}

fn shop() -> Service {
    let webhook = OutboundCall::post::<Subscription>("new_subscription").description("Once.");
    let module = Module::new("t").routes(routes![create]);
    finish(Service::builder().module(module).webhook(webhook))
}

fn described(info: &Info) -> Value {
    let shop = shop();
    let text = document_text(info, shop.operations(), shop.components());
    let parsed: Value = serde_json::from_str(&text).unwrap();
    let whole = document(info, shop.operations(), shop.components());
    assert_eq!(parsed, whole);
    whole
}

#[test]
fn a_route_has_callbacks_a_description_and_a_last_word() {
    let document = described(&Info::default());
    let create = &document["paths"]["/invoices"]["post"];
    assert_eq!(
        create["responses"]["201"]["description"],
        "The created invoice."
    );
    assert_eq!(create["x-code-samples"][0]["lang"], "sh");
    let url = "{$request.query.callback_url}/invoices/{$request.body#/id}";
    let callback = &create["callbacks"]["invoice_paid"][url]["post"];
    assert_eq!(callback["summary"], "Report that the invoice was paid");
    let schema = &callback["requestBody"]["content"]["application/json"]["schema"];
    assert_eq!(schema["$ref"], "#/components/schemas/Paid");
    assert!(document["components"]["schemas"]["Paid"].is_object());
    assert!(callback["responses"]["2XX"].is_object());
    let security = callback["security"].as_array().expect("it is said");
    assert!(security.is_empty(), "the schemes are those of the routes");
}

#[test]
fn a_type_has_an_example_of_the_whole() {
    let document = described(&Info::default());
    let schemas = document["components"]["schemas"].as_object().unwrap();
    let (_, input) = schemas
        .iter()
        .find(|(name, _)| name.starts_with("Invoice") && name.contains("Input"))
        .unwrap();
    assert_eq!(input["examples"], json!([{"id": "inv_1", "total": 5}]));
}

#[test]
fn webhooks_are_described_with_their_bodies() {
    let document = described(&Info::default());
    let hook = &document["webhooks"]["new_subscription"]["post"];
    assert_eq!(hook["description"], "Once.");
    let schema = &hook["requestBody"]["content"]["application/json"]["schema"];
    assert_eq!(schema["$ref"], "#/components/schemas/Subscription");
}

#[test]
fn the_head_has_servers_licence_terms_and_documentation() {
    let document = described(&Info::default());
    assert_eq!(document["servers"][0]["url"], "/");
    assert!(document["info"].get("license").is_none());
    let info = Info {
        summary: "Invoices.".into(),
        terms_of_service: "https://a.example/terms".into(),
        servers: vec![("/api/v1".into(), "Behind the proxy.".into())],
        external_docs: Some(("https://a.example/docs".into(), "The manual.".into())),
        licence: Some(Licence {
            name: "House licence".into(),
            identifier: String::new(),
            url: "https://a.example/licence".into(),
        }),
        edit: Some(DocumentEdit::new(|document| {
            document["x-logo"] = json!({"url": "/logo.svg"});
            document["info"]["title"] = json!("Edited");
        })),
        ..Info::default()
    };
    let document = described(&info);
    assert_eq!(
        document["servers"],
        json!([{"url": "/api/v1", "description": "Behind the proxy."}])
    );
    assert_eq!(
        document["info"]["license"],
        json!({"name": "House licence", "url": "https://a.example/licence"})
    );
    assert_eq!(
        document["info"]["termsOfService"],
        "https://a.example/terms"
    );
    assert_eq!(document["info"]["summary"], "Invoices.");
    assert_eq!(document["externalDocs"]["url"], "https://a.example/docs");
    assert_eq!(document["x-logo"]["url"], "/logo.svg");
    assert_eq!(document["info"]["title"], "Edited");
    assert!(document["paths"]["/invoices"].is_object());
}
