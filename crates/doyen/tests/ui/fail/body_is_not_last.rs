use doyen::prelude::*;

/// What a buyer sends.
#[derive(Input)]
struct NewOrder {
    quantity: u32,
}

/// Place an order.
#[post("/orders", allow = anyone)]
async fn place(Json(new): Json<NewOrder>, paging: Paging) -> NoContent {
    let _ = (new.quantity, paging);
    NoContent
}

fn main() {}
