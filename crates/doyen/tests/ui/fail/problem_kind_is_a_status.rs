use doyen::prelude::*;

#[derive(Debug, Problem)]
enum FindOrder {
    /// There is no such order.
    #[problem(404, code = "order_not_found")]
    Missing,
    /// It is a teapot.
    #[problem(418)]
    Teapot,
}

fn main() {}
