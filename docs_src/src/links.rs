//! Links to routes, included only if the caller is allowed to follow them.

use doyen::prelude::*;

/// A newspaper article.
#[derive(Output)]
struct Article {
    id: u32,
    published: bool,
    /// Links to the actions that the caller may perform.
    #[output(rename = "_links")]
    links: LinkMap,
}

/// Get an article
#[get("/{id}", allow = anyone)]
async fn show(links: Links, id: u32) -> Json<Article> {
    let published = id > 100;
    let links = links
        .map()
        .to::<show>("self", &[&id])
        .to_if::<publish>(!published, "publish", &[&id])
        .done();
    Json(Article {
        id,
        published,
        links,
    })
}

/// Publish an article
#[post("/{id}/publish", allow = signed_in)]
async fn publish(_id: u32) -> NoContent {
    NoContent
}

/// The module with newspaper articles.
pub fn module() -> Module {
    Module::new("newspaper").routes(routes![show, publish].at("/articles"))
}
