//! One of two models. The tag `type` tells them apart.

use doyen::prelude::*;

/// A vehicle.
#[derive(Output)]
#[output(tag = "type")]
enum Item {
    Car {
        description: &'static str,
    },
    Plane {
        description: &'static str,
        size: u32,
    },
}

/// There is no such item. Check its id.
#[derive(Debug, Problem)]
#[problem(not_found, code = "item_not_found")]
struct NoItem;

/// Read an item
#[get("/items/{item_id}", allow = anyone)]
async fn read(item_id: String) -> Result<Json<Item>, NoItem> {
    match &*item_id {
        "item1" => Ok(Json(Item::Car {
            description: "All my friends drive a low rider",
        })),
        "item2" => Ok(Json(Item::Plane {
            description: "Music is my aeroplane, it's my aeroplane",
            size: 5,
        })),
        _ => Err(NoItem),
    }
}

pub fn module() -> Module {
    Module::new("items").routes(routes![read])
}
