//! Plain text.

use doyen::prelude::*;

/// Say hello
#[get("/", allow = anyone)]
async fn main() -> Text {
    Text("Hello World".to_owned())
}

pub fn module() -> Module {
    Module::new("hello").routes(routes![main])
}
