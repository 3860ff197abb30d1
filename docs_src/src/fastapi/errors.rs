//! `HTTPException` is a variant of an enum: its status, its text and its headers are in the
//! document.

use doyen::prelude::*;

/// Errors when reading an item.
#[derive(Debug, Problem)]
enum ReadItem {
    /// There is no such item. Check its id.
    #[problem(not_found, code = "item_not_found", detail = "Item not found")]
    Missing {
        /// Why there is none.
        #[problem(header = "X-Error")]
        why: String,
    },
    /// The item is a unicorn.
    #[problem(status = 418, code = "unicorn", detail = "Oops! {name} did something.")]
    Unicorn { name: String },
}

/// Get an item
#[get("/items/{item_id}", allow = anyone)]
async fn item(item_id: String) -> Result<Text, ReadItem> {
    match item_id.as_str() {
        "foo" => Ok(Text("The Foo Wrestlers".to_owned())),
        "yolo" => Err(ReadItem::Unicorn { name: item_id }),
        _ => Err(ReadItem::Missing {
            why: "There goes my error".to_owned(),
        }),
    }
}

/// The module with items.
pub fn module() -> Module {
    Module::new("items").routes(routes![item])
}
