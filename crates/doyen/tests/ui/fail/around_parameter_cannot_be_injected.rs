//! The parameters of a function around handlers are extractors or can be injected.

use doyen::prelude::*;

struct Audit;

#[around]
async fn audited(audit: Audit, request: Request, next: Next) -> Response {
    let _ = audit;
    next.run(request).await
}

fn main() {}
