use doyen::prelude::*;

async fn list() -> NoContent {
    NoContent
}

fn module() -> Module {
    Module::new("orders").routes(routes![list])
}

fn main() {}
