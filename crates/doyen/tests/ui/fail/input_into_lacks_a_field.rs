use doyen::prelude::*;

enum Status {
    Open,
}

struct Draft {
    article: String,
    status: Status,
}

#[derive(Input)]
#[input(into = Draft)]
struct NewOrder {
    article: String,
}

fn main() {}
