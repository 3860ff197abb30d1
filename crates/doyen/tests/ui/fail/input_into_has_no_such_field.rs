use doyen::prelude::*;

struct Draft {
    article: String,
}

#[derive(Input)]
#[input(into = Draft)]
struct NewOrder {
    article: String,
    captcha: String,
}

fn main() {}
