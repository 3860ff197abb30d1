//! A rule of your own.

use std::collections::BTreeMap;

use doyen::prelude::*;
use doyen::schema::rule::Broken;
use serde_json::{Value, json};

fn valid_id(id: &str) -> Result<(), Broken> {
    let is_known = id.starts_with("isbn-") || id.starts_with("imdb-");
    is_known.then_some(()).ok_or(Broken::new(
        "id_format",
        "must start with \"isbn-\" or \"imdb-\"",
    ))
}

/// Find a book or a film
#[get("/items/", allow = anyone)]
async fn find(#[query(custom = valid_id)] id: Option<String>) -> Json<Value> {
    let data = BTreeMap::from([
        ("isbn-9781529046137", "The Hitchhiker's Guide to the Galaxy"),
        ("imdb-tt0371724", "The Hitchhiker's Guide to the Galaxy"),
        (
            "isbn-9781439512982",
            "Isaac Asimov: The Complete Stories, Vol. 2",
        ),
    ]);
    let id = id.unwrap_or("imdb-tt0371724".to_owned());
    Json(json!({"id": id, "name": data.get(&*id)}))
}

pub fn module() -> Module {
    Module::new("items").routes(routes![find])
}
