//! An application with a test: `tests/guide/fastapi` has it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use doyen::domain::sync::lock;
use doyen::prelude::*;

/// An item.
#[derive(Clone, Input, Output)]
struct Item {
    id: String,
    title: String,
    description: Option<String>,
}

#[derive(Default)]
struct Items(Mutex<BTreeMap<String, Item>>);

struct Token;

/// What can go wrong.
#[derive(Debug, Problem)]
enum ItemError {
    /// The header is wrong.
    #[problem(malformed, code = "wrong_token", detail = "Invalid X-Token header")]
    Token,
    /// There is no such item.
    #[problem(not_found, code = "item_not_found", detail = "Item not found")]
    Missing,
    /// There is one with this id.
    #[problem(conflict, code = "item_exists", detail = "Item already exists")]
    Exists,
}

#[extractor]
async fn token(#[header] x_token: String) -> Result<Token, ItemError> {
    (x_token == "coneofsilence")
        .then_some(Token)
        .ok_or(ItemError::Token)
}

/// Read an item
#[get("/items/{item_id}", allow = anyone)]
async fn read(_token: Token, item_id: String, items: Arc<Items>) -> Result<Json<Item>, ItemError> {
    lock(&items.0)
        .get(&item_id)
        .cloned()
        .map(Json)
        .ok_or(ItemError::Missing)
}

/// Create an item
#[post("/items/", allow = anyone)]
async fn create(
    _token: Token,
    items: Arc<Items>,
    Json(item): Json<Item>,
) -> Result<Json<Item>, ItemError> {
    match lock(&items.0).insert(item.id.clone(), item.clone()) {
        None => Ok(Json(item)),
        Some(_) => Err(ItemError::Exists),
    }
}

pub fn module() -> Module {
    Module::new("items")
        .routes(routes![read, create])
        .provide(Arc::new(Items::default()))
}
