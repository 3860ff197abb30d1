//! Articles with tags, favourites and the feed.

use std::sync::Arc;

use doyen::data::sea_orm::prelude::DateTimeUtc;
use doyen::data::sea_orm::{DbErr, Value};
use doyen::data::{Row, Violation as _};
use doyen::prelude::*;

use super::Viewer;
use super::users::Profile;

pub(super) fn routes() -> Routes {
    routes![
        list, feed, create, show, update, remove, favorite, unfavorite, tags
    ]
    .at("/api")
}

/// An article in the table, with its author, as the caller sees both.
#[derive(Row)]
pub(super) struct ArticleRow {
    id: String,
    author: String,
    slug: String,
    title: String,
    description: String,
    body: String,
    tags: Option<String>,
    #[row(try_from = "DateTimeUtc")]
    created_at: Timestamp,
    #[row(try_from = "DateTimeUtc")]
    updated_at: Timestamp,
    favorited: bool,
    favorites_count: i64,
    username: String,
    bio: Option<String>,
    image: Option<String>,
    following: bool,
}

/// A number of rows.
#[derive(Row)]
struct Total {
    total: i64,
}

/// The name of a tag.
#[derive(Row)]
struct Tag {
    name: String,
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

/// An article. Lists leave out the body.
#[derive(Output)]
#[output(from = ArticleRow, rename_all = "camelCase")]
struct ArticleView {
    slug: String,
    title: String,
    description: String,
    #[output(skip_none, value = Some(article_row.body.clone()))]
    body: Option<String>,
    #[output(value = article_row.tags())]
    tag_list: Vec<String>,
    created_at: Timestamp,
    updated_at: Timestamp,
    favorited: bool,
    favorites_count: i64,
    #[output(value = article_row.author())]
    author: Profile,
}

/// The tags of all articles.
#[derive(Output)]
struct Tags {
    tags: Vec<String>,
}

impl ArticleRow {
    fn tags(&self) -> Vec<String> {
        let tags = self.tags.as_deref().unwrap_or_default().split(',');
        tags.filter(|tag| !tag.is_empty())
            .map(str::to_owned)
            .collect()
    }

    fn author(&self) -> Profile {
        Profile {
            username: self.username.clone(),
            bio: self.bio.clone(),
            image: self.image.clone(),
            following: self.following,
        }
    }
}

/// A new article.
#[derive(Input)]
#[input(rename_all = "camelCase")]
struct NewArticle {
    #[validate(not_blank, length(max = 200))]
    title: String,
    #[validate(not_blank, length(max = 500))]
    description: String,
    #[validate(not_blank)]
    body: String,
    /// Words without commas.
    #[validate(items(max = 20), each(length(max = 50), pattern = "^[^,]+$"))]
    #[input(default)]
    tag_list: Vec<String>,
}

/// Changes to an article. Fields that are missing stay as they are.
#[derive(Input)]
struct ArticleChanges {
    #[validate(not_blank, length(max = 200))]
    title: Option<String>,
    #[validate(not_blank, length(max = 500))]
    description: Option<String>,
    #[validate(not_blank)]
    body: Option<String>,
}

/// The articles to list. An empty text selects all.
#[derive(Input)]
struct Filter {
    #[input(default)]
    tag: String,
    #[input(default)]
    author: String,
    #[input(default)]
    favorited: String,
    #[validate(range(min = 1, max = 100))]
    #[input(default = 20)]
    limit: i64,
    #[validate(range(min = 0))]
    #[input(default = 0)]
    offset: i64,
}

/// Errors of articles and comments.
#[derive(Debug, Problem)]
pub(super) enum ArticleError {
    /// There is no such article or comment.
    #[problem(not_found, detail = "article or comment not found")]
    Missing,
    /// Another article has this title.
    #[problem(invalid, detail = "title must be unique")]
    SameTitle,
    /// The article or the comment belongs to another user.
    #[problem(forbidden, detail = "only the author may do this")]
    NotTheAuthor,
    #[problem(unexpected)]
    Unexpected(Unexpected),
}

impl From<DbErr> for ArticleError {
    fn from(error: DbErr) -> Self {
        match error.unique_violation() {
            Some(_) => Self::SameTitle,
            None => Self::Unexpected(error.into()),
        }
    }
}

/// `$1` is the caller.
const SELECT: &str = "
    SELECT a.*, u.username, u.bio, u.image,
      (SELECT string_agg(t.name, ',' ORDER BY t.name) FROM tags t WHERE t.article = a.id) AS tags,
      (SELECT count(*) FROM favorites f WHERE f.article = a.id) AS favorites_count,
      EXISTS (SELECT 1 FROM favorites f WHERE f.article = a.id AND f.reader = $1) AS favorited,
      EXISTS (SELECT 1 FROM follows w WHERE w.followed = u.id AND w.follower = $1) AS following
    FROM articles a JOIN users u ON u.id = a.author";

/// The articles with the tag `$2`, of the author `$3`, with the reader `$4`, and if `$5` of the
/// users that the caller follows. An empty text selects all.
const FILTERED: &str = "
    FROM articles a JOIN users u ON u.id = a.author
    WHERE ($2 = '' OR EXISTS (SELECT 1 FROM tags t WHERE t.article = a.id AND t.name = $2))
      AND ($3 = '' OR u.username = $3)
      AND ($4 = '' OR EXISTS (SELECT 1 FROM favorites f JOIN users r ON r.id = f.reader
             WHERE f.article = a.id AND r.username = $4))
      AND (NOT $5 OR EXISTS (SELECT 1 FROM follows w
             WHERE w.followed = u.id AND w.follower = $1))";

/// Articles of this request.
#[derive(Clone, Inject)]
pub(super) struct Articles {
    session: Session,
    clock: Arc<dyn Clock>,
    viewer: Viewer,
}

impl Articles {
    pub(super) async fn find(&self, slug: &str) -> Result<ArticleRow, ArticleError> {
        let sql = format!("{SELECT} WHERE a.slug = $2");
        let values = [(&*self.viewer.0).into(), slug.into()];
        let found = self.session.query_one_as(&sql, values).await?;
        found.ok_or(ArticleError::Missing)
    }

    async fn show(&self, slug: &str) -> Result<Json<ArticleBody>, ArticleError> {
        let article = self.find(slug).await?.into();
        Ok(Json(ArticleBody { article }))
    }

    /// Finds an article that the caller may change.
    async fn own(&self, slug: &str) -> Result<ArticleRow, ArticleError> {
        let article = self.find(slug).await?;
        match *article.author == *self.viewer.0 {
            true => Ok(article),
            false => Err(ArticleError::NotTheAuthor),
        }
    }

    /// Runs a statement with an article and the caller.
    async fn mark(&self, sql: &str, slug: &str) -> Result<Json<ArticleBody>, ArticleError> {
        let values = [slug.into(), (&*self.viewer.0).into()];
        self.session.execute_sql(sql, values).await?;
        self.show(slug).await
    }

    async fn page(&self, filter: Filter, is_feed: bool) -> Result<Json<ArticlePage>, Unexpected> {
        let mut values: Vec<Value> = vec![
            (&*self.viewer.0).into(),
            filter.tag.into(),
            filter.author.into(),
            filter.favorited.into(),
            is_feed.into(),
        ];
        let count = format!("SELECT count(*) AS total {FILTERED}");
        let total: Option<Total> = self.session.query_one_as(&count, values.clone()).await?;
        let sql = format!(
            "{SELECT} WHERE a.id IN (SELECT a.id {FILTERED}
               ORDER BY a.created_at DESC, a.id DESC LIMIT $6 OFFSET $7)
             ORDER BY a.created_at DESC, a.id DESC"
        );
        values.extend([filter.limit.into(), filter.offset.into()]);
        let rows: Vec<ArticleRow> = self.session.query_as(&sql, values).await?;
        let mut articles: Vec<ArticleView> = rows.into_iter().map(ArticleView::from).collect();
        articles.iter_mut().for_each(|article| article.body = None);
        let articles_count = total.map_or(0, |total| total.total);
        Ok(Json(ArticlePage {
            articles,
            articles_count,
        }))
    }
}

/// Turns a title into a part of a path: `How to train` becomes `how-to-train`.
fn slug(title: &str) -> String {
    let words = title.split(|letter: char| !letter.is_alphanumeric());
    let words: Vec<_> = words
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
        .collect();
    words.join("-")
}

/// List articles, newest first
#[get("/articles", allow = anyone)]
async fn list(articles: Articles, wanted: Query<Filter>) -> Result<Json<ArticlePage>, Unexpected> {
    articles.page(wanted.into_inner(), false).await
}

/// List the articles of the users that you follow
#[get("/articles/feed", allow = signed_in)]
async fn feed(articles: Articles, wanted: Query<Filter>) -> Result<Json<ArticlePage>, Unexpected> {
    articles.page(wanted.into_inner(), true).await
}

/// Create an article
#[post("/articles", allow = signed_in)]
async fn create(
    articles: Articles,
    #[body] article: NewArticle,
) -> Result<Created<ArticleBody>, ArticleError> {
    let id = Id::<ArticleRow>::new().uuid().to_string();
    let slug = slug(&article.title);
    let sql = "INSERT INTO articles
                 (id, slug, author, title, description, body, created_at, updated_at)
               VALUES ($1, $2, $3, $4, $5, $6, $7, $7)";
    let values = [
        (&*id).into(),
        (&*slug).into(),
        (&*articles.viewer.0).into(),
        article.title.into(),
        article.description.into(),
        article.body.into(),
        DateTimeUtc::from(articles.clock.now()).into(),
    ];
    articles.session.execute_sql(sql, values).await?;
    if !article.tag_list.is_empty() {
        let rows = (2..article.tag_list.len() + 2).map(|number| format!("($1, ${number})"));
        let rows = rows.collect::<Vec<_>>().join(", ");
        let sql = format!("INSERT INTO tags (article, name) VALUES {rows} ON CONFLICT DO NOTHING");
        let names = std::iter::once(id).chain(article.tag_list);
        articles
            .session
            .execute_sql(&sql, names.map(Value::from))
            .await?;
    }
    Ok(Created(articles.show(&slug).await?.into_inner()))
}

/// Get an article
#[get("/articles/{slug}", allow = anyone)]
async fn show(articles: Articles, slug: String) -> Result<Json<ArticleBody>, ArticleError> {
    articles.show(&slug).await
}

/// Update your article
#[put("/articles/{slug}", allow = signed_in)]
async fn update(
    articles: Articles,
    slug: String,
    #[body] article: ArticleChanges,
) -> Result<Json<ArticleBody>, ArticleError> {
    let old = articles.own(&slug).await?;
    let slug = article.title.as_deref().map_or(slug, self::slug);
    let sql = "UPDATE articles SET slug = $2, title = $3, description = $4, body = $5,
                 updated_at = $6
               WHERE id = $1";
    let values = [
        old.id.into(),
        (&*slug).into(),
        article.title.unwrap_or(old.title).into(),
        article.description.unwrap_or(old.description).into(),
        article.body.unwrap_or(old.body).into(),
        DateTimeUtc::from(articles.clock.now()).into(),
    ];
    articles.session.execute_sql(sql, values).await?;
    articles.show(&slug).await
}

/// Delete your article
#[delete("/articles/{slug}", allow = signed_in)]
async fn remove(articles: Articles, slug: String) -> Result<NoContent, ArticleError> {
    let id = articles.own(&slug).await?.id;
    let sql = "DELETE FROM articles WHERE id = $1";
    articles.session.execute_sql(sql, [id.into()]).await?;
    Ok(NoContent)
}

/// Mark an article as a favourite
#[post("/articles/{slug}/favorite", allow = signed_in)]
async fn favorite(articles: Articles, slug: String) -> Result<Json<ArticleBody>, ArticleError> {
    let sql = "INSERT INTO favorites (article, reader)
               SELECT id, $2 FROM articles WHERE slug = $1 ON CONFLICT DO NOTHING";
    articles.mark(sql, &slug).await
}

/// Remove an article from your favourites
#[delete("/articles/{slug}/favorite", allow = signed_in)]
async fn unfavorite(articles: Articles, slug: String) -> Result<Json<ArticleBody>, ArticleError> {
    let sql = "DELETE FROM favorites WHERE reader = $2
                 AND article = (SELECT id FROM articles WHERE slug = $1)";
    articles.mark(sql, &slug).await
}

/// List the tags, the most used first
#[get("/tags", allow = anyone)]
async fn tags(session: Session) -> Result<Json<Tags>, Unexpected> {
    let sql = "SELECT name FROM tags GROUP BY name ORDER BY count(*) DESC, name LIMIT 100";
    let rows: Vec<Tag> = session.query_as(sql, []).await?;
    let tags = rows.into_iter().map(|tag| tag.name).collect();
    Ok(Json(Tags { tags }))
}
