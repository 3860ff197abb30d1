//! Articles, in pages with `limit` and `offset`.

use std::fmt;
use std::sync::Arc;

use doyen::data::Row;
use doyen::prelude::*;

pub(super) fn routes() -> Routes {
    routes![list, create, show].at("/api/articles")
}

/// An article in the table, with the name of its author.
#[derive(Row)]
struct ArticleRow {
    slug: String,
    title: String,
    body: String,
    created_at: String,
    username: String,
}

/// Number of articles.
#[derive(Row)]
struct Total {
    total: i64,
}

/// A body with an article.
#[derive(Output)]
struct ArticleBody {
    article: ArticleView,
}

/// A page of articles.
#[derive(Output)]
#[output(rename_all = "camelCase")]
struct ArticlePage {
    articles: Vec<ArticleView>,
    articles_count: i64,
}

/// An article.
#[derive(Output)]
#[output(rename_all = "camelCase")]
struct ArticleView {
    slug: String,
    title: String,
    body: String,
    created_at: Millis,
    author: Author,
}

/// The author of an article.
#[derive(Output)]
struct Author {
    username: String,
}

/// A time with milliseconds, as the clients of this API parse it.
#[derive(Output)]
#[output(display, format = "date-time")]
struct Millis(String);

impl fmt::Display for Millis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}Z", self.0.get(..23).unwrap_or(&self.0))
    }
}

impl From<ArticleRow> for ArticleView {
    fn from(row: ArticleRow) -> Self {
        Self {
            slug: row.slug,
            title: row.title,
            body: row.body,
            created_at: Millis(row.created_at),
            author: Author {
                username: row.username,
            },
        }
    }
}

/// A new article.
#[derive(Input)]
struct NewBody {
    article: NewArticle,
}

/// The text of an article.
#[derive(Input)]
struct NewArticle {
    #[validate(not_blank, message = "can't be blank")]
    title: String,
    #[validate(not_blank, message = "can't be blank")]
    body: String,
}

/// The part of the list to return.
#[derive(Input)]
struct Part {
    #[validate(range(min = 1, max = 100))]
    #[input(default = 20)]
    limit: i64,
    #[validate(range(min = 0))]
    #[input(default = 0)]
    offset: i64,
}

/// Errors of articles.
#[derive(Debug, Problem)]
enum ArticleError {
    /// There is no such article.
    #[problem(not_found, detail = "article not found")]
    Missing,
    /// Another article has this title.
    #[problem(invalid, detail = "title must be unique")]
    SameTitle,
    #[problem(unexpected)]
    Unexpected(Unexpected),
}

const SELECT: &str = "SELECT a.slug, a.title, a.body, a.created_at, u.username FROM articles a JOIN users u ON u.id = a.author";

/// List articles, newest first
#[get("/", allow = anyone)]
async fn list(session: Session, Query(part): Query<Part>) -> Result<Json<ArticlePage>, Unexpected> {
    let sql = format!("{SELECT} ORDER BY a.created_at DESC, a.slug LIMIT $1 OFFSET $2");
    let rows: Vec<ArticleRow> = session
        .query_as(&sql, [part.limit.into(), part.offset.into()])
        .await?;
    let count: Vec<Total> = session
        .query_as("SELECT count(*) AS total FROM articles", [])
        .await?;
    Ok(Json(ArticlePage {
        articles: rows.into_iter().map(ArticleView::from).collect(),
        articles_count: count.first().map_or(0, |count| count.total),
    }))
}

/// Create an article
#[post("/", allow = signed_in)]
async fn create(
    me: Caller,
    session: Session,
    clock: Arc<dyn Clock>,
    Json(new): Json<NewBody>,
) -> Result<Created<ArticleBody>, ArticleError> {
    let NewArticle { title, body } = new.article;
    let slug = title.to_lowercase().replace(' ', "-");
    let sql = "INSERT INTO articles (slug, author, title, body, created_at) VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING";
    let values = [
        slug.as_str().into(),
        (&*me.subject).into(),
        title.into(),
        body.into(),
        clock.now().to_string().into(),
    ];
    if session
        .execute_sql(sql, values)
        .await
        .map_err(Unexpected::from)?
        == 0
    {
        return Err(ArticleError::SameTitle);
    }
    let article = find(&session, &slug).await?;
    Ok(Created(ArticleBody { article }))
}

/// Get an article
#[get("/{slug}", allow = anyone)]
async fn show(session: Session, slug: String) -> Result<Json<ArticleBody>, ArticleError> {
    let article = find(&session, &slug).await?;
    Ok(Json(ArticleBody { article }))
}

async fn find(session: &Session, slug: &str) -> Result<ArticleView, ArticleError> {
    let sql = format!("{SELECT} WHERE a.slug = $1");
    let rows = session.query_as(&sql, [slug.into()]).await;
    let mut rows: Vec<ArticleRow> = rows.map_err(Unexpected::from)?;
    rows.pop()
        .map(ArticleView::from)
        .ok_or(ArticleError::Missing)
}
