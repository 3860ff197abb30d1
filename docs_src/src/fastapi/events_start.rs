//! Work at the start, before the first request.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use doyen::domain::sync::lock;
use doyen::prelude::*;

#[derive(Default)]
struct Items(Mutex<BTreeMap<&'static str, &'static str>>);

/// Read an item
#[get("/items/{item_id}", allow = anyone)]
async fn read(item_id: String, items: Arc<Items>) -> Json<Option<&'static str>> {
    Json(lock(&items.0).get(&*item_id).copied())
}

pub fn app() -> App {
    App::new("items")
        .provide(Arc::new(Items::default()))
        .on_start(|items: Arc<Items>| async move {
            lock(&items.0).extend([("foo", "Fighters"), ("bar", "Tenders")]);
            Ok(())
        })
        .module(Module::new("items").routes(routes![read]))
}
