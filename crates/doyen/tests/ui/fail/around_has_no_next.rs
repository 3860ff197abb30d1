use doyen::prelude::*;

#[around]
async fn timing(next: Next, request: Request) -> Response {
    next.run(request).await
}

fn main() {}
