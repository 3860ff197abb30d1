use doyen::prelude::*;

/// Find orders
#[get("/orders", allow = anyone)]
async fn find(q: Option<String>, limit: i64) -> NoContent {
    let _ = (q, limit);
    NoContent
}

fn main() {}
