use doyen::prelude::*;

/// Delete all orders.
#[delete("/orders", allow = signed_in.role("admin"))]
async fn delete_all() -> NoContent {
    NoContent
}

fn main() {}
