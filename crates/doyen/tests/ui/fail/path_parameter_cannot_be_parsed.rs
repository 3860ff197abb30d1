use doyen::prelude::*;

struct OrderId;

/// Show one order.
#[get("/orders/{id}", allow = anyone)]
async fn show(id: OrderId) -> NoContent {
    let _ = id;
    NoContent
}

fn main() {}
