use doyen::prelude::*;

/// List the orders.
#[get("/orders", allow = anyone, timout = secs(3))]
async fn list() -> NoContent {
    NoContent
}

fn main() {}
