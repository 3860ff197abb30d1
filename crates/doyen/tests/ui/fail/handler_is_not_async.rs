use doyen::prelude::*;

/// List the orders.
#[get("/orders", allow = anyone)]
fn list() -> NoContent {
    NoContent
}

fn main() {}
