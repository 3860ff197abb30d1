use doyen::prelude::*;

enum FindOrder {
    Missing,
}

/// Show the last order.
#[get("/orders/last", allow = anyone)]
async fn last() -> Result<NoContent, FindOrder> {
    Err(FindOrder::Missing)
}

fn main() {}
