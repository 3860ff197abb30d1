//! A function around handlers has the request and what comes next as its last parameters.

use doyen::prelude::*;

#[around]
async fn audit(request: Request) -> Response {
    drop(request);
    todo!()
}

fn main() {}
