//! A path parameter is bound by its name.

use doyen::prelude::*;

/// A shelf in the warehouse.
#[derive(Output)]
struct Shelf {
    aisle: String,
    number: u16,
}

/// Get a shelf
#[get("/aisles/{aisle}/shelves/{number}", allow = anyone)]
async fn shelf(aisle: String, number: u16) -> Json<Shelf> {
    Json(Shelf { aisle, number })
}

/// The module with shelves.
pub fn module() -> Module {
    Module::new("warehouse").routes(routes![shelf])
}
