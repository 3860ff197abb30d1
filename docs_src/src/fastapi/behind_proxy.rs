//! Behind a proxy that removes `/api/v1`: the setting `server.root_path` puts it before links,
//! redirects, problems and the document.

use doyen::prelude::*;

/// A shelf.
#[derive(Output)]
#[output(location = path)]
struct Shelf {
    label: String,
    #[output(rename = "_links")]
    links: LinkMap,
}

impl Shelf {
    fn new(links: &Links, label: String) -> Self {
        let links = links.map().to::<show>("self", &[&label]).done();
        Self { label, links }
    }

    fn path(&self) -> String {
        format!("/shelves/{}", self.label)
    }
}

/// Get a shelf
#[get("/shelves/{label}", allow = anyone)]
async fn show(links: Links, label: String) -> Json<Shelf> {
    Json(Shelf::new(&links, label))
}

/// Add a shelf
#[post("/shelves/{label}", allow = anyone)]
async fn add(links: Links, label: String) -> Created<Shelf> {
    Created(Shelf::new(&links, label))
}

/// List the shelves
#[get("/shelves", allow = anyone)]
async fn list(links: Links, paging: Paging) -> Page<Shelf> {
    Page {
        items: vec![Shelf::new(&links, "a".to_owned())],
        limit: paging.limit,
        next: None,
        prev: None,
        total: None,
    }
}

/// Go to the first shelf
#[get("/first", allow = anyone)]
async fn first() -> Redirect {
    Redirect::see_other("/shelves/a")
}

/// Builds the application.
pub fn app() -> App {
    let routes = routes![show, add, list, first];
    App::new("library")
        .strictness(Strictness::new().redirect_slashes(true))
        .module(Module::new("shelves").routes(routes))
}
