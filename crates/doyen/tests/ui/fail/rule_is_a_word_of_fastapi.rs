use doyen::prelude::*;

/// Find orders
#[get("/orders/{id}", allow = anyone)]
async fn find(
    #[path(ge = 1, lt = 100)] id: u32,
    #[query(alias = "item-query", max_length = 50)] q: Option<String>,
    #[query(include_in_schema = false, title = "Page")] page: Option<u32>,
) -> NoContent {
    let _ = (id, q, page);
    NoContent
}

fn main() {}
