use doyen::prelude::*;

struct Orders;

/// List the orders.
#[get("/orders", allow = anyone)]
async fn list(orders: Orders, paging: Paging) -> NoContent {
    let _ = (orders, paging);
    NoContent
}

fn main() {}
