use doyen::prelude::*;

/// How many there are.
#[get("/orders/count", allow = anyone)]
async fn count() -> u64 {
    1
}

fn main() {}
