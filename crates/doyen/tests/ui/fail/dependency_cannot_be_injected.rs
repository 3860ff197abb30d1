use doyen::prelude::*;

#[derive(Clone)]
struct Pool;

#[derive(Clone, Inject)]
struct Orders {
    pool: Pool,
}

/// List the orders.
#[get("/orders", allow = anyone)]
async fn list(orders: Orders) -> NoContent {
    let _ = orders.pool;
    NoContent
}

fn main() {}
