//! Form fields, one by one.

use doyen::prelude::*;

/// Log in
#[post("/login", allow = anyone)]
async fn login(
    #[form(length(min = 1))] username: String,
    #[form] _password: Secret<String>,
    #[form(default = "read")] scope: String,
) -> Text {
    Text(format!("{username} {scope}"))
}

/// The module with the form.
pub fn module() -> Module {
    Module::new("forms").routes(routes![login])
}
