//! Query parameters as a model that ignores unknown names, as FastAPI does.

use doyen::prelude::*;

/// The order of a list.
#[derive(Input, Output)]
enum OrderBy {
    CreatedAt,
    UpdatedAt,
}

/// A filter.
#[derive(Input, Output)]
#[input(allow_unknown)]
struct FilterParams {
    #[input(default = 100)]
    #[validate(range(exclusive_min = 0, max = 100))]
    limit: i64,
    #[input(default)]
    #[validate(range(min = 0))]
    offset: i64,
    #[input(default = OrderBy::CreatedAt)]
    order_by: OrderBy,
    #[input(default)]
    tags: Vec<String>,
}

/// List items
#[get("/items/", allow = anyone)]
async fn list(Query(filter): Query<FilterParams>) -> Json<FilterParams> {
    Json(filter)
}

pub fn module() -> Module {
    Module::new("items").routes(routes![list])
}
