//! The current user of a token.

use doyen::domain::SecurityScheme;
use doyen::prelude::*;
use doyen::web::extract::Scheme;

struct OAuth2;

impl Scheme for OAuth2 {
    type Credential = Secret<String>;
    fn scheme() -> SecurityScheme {
        SecurityScheme::oauth2_password("token")
    }
}

/// A user.
#[derive(Output)]
struct User {
    username: String,
    email: &'static str,
    full_name: &'static str,
}

#[extractor]
async fn current_user(Credentials(token): Credentials<OAuth2>) -> User {
    let username = format!("{}fakedecoded", token.expose());
    User {
        username,
        email: "john@example.com",
        full_name: "John Doe",
    }
}

/// Get the current user
#[get("/users/me", allow = anyone)]
async fn me(user: User) -> Json<User> {
    Json(user)
}

pub fn module() -> Module {
    Module::new("users").routes(routes![me])
}
