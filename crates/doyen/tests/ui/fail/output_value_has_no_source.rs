use doyen::prelude::*;

#[derive(Output)]
struct OrderView {
    id: u64,
    #[output(value = order.lines.len())]
    lines: usize,
}

fn main() {}
