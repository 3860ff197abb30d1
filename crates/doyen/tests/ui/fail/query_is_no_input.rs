use doyen::prelude::*;

struct Filter {
    open: bool,
}

/// List the orders.
#[get("/orders", allow = anyone)]
async fn list(filter: Query<Filter>) -> NoContent {
    let _ = filter.0.open;
    NoContent
}

fn main() {}
