//! Links to routes, shown to those who may follow them.

use doyen::prelude::*;

/// An article of the newspaper.
#[derive(Output)]
struct Article {
    id: u32,
    published: bool,
    /// What you may do from here.
    #[output(rename = "_links")]
    links: LinkMap,
}

/// Show an article.
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

/// Publish an article.
#[post("/{id}/publish", allow = signed_in)]
async fn publish(_id: u32) -> NoContent {
    NoContent
}

/// The newspaper.
pub fn module() -> Module {
    Module::new("newspaper").routes(routes![show, publish].at("/articles"))
}
