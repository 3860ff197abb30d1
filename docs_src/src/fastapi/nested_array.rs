//! A body that is a list.

use doyen::prelude::*;

/// An image.
#[derive(Input, Output)]
struct Image {
    #[validate(url)]
    url: String,
    name: String,
}

/// Create several images
#[post("/images/multiple/", allow = anyone)]
async fn create(Json(images): Json<Vec<Image>>) -> Json<Vec<Image>> {
    Json(images)
}

pub fn module() -> Module {
    Module::new("images").routes(routes![create])
}
