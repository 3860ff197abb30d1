use doyen::prelude::*;

struct NewOrder;

/// Place an order.
#[post("/orders", allow = anyone)]
async fn place(new: NewOrder) -> NoContent {
    let _ = new;
    NoContent
}

fn main() {}
