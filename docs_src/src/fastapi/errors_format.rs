//! A format of your own for every error, and a 400 for validation errors.

use doyen::prelude::*;
use doyen::schema::{ProblemFormat as _, ProblemView};
use serde_json::{Value, json};

/// Nope.
#[derive(Debug, Problem)]
#[problem(status = 418, detail = "Nope! I don't like 3.")]
struct Nope;

/// Read an item
#[get("/items/{item_id}", allow = anyone)]
async fn read(item_id: i64) -> Result<Json<Value>, Nope> {
    match item_id {
        3 => Err(Nope),
        _ => Ok(Json(json!({"item_id": item_id}))),
    }
}

fn messages(problem: &ProblemView<'_>) -> String {
    problem.messages().join("\n")
}

pub fn app() -> App {
    App::new("items")
        .problem_format(messages.invalid_as(400))
        .module(Module::new("items").routes(routes![read]))
}
