//! A map whose names are not known in advance.

use std::collections::BTreeMap;

use doyen::prelude::*;

/// Get the weights of keywords
#[get("/keyword-weights/", allow = anyone)]
async fn weights() -> Json<BTreeMap<&'static str, f64>> {
    Json(BTreeMap::from([("foo", 2.3), ("bar", 3.4)]))
}

pub fn module() -> Module {
    Module::new("keywords").routes(routes![weights])
}
