use doyen::prelude::*;
use doyen::web::Client;

#[around]
async fn audit(client: Client, request: Request, next: Next) -> Response {
    let _ = client;
    next.run(request).await
}

fn main() {
    let _ = App::new("shop").around(audit);
}
