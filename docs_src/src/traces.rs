//! A request that reads the database and calls another service. With the setting `otlp.endpoint`
//! each request is a trace; the handler says nothing about it.

use doyen::data::{Migration, Migrations, Row};
use doyen::domain::TraceContext;
use doyen::outbound::{Client, Upstream, upstream};
use doyen::prelude::*;

/// The service with the stock: `[outbound.warehouse]`.
pub struct Warehouse;

impl Upstream for Warehouse {
    const NAME: &'static str = "warehouse";
}

/// An article.
#[derive(Output)]
struct Article {
    name: String,
    /// Pieces in stock.
    pieces: u32,
    /// Trace of this request, for the support.
    trace: String,
}

/// What the database has of an article.
#[derive(Row)]
struct ArticleRow {
    name: String,
}

/// The article does not exist.
#[derive(Debug, Problem)]
enum FindArticle {
    /// There is no article with this number.
    #[problem(not_found, code = "no_article")]
    Missing,
    #[problem(unexpected)]
    Unexpected(Unexpected),
}

/// Get an article
#[get("/articles/{number}", allow = anyone)]
async fn article(
    number: i64,
    session: Session,
    warehouse: Client<Warehouse>,
    trace: TraceContext,
) -> Result<Json<Article>, FindArticle> {
    let row = find(&session, number).await?;
    Ok(Json(Article {
        name: row.ok_or(FindArticle::Missing)?.name,
        pieces: count(&warehouse, number).await?,
        trace: trace.trace_id().to_owned(),
    }))
}

async fn find(session: &Session, number: i64) -> Result<Option<ArticleRow>, Unexpected> {
    let sql = "SELECT name FROM articles WHERE number = $1";
    Ok(session.query_one_as(sql, [number.into()]).await?)
}

async fn count(warehouse: &Client<Warehouse>, number: i64) -> Result<u32, Unexpected> {
    let call = warehouse.get(format!("/stock/{number}"));
    Ok(call.send().await?.success()?.json()?)
}

const ARTICLES: Migration = Migration {
    version: 1,
    name: "articles",
    up: "CREATE TABLE articles (number bigint PRIMARY KEY NOT NULL, name text NOT NULL);
         INSERT INTO articles (number, name) VALUES (1, 'tea');",
    down: "DROP TABLE articles;",
};

/// Builds the application.
pub fn app() -> App {
    App::new("shop")
        .migrations(Migrations {
            folder: None,
            sqlite: &[ARTICLES],
            postgres: &[ARTICLES],
        })
        .contribute(upstream::<Warehouse>())
        .module(Module::new("articles").routes(routes![article]))
}
