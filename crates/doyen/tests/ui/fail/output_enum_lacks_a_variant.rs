use doyen::prelude::*;

enum Status {
    Open,
    Closed,
}

#[derive(Output)]
#[output(from = Status)]
enum StatusView {
    Open,
}

fn main() {}
