//! `Depends` with parameters: an extractor reads them, and can refuse the request.

use std::collections::BTreeMap;
use std::sync::Arc;

use doyen::prelude::*;

/// The parameters that many routes share.
struct Commons {
    q: Option<String>,
    skip: u32,
    limit: u32,
}

#[extractor]
async fn commons(
    #[query] q: Option<String>,
    #[query(default)] skip: u32,
    #[query(default = 100)] limit: u32,
) -> Commons {
    Commons { q, skip, limit }
}

/// List items
#[get("/items", allow = anyone)]
async fn items(commons: Commons) -> Text {
    Text(format!(
        "{:?} {} {}",
        commons.q, commons.skip, commons.limit
    ))
}

/// The articles by their slugs.
struct Articles(BTreeMap<&'static str, &'static str>);

/// An article that exists.
struct Article(&'static str);

/// The article does not exist. Check the slug.
#[derive(Debug, Problem)]
#[problem(not_found, code = "article_not_found")]
struct NoArticle;

#[extractor]
async fn article(#[path] slug: String, articles: Arc<Articles>) -> Result<Article, NoArticle> {
    let title = articles.0.get(slug.as_str()).ok_or(NoArticle)?;
    Ok(Article(title))
}

/// Get an article
#[get("/articles/{slug}", allow = anyone)]
async fn show(article: Article) -> Text {
    Text(article.0.to_owned())
}

/// The module with dependencies.
pub fn module() -> Module {
    let articles = Articles(BTreeMap::from([("tea", "How to brew tea")]));
    Module::new("dependencies")
        .routes(routes![items, show])
        .provide(Arc::new(articles))
}
