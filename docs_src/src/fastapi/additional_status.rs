//! A 201 for what is new, a 200 for what was there.

use doyen::prelude::*;

/// An item.
#[derive(Output)]
struct Item {
    name: Option<String>,
    size: Option<i64>,
}

/// Replace or create an item
#[put("/items/{item_id}", allow = anyone)]
async fn upsert(
    item_id: String,
    #[body] name: Option<String>,
    #[body] size: Option<i64>,
) -> Either<Json<Item>, Created<Item>> {
    let item = Item { name, size };
    match &*item_id {
        "foo" | "bar" => Either::Left(Json(item)),
        _ => Either::Right(Created(item)),
    }
}

pub fn module() -> Module {
    Module::new("items").routes(routes![upsert])
}
