//! A response that the handler builds.

use doyen::prelude::*;
use doyen::web::Body;

const XML: &str = r#"<?xml version="1.0"?>
<shampoo>
<Header>Apply shampoo here.</Header>
<Body>You'll have to use soap here.</Body>
</shampoo>
"#;

/// Get legacy data
#[get("/legacy/", allow = anyone)]
async fn legacy() -> Result<Response, Unexpected> {
    let response = http::Response::builder().header("content-type", "application/xml");
    Ok(response.body(Body::whole(XML))?)
}

pub fn module() -> Module {
    Module::new("legacy").routes(routes![legacy])
}
