//! A body that is a map whose keys are numbers.

use std::collections::BTreeMap;

use doyen::prelude::*;

/// Create index weights
#[post("/index-weights/", allow = anyone)]
async fn create(Json(weights): Json<BTreeMap<i64, f64>>) -> Json<BTreeMap<i64, f64>> {
    Json(weights)
}

pub fn module() -> Module {
    Module::new("weights").routes(routes![create])
}
