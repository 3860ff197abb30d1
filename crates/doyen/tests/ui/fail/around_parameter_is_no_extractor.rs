use doyen::prelude::*;

struct Counter;

#[around]
async fn count(counter: Counter, request: Request, next: Next) -> Response {
    let _ = counter;
    next.run(request).await
}

fn main() {}
