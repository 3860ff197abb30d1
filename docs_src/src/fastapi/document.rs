//! The document: what the application says about itself, callbacks, webhooks, and the last word.

use doyen::prelude::*;
use doyen::schema::contract::OutboundCall;

/// An invoice.
#[derive(Input, Output)]
#[input(example = serde_json::json!({"id": "inv_1", "total": 9.5}))]
struct Invoice {
    id: String,
    total: f64,
}

/// An invoice was paid.
#[derive(Output)]
struct Paid {
    paid: bool,
}

const PAID: OutboundCall = OutboundCall::post::<Paid>("invoice_paid")
    .to("{$request.query.callback_url}/invoices/{$request.body#/id}")
    .summary("Report that the invoice was paid");

fn with_samples(operation: &mut serde_json::Value) {
    operation["x-codeSamples"] = serde_json::json!([{"lang": "sh", "source": "curl .."}]);
}

/// Create an invoice
#[post(
    "/invoices",
    allow = anyone,
    callback = PAID,
    returns = "The stored invoice.",
    document = with_samples
)]
async fn create(
    #[query] _callback_url: Option<String>,
    Json(invoice): Json<Invoice>,
) -> Status<201, Json<Invoice>> {
    Status(Json(invoice))
}

/// A new subscription.
#[derive(Output)]
struct Subscription {
    username: String,
}

/// The application.
pub fn app() -> App {
    App::new("invoices")
        .title("Invoices")
        .summary("Creates invoices and reports when they are paid.")
        .licence_url("House licence", "https://shop.example/licence")
        .terms_of_service("https://shop.example/terms")
        .external_docs("https://shop.example/manual", "The manual")
        .server("/api/v1", "Behind the proxy, which removes `/api/v1`")
        .webhook(OutboundCall::post::<Subscription>("new_subscription"))
        .document(|document| document["x-logo"] = serde_json::json!({"url": "/logo.svg"}))
        .module(Module::new("invoices").routes(routes![create]))
}
