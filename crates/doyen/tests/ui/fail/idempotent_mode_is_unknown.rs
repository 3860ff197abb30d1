use doyen::prelude::*;

/// Place an order
#[post("/orders", allow = anyone, idempotent(always))]
async fn place() -> NoContent {
    NoContent
}

fn main() {}
