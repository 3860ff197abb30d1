use doyen::prelude::*;

struct Draft {
    article: u32,
    quantity: u16,
}

#[derive(Input)]
#[input(into = Draft, set(quantity = "one"))]
struct NewOrder {
    article: String,
}

fn main() {}
