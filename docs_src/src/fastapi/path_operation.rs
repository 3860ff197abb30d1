//! Path operation configuration: tags, summary, description, operation id, deprecated and hidden
//! routes.

use doyen::prelude::*;

/// Create an item
///
/// An item has a **name** and nothing else.
#[post("/items", allow = anyone, tag = "items", id = "create_item", returns = "The created item.")]
async fn create(#[query] name: String) -> Status<201, Text> {
    Status(Text(name))
}

/// List users
#[get("/users", allow = anyone, tag = "users")]
async fn users() -> Text {
    Text("johndoe".to_owned())
}

/// List elements
#[get("/elements", allow = anyone, deprecated)]
async fn elements() -> Text {
    Text("foo".to_owned())
}

/// Not in the document
#[get("/internal", allow = anyone, hidden)]
async fn internal() -> Text {
    Text("inside".to_owned())
}

/// The module with the routes.
pub fn module() -> Module {
    Module::new("default")
        .describe("Everything that has no other tag.")
        .routes(routes![create, users, elements, internal])
}
