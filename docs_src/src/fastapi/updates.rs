//! Updates of a body: `PUT` replaces the item, `PATCH` changes only what was sent.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use doyen::domain::sync::lock;
use doyen::prelude::*;

/// An item.
#[derive(Clone, Input, Output)]
struct Item {
    name: String,
    description: Option<String>,
    price: f64,
    #[input(default = 10.5)]
    tax: f64,
}

/// Changes to an item.
#[derive(Input)]
struct ItemChanges {
    name: Patch<String>,
    /// Null removes it.
    description: Patch<Option<String>>,
    price: Patch<f64>,
    tax: Patch<f64>,
}

/// The items by their ids.
#[derive(Default)]
struct Items(Mutex<BTreeMap<String, Item>>);

/// There is no such item. Check its id.
#[derive(Debug, Problem)]
#[problem(not_found, code = "item_not_found")]
struct NoItem;

/// Replace an item
#[put("/items/{id}", allow = anyone)]
async fn replace(id: String, items: Arc<Items>, Json(item): Json<Item>) -> Json<Item> {
    lock(&items.0).insert(id, item.clone());
    Json(item)
}

/// Change an item
#[patch("/items/{id}", allow = anyone)]
async fn change(
    id: String,
    items: Arc<Items>,
    MergePatch(changes): MergePatch<ItemChanges>,
) -> Result<Json<Item>, NoItem> {
    let mut items = lock(&items.0);
    let item = items.get_mut(&id).ok_or(NoItem)?;
    changes.name.apply(&mut item.name);
    changes.description.apply(&mut item.description);
    changes.price.apply(&mut item.price);
    changes.tax.apply(&mut item.tax);
    Ok(Json(item.clone()))
}

/// The module with items.
pub fn module() -> Module {
    Module::new("items")
        .routes(routes![replace, change])
        .provide(Arc::new(Items::default()))
}
