//! The token of a scheme, unchecked.

use doyen::domain::SecurityScheme;
use doyen::prelude::*;
use doyen::web::extract::Scheme;
use serde_json::{Value, json};

struct OAuth2;

impl Scheme for OAuth2 {
    type Credential = Secret<String>;
    fn scheme() -> SecurityScheme {
        SecurityScheme::oauth2_password("token")
    }
}

/// List items
#[get("/items/", allow = anyone)]
async fn list(Credentials(token): Credentials<OAuth2>) -> Json<Value> {
    Json(json!({"token": token.expose()}))
}

pub fn module() -> Module {
    Module::new("items").routes(routes![list])
}
