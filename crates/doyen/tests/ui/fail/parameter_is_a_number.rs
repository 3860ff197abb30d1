use doyen::prelude::*;

/// List orders
#[get("/orders", allow = anyone)]
async fn list(limit: u32) -> NoContent {
    let _ = limit;
    NoContent
}

fn main() {}
