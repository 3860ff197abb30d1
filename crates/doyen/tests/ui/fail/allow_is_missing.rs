use doyen::prelude::*;

/// List the orders.
#[get("/orders")]
async fn list() -> NoContent {
    NoContent
}

fn main() {}
