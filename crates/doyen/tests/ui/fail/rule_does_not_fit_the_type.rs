use doyen::prelude::*;

/// What a buyer sends.
#[derive(Input)]
struct NewOrder {
    #[validate(length(max = 10))]
    quantity: u32,
}

fn main() {}
