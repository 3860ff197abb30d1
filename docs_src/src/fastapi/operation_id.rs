//! An operation id of your own. Otherwise it is the module and the function.

use doyen::prelude::*;
use serde_json::{Value, json};

/// List items
#[get("/items/", allow = anyone, id = "some_specific_id_you_define")]
async fn items() -> Json<Value> {
    Json(json!([{"item_id": "Foo"}]))
}

pub fn module() -> Module {
    Module::new("items").routes(routes![items])
}
