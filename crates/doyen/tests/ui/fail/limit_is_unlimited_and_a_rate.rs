use doyen::prelude::*;

/// List the orders.
#[get("/orders", allow = anyone, limit = (per_user(5, MINUTE), unlimited("a probe")))]
async fn list() -> NoContent {
    NoContent
}

fn main() {}
