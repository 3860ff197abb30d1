use doyen::prelude::*;

#[port]
trait Orders {
    async fn count(&self) -> u64;
}

struct SqlOrders;

impl Orders for SqlOrders {
    async fn count(&self) -> u64 {
        0
    }
}

fn main() {}
