use doyen::prelude::*;

/// Show one order.
#[get("/orders/{id}", allow = anyone)]
async fn show(order: u64) -> NoContent {
    let _ = order;
    NoContent
}

fn main() {}
