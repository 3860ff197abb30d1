//! A parameter that stands in the path is bound by its name.

use doyen::prelude::*;

/// Where something lies.
#[derive(Output)]
struct Shelf {
    aisle: String,
    number: u16,
}

/// Show a shelf.
#[get("/aisles/{aisle}/shelves/{number}", allow = anyone)]
async fn shelf(aisle: String, number: u16) -> Json<Shelf> {
    Json(Shelf { aisle, number })
}

/// The warehouse.
pub fn module() -> Module {
    Module::new("warehouse").routes(routes![shelf])
}
