//! Dependencies of dependencies, and a test that replaces one.

use doyen::prelude::*;
use serde_json::{Value, json};

/// The query, of this request or of the last one.
pub struct QueryOrCookie(pub Option<String>);

/// The query of this request.
pub struct QueryOf(Option<String>);

#[extractor]
async fn query_of(#[query] q: Option<String>) -> QueryOf {
    QueryOf(q)
}

#[extractor]
async fn query_or_cookie(query: QueryOf, #[cookie] last_query: Option<String>) -> QueryOrCookie {
    QueryOrCookie(query.0.or(last_query))
}

/// Read the query
#[get("/items/", allow = anyone)]
async fn read(query: QueryOrCookie) -> Json<Value> {
    Json(json!({"q_or_cookie": query.0}))
}

/// The module with the query.
pub fn module() -> Module {
    Module::new("queries").routes(routes![read])
}
