//! Path parameters with rules, of an enum, and the rest of a path.

use doyen::prelude::*;

/// A model.
#[derive(Clone, Copy, Input, Output)]
enum Model {
    Alexnet,
    Resnet,
    Lenet,
}

/// Read an item
#[get("/items/{item_id}", allow = anyone)]
async fn item(
    /// The number of the item.
    #[path(range(min = 0, exclusive_max = 1000))]
    item_id: i64,
    #[query(range(exclusive_min = 0, max = 10.5))] size: f64,
) -> Text {
    Text(format!("{item_id} {size}"))
}

/// Read the current user
#[get("/users/me", allow = anyone)]
async fn me() -> Text {
    Text("the current user".to_owned())
}

/// Read a user
#[get("/users/{user_id}", allow = anyone)]
async fn user(user_id: String) -> Text {
    Text(user_id)
}

/// Read a model
#[get("/models/{model}", allow = anyone)]
async fn model(model: Model) -> Json<Model> {
    Json(model)
}

/// Read a file
#[get("/files/{*file_path}", allow = anyone)]
async fn file(file_path: String) -> Text {
    Text(file_path)
}

/// The module with path parameters.
pub fn module() -> Module {
    Module::new("paths").routes(routes![item, me, user, model, file])
}
