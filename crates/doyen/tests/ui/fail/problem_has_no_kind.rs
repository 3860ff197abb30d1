use doyen::prelude::*;

/// Why an order was not found.
#[derive(Debug, Problem)]
enum FindOrder {
    /// There is no such order.
    Missing,
}

fn main() {}
