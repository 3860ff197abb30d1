use doyen::prelude::*;

/// Why an order was not found.
#[derive(Debug, Problem)]
enum FindOrder {
    #[problem(not_found, code = "order_not_found")]
    Missing,
}

fn main() {}
