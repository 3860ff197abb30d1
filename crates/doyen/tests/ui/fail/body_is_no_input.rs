use doyen::prelude::*;

struct NewOrder {
    quantity: u32,
}

/// Place an order.
#[post("/orders", allow = anyone)]
async fn place(Json(new): Json<NewOrder>) -> NoContent {
    let _ = new.quantity;
    NoContent
}

fn main() {}
