//! A redirect with another status.

use doyen::prelude::*;

/// Go to the documentation
#[get("/pydantic", allow = anyone)]
async fn pydantic() -> Status<302, Redirect> {
    Status(Redirect::see_other("https://docs.pydantic.dev/"))
}

pub fn module() -> Module {
    Module::new("redirects").routes(routes![pydantic])
}
