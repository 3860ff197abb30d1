//! The request itself, for what no extractor reads, and a value as JSON.

use doyen::prelude::*;
use doyen::web::{Body, Client};

/// Get the address of the client
#[get("/items/{item_id}", allow = anyone)]
async fn address(item_id: String, client: Client) -> Text {
    let address = client.address.map(|address| address.to_string());
    Text(format!("{} {item_id}", address.unwrap_or_default()))
}

/// Describe the request
#[post("/describe", allow = anyone)]
async fn describe(request: http::Request<Body>) -> Text {
    let (method, uri) = (request.method(), request.uri());
    Text(format!("{method} {uri} {}", request.headers().len()))
}

/// An item.
#[derive(Input, Output)]
struct Item {
    title: String,
    timestamp: Timestamp,
}

/// Encode an item
///
/// Every `Output` is a `serde::Serialize`: this is FastAPI's `jsonable_encoder`.
#[put("/encoded", allow = anyone)]
async fn encoded(Json(item): Json<Item>) -> Result<Json<serde_json::Value>, Unexpected> {
    Ok(Json(serde_json::to_value(&item)?))
}

/// The module with requests.
pub fn module() -> Module {
    Module::new("requests").routes(routes![address, describe, encoded])
}
