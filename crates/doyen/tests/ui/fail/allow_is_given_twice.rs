use doyen::prelude::*;

/// List the orders.
#[get("/orders", allow = signed_in, allow = anyone)]
async fn list() -> NoContent {
    NoContent
}

fn main() {}
