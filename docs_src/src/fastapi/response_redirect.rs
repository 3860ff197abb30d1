//! A redirect.

use doyen::prelude::*;

/// Teleport
#[get("/teleport", allow = anyone)]
async fn teleport() -> Redirect<307> {
    Redirect::temporary("https://www.youtube.com/watch?v=dQw4w9WgXcQ")
}

pub fn module() -> Module {
    Module::new("portal").routes(routes![teleport])
}
