//! Every struct with a derive is a model.

use doyen::prelude::*;

/// An item.
#[derive(Input, Output)]
struct Item {
    name: String,
    description: Option<String>,
}

/// An author.
#[derive(Output)]
struct Author {
    name: String,
    items: Vec<Item>,
}

/// Create the items of an author
#[post("/authors/{author_id}/items/", allow = anyone)]
async fn create(author_id: String, Json(items): Json<Vec<Item>>) -> Json<Author> {
    Json(Author {
        name: author_id,
        items,
    })
}

/// List authors
#[get("/authors/", allow = anyone)]
async fn authors() -> Json<Vec<Author>> {
    let item = |name: &str| Item {
        name: name.to_owned(),
        description: None,
    };
    Json(vec![
        Author {
            name: "Breaters".to_owned(),
            items: vec![item("Island In The Moon"), item("Holy Buddies")],
        },
        Author {
            name: "System of an Up".to_owned(),
            items: vec![item("Salt"), item("Pad Thai")],
        },
    ])
}

pub fn module() -> Module {
    Module::new("authors").routes(routes![create, authors])
}
