//! Fields without a value are left out.

use doyen::prelude::*;

/// An item.
#[derive(Output)]
#[output(skip_none)]
struct Item {
    name: &'static str,
    description: Option<&'static str>,
    price: f64,
    tax: Option<f64>,
}

/// There is no such item. Check its id.
#[derive(Debug, Problem)]
#[problem(not_found, code = "item_not_found")]
struct NoItem;

/// Read an item
#[get("/items/{item_id}", allow = anyone)]
async fn read(item_id: String) -> Result<Json<Item>, NoItem> {
    match &*item_id {
        "foo" => Ok(Json(Item {
            name: "Foo",
            description: None,
            price: 50.2,
            tax: None,
        })),
        "bar" => Ok(Json(Item {
            name: "Bar",
            description: Some("The bartenders"),
            price: 62.0,
            tax: Some(20.2),
        })),
        _ => Err(NoItem),
    }
}

pub fn module() -> Module {
    Module::new("items").routes(routes![read])
}
