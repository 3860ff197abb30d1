//! A status that no kind of problem has.

use doyen::prelude::*;
use serde_json::{Value, json};

/// The unicorn did something.
#[derive(Debug, Problem)]
#[problem(
    status = 418,
    detail = "Oops! {name} did something. There goes a rainbow..."
)]
struct Unicorn {
    name: String,
}

/// Read a unicorn
#[get("/unicorns/{name}", allow = anyone)]
async fn read(name: String) -> Result<Json<Value>, Unicorn> {
    if name == "yolo" {
        return Err(Unicorn { name });
    }
    Ok(Json(json!({"unicorn_name": name})))
}

pub fn module() -> Module {
    Module::new("unicorns").routes(routes![read])
}
