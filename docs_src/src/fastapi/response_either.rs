//! One of two responses. Both are in the document.

use doyen::prelude::*;
use serde_json::{Value, json};

/// Get the portal
#[get("/portal", allow = anyone)]
async fn portal(#[query(default)] teleport: bool) -> Either<Redirect<307>, Json<Value>> {
    if teleport {
        return Either::Left(Redirect::temporary(
            "https://www.youtube.com/watch?v=dQw4w9WgXcQ",
        ));
    }
    Either::Right(Json(
        json!({"message": "Here's your interdimensional portal."}),
    ))
}

pub fn module() -> Module {
    Module::new("portal").routes(routes![portal])
}
