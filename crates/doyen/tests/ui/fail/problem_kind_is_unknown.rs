use doyen::prelude::*;

/// Why an order was not found.
#[derive(Debug, Problem)]
enum FindOrder {
    /// There is no such order.
    #[problem(notfound, code = "order_not_found")]
    Missing,
}

fn main() {}
