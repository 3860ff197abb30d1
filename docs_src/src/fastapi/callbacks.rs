//! A request that the service sends because of a call.

use doyen::prelude::*;
use doyen::schema::contract::OutboundCall;
use serde_json::{Value, json};

/// An invoice.
#[derive(Input)]
#[allow(dead_code, reason = "the example stores nothing")]
struct Invoice {
    id: String,
    title: Option<String>,
    customer: String,
    total: f64,
}

/// What happened to an invoice.
#[derive(Output)]
struct InvoiceEvent {
    description: String,
    paid: bool,
}

const NOTIFICATION: OutboundCall = OutboundCall::post::<InvoiceEvent>("invoice_notification")
    .to("{$request.query.callback_url}/invoices/{$request.body#/id}");

/// Create an invoice
///
/// The client gets a notification when it is paid.
#[post("/invoices/", allow = anyone, callback = NOTIFICATION)]
async fn create(
    #[query] _callback_url: Option<String>,
    Json(_invoice): Json<Invoice>,
) -> Json<Value> {
    Json(json!({"msg": "Invoice received"}))
}

pub fn module() -> Module {
    Module::new("invoices").routes(routes![create])
}
