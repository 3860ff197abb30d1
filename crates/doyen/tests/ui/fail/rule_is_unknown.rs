use doyen::prelude::*;

/// What a buyer sends.
#[derive(Input)]
struct NewOrder {
    #[validate(ranje(min = 1))]
    quantity: u32,
}

fn main() {}
