//! Models of query, cookie and form parameters.

use doyen::prelude::*;

/// The order of a list.
#[derive(Clone, Copy, Input, Output)]
enum OrderBy {
    CreatedAt,
    UpdatedAt,
}

/// Which items to list.
#[derive(Input, Output)]
struct FilterParams {
    #[input(default = 100)]
    #[validate(range(min = 1, max = 100))]
    limit: u32,
    #[input(default)]
    offset: u32,
    #[input(default = OrderBy::CreatedAt)]
    order_by: OrderBy,
    #[input(default)]
    tags: Vec<String>,
}

/// List items
#[get("/items", allow = anyone)]
async fn items(Query(filter): Query<FilterParams>) -> Json<FilterParams> {
    Json(filter)
}

/// The cookies of a visitor.
#[derive(Input, Output)]
struct Cookies {
    session_id: String,
    fatebook_tracker: Option<String>,
}

/// Read the cookies
#[get("/cookies", allow = anyone)]
async fn cookies(Cookie(cookies): Cookie<Cookies>) -> Json<Cookies> {
    Json(cookies)
}

/// The fields of the login form.
#[derive(Input)]
struct FormData {
    username: String,
    password: Secret<String>,
}

/// Log in
#[post("/login", allow = anyone)]
async fn login(Form(data): Form<FormData>) -> Text {
    Text(format!(
        "{} {}",
        data.username,
        data.password.expose().len()
    ))
}

/// The module with models of parameters.
pub fn module() -> Module {
    Module::new("models").routes(routes![items, cookies, login])
}
