//! Views of one model: an output for each, made from it.

use doyen::prelude::*;

struct Item {
    name: &'static str,
    description: Option<&'static str>,
    price: f64,
}

/// The name of an item.
#[derive(Output)]
#[output(from = Item)]
struct ItemName {
    name: &'static str,
    description: Option<&'static str>,
}

/// An item without its tax.
#[derive(Output)]
#[output(from = Item)]
struct PublicItem {
    name: &'static str,
    description: Option<&'static str>,
    price: f64,
}

/// There is no such item. Check its id.
#[derive(Debug, Problem)]
#[problem(not_found, code = "item_not_found")]
struct NoItem;

fn find(item_id: &str) -> Result<Item, NoItem> {
    match item_id {
        "foo" => Ok(Item {
            name: "Foo",
            description: None,
            price: 50.2,
        }),
        "bar" => Ok(Item {
            name: "Bar",
            description: Some("The Bar fighters"),
            price: 62.0,
        }),
        "baz" => Ok(Item {
            name: "Baz",
            description: Some("There goes my baz"),
            price: 50.2,
        }),
        _ => Err(NoItem),
    }
}

/// Read the name of an item
#[get("/items/{item_id}/name", allow = anyone)]
async fn name(item_id: String) -> Result<Json<ItemName>, NoItem> {
    Ok(Json(find(&item_id)?.into()))
}

/// Read an item
#[get("/items/{item_id}/public", allow = anyone)]
async fn public_data(item_id: String) -> Result<Json<PublicItem>, NoItem> {
    Ok(Json(find(&item_id)?.into()))
}

pub fn module() -> Module {
    Module::new("items").routes(routes![name, public_data])
}
