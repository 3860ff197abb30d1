use doyen::prelude::*;

/// Show an item
#[get("/items/{item_id}", allow = anyone)]
async fn show(#[path] id: u32, #[query] (a, b): (u8, u8)) -> NoContent {
    let _ = (id, a, b);
    NoContent
}

fn main() {}
