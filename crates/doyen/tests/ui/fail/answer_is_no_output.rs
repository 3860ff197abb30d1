use doyen::prelude::*;

struct OrderView {
    quantity: u32,
}

/// Show the last order.
#[get("/orders/last", allow = anyone)]
async fn last() -> Json<OrderView> {
    Json(OrderView { quantity: 1 })
}

fn main() {}
