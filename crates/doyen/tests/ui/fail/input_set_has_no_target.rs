use doyen::prelude::*;

#[derive(Input)]
#[input(set(quantity = 1))]
struct NewOrder {
    #[input(skip_into)]
    article: String,
}

fn main() {}
