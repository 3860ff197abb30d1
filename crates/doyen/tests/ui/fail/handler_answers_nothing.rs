use doyen::prelude::*;

/// List the orders.
#[get("/orders", allow = anyone)]
async fn list() {}

fn main() {}
