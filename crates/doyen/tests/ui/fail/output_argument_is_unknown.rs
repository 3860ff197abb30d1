use doyen::prelude::*;

struct Order {
    id: u64,
}

#[derive(Output)]
#[output(form = Order)]
struct OrderView {
    #[output(valeu = order.id)]
    id: u64,
}

fn main() {}
