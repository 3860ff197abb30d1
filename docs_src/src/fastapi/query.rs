//! Query parameters: defaults, optional ones, lists, rules, and other names.

use doyen::prelude::*;

/// The parameters that were read.
#[derive(Output)]
struct Asked {
    q: Option<String>,
    skip: u32,
    limit: u32,
    short: bool,
    tag: Vec<String>,
    item_query: Option<String>,
}

/// List items
#[get("/items", allow = anyone)]
async fn items(
    /// Words to search for.
    #[query(length(min = 3, max = 50), pattern = "^[a-z]+$")]
    q: Option<String>,
    #[query(default)] skip: u32,
    #[query(default = 10, range(max = 100))] limit: u32,
    #[query(default = false)] short: bool,
    #[query(default)] tag: Vec<String>,
    #[query(rename = "item-query", deprecated)] item_query: Option<String>,
    #[query(hidden)] _trace: Option<String>,
) -> Json<Asked> {
    Json(Asked {
        q,
        skip,
        limit,
        short,
        tag,
        item_query,
    })
}

/// The module with items.
pub fn module() -> Module {
    Module::new("items").routes(routes![items])
}
