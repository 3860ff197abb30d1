use doyen::prelude::*;

struct Order {
    id: u64,
    article: Option<String>,
    lines: Vec<u64>,
}

#[derive(Output)]
#[output(from = Order)]
struct OrderView {
    id: u32,
    article: String,
    #[output(value = order.lines.len())]
    lines: u64,
}

fn main() {}
