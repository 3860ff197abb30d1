use doyen::prelude::*;

/// List the orders.
#[get("/orders", allow = anyone, limit = "20/1m")]
async fn list() -> NoContent {
    NoContent
}

fn main() {}
