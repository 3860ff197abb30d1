//! The client, for what no parameter reads.

use doyen::prelude::*;
use doyen::web::Client;
use serde_json::{Value, json};

/// Read an item
#[get("/items/{item_id}", allow = anyone)]
async fn read(item_id: String, client: Client) -> Json<Value> {
    let host = client.address.map(|address| address.to_string());
    Json(json!({"client_host": host, "item_id": item_id}))
}

pub fn module() -> Module {
    Module::new("items").routes(routes![read])
}
