use doyen::prelude::*;

struct Order {
    id: u64,
    article: String,
}

#[derive(Output)]
#[output(from = Order)]
struct OrderView {
    id: u64,
    articel: String,
}

fn main() {}
