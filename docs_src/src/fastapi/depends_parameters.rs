//! A dependency with a parameter: a value that is provided.

use std::sync::Arc;

use doyen::prelude::*;
use serde_json::{Value, json};

struct FixedContent(&'static str);

struct IsIncluded(bool);

#[extractor]
async fn included(fixed: Arc<FixedContent>, #[query(default)] q: String) -> IsIncluded {
    IsIncluded(q.contains(fixed.0))
}

/// Check the query
#[get("/query-checker/", allow = anyone)]
async fn check(IsIncluded(included): IsIncluded) -> Json<Value> {
    Json(json!({"fixed_content_in_query": included}))
}

pub fn module() -> Module {
    Module::new("checks")
        .routes(routes![check])
        .provide(Arc::new(FixedContent("bar")))
}
