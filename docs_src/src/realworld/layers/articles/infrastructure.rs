//! Articles and comments in SQLite or PostgreSQL.

use std::sync::Arc;

use doyen::data::sea_orm::Value;
use doyen::data::sea_orm::prelude::DateTimeUtc;
use doyen::data::{Row, Violation as _};
use doyen::prelude::*;

use super::domain::{
    Article, ArticleError, ArticleRepository, Author, Comment, CommentRepository, Draft, Filter,
};

/// An article in the table, with its author, as a viewer sees both.
#[derive(Row)]
struct ArticleRow {
    id: String,
    author: String,
    slug: String,
    title: String,
    description: String,
    body: String,
    tags: Option<String>,
    created_at: DateTimeUtc,
    updated_at: DateTimeUtc,
    favorited: bool,
    favorites: i64,
    username: String,
    bio: Option<String>,
    image: Option<String>,
    following: bool,
}

impl From<ArticleRow> for Article {
    fn from(row: ArticleRow) -> Self {
        let tags = row.tags.unwrap_or_default();
        let tags = tags.split(',').filter(|tag| !tag.is_empty());
        Self {
            id: row.id,
            slug: row.slug,
            title: row.title,
            description: row.description,
            body: row.body,
            tags: tags.map(str::to_owned).collect(),
            created_at: row.created_at.into(),
            updated_at: row.updated_at.into(),
            favorited: row.favorited,
            favorites: row.favorites,
            author: Author {
                id: row.author,
                username: row.username,
                bio: row.bio,
                image: row.image,
                following: row.following,
            },
        }
    }
}

/// A comment in the table, with its author.
#[derive(Row)]
struct CommentRow {
    id: i64,
    author: String,
    body: String,
    created_at: DateTimeUtc,
    updated_at: DateTimeUtc,
    username: String,
    bio: Option<String>,
    image: Option<String>,
    following: bool,
}

impl From<CommentRow> for Comment {
    fn from(row: CommentRow) -> Self {
        Self {
            id: row.id,
            body: row.body,
            created_at: row.created_at.into(),
            updated_at: row.updated_at.into(),
            author: Author {
                id: row.author,
                username: row.username,
                bio: row.bio,
                image: row.image,
                following: row.following,
            },
        }
    }
}

/// A number: of rows, or of a new comment.
#[derive(Row)]
struct Number {
    number: i64,
}

/// The name of a tag.
#[derive(Row)]
struct Tag {
    name: String,
}

/// `$1` is the viewer.
const ARTICLES: &str = "
    SELECT a.*, u.username, u.bio, u.image,
      (SELECT string_agg(t.name, ',' ORDER BY t.name) FROM tags t WHERE t.article = a.id) AS tags,
      (SELECT count(*) FROM favorites f WHERE f.article = a.id) AS favorites,
      EXISTS (SELECT 1 FROM favorites f WHERE f.article = a.id AND f.reader = $1) AS favorited,
      EXISTS (SELECT 1 FROM follows w WHERE w.followed = u.id AND w.follower = $1) AS following
    FROM articles a JOIN users u ON u.id = a.author";

/// The articles with the tag `$2`, of the author `$3`, with the reader `$4`, and if `$5` of the
/// users that the viewer follows.
const FILTERED: &str = "
    FROM articles a JOIN users u ON u.id = a.author
    WHERE ($2 = '' OR EXISTS (SELECT 1 FROM tags t WHERE t.article = a.id AND t.name = $2))
      AND ($3 = '' OR u.username = $3)
      AND ($4 = '' OR EXISTS (SELECT 1 FROM favorites f JOIN users r ON r.id = f.reader
             WHERE f.article = a.id AND r.username = $4))
      AND (NOT $5 OR EXISTS (SELECT 1 FROM follows w
             WHERE w.followed = u.id AND w.follower = $1))";

/// The comments on the article `$2` for the viewer `$1`, or only the one with the number `$3`. The
/// numbers begin with 1.
const COMMENTS: &str = "
    SELECT c.*, u.username, u.bio, u.image,
      EXISTS (SELECT 1 FROM follows w WHERE w.followed = u.id AND w.follower = $1) AS following
    FROM comments c JOIN users u ON u.id = c.author
    WHERE c.article = $2 AND ($3 = 0 OR c.id = $3)";

/// The article repository. Uses the session of the request.
#[derive(Clone, Inject)]
pub(super) struct SqlArticles {
    session: Session,
}

impl SqlArticles {
    async fn execute(&self, sql: &str, values: Vec<Value>) -> Result<(), ArticleError> {
        match self.session.execute_sql(sql, values).await {
            Ok(_) => Ok(()),
            Err(error) if error.unique_violation().is_some() => Err(ArticleError::SameTitle),
            Err(error) => Err(ArticleError::Unexpected(error.into())),
        }
    }
}

#[port]
impl ArticleRepository for SqlArticles {
    async fn save(
        &self,
        id: &str,
        slug: &str,
        author: &str,
        content: &Draft,
        now: Timestamp,
    ) -> Result<(), ArticleError> {
        let sql = "INSERT INTO articles
                     (id, slug, author, title, description, body, created_at, updated_at)
                   VALUES ($1, $2, $3, $4, $5, $6, $7, $7)
                   ON CONFLICT (id) DO UPDATE SET slug = excluded.slug, title = excluded.title,
                     description = excluded.description, body = excluded.body,
                     updated_at = excluded.updated_at";
        let values = [
            id.into(),
            slug.into(),
            author.into(),
            (&*content.title).into(),
            (&*content.description).into(),
            (&*content.body).into(),
            DateTimeUtc::from(now).into(),
        ];
        self.execute(sql, values.to_vec()).await?;
        if content.tags.is_empty() {
            return Ok(());
        }
        let rows = (2..content.tags.len() + 2).map(|number| format!("($1, ${number})"));
        let rows = rows.collect::<Vec<_>>().join(", ");
        let sql = format!("INSERT INTO tags (article, name) VALUES {rows} ON CONFLICT DO NOTHING");
        let tags = content.tags.iter().map(String::as_str);
        let values = std::iter::once(id).chain(tags).map(Value::from);
        self.execute(&sql, values.collect()).await
    }

    async fn remove(&self, id: &str) -> Result<(), Unexpected> {
        let sql = "DELETE FROM articles WHERE id = $1";
        self.session.execute_sql(sql, [id.into()]).await?;
        Ok(())
    }

    async fn find(&self, slug: &str, viewer: &str) -> Result<Option<Article>, Unexpected> {
        let sql = format!("{ARTICLES} WHERE a.slug = $2");
        let values = [viewer.into(), slug.into()];
        let row: Option<ArticleRow> = self.session.query_one_as(&sql, values).await?;
        Ok(row.map(Article::from))
    }

    async fn list(&self, wanted: &Filter, viewer: &str) -> Result<(Vec<Article>, i64), Unexpected> {
        let mut values: Vec<Value> = vec![
            viewer.into(),
            (&*wanted.tag).into(),
            (&*wanted.author).into(),
            (&*wanted.favorited).into(),
            wanted.is_feed.into(),
        ];
        let count = format!("SELECT count(*) AS number {FILTERED}");
        let total: Option<Number> = self.session.query_one_as(&count, values.clone()).await?;
        let sql = format!(
            "{ARTICLES} WHERE a.id IN (SELECT a.id {FILTERED}
               ORDER BY a.created_at DESC, a.id DESC LIMIT $6 OFFSET $7)
             ORDER BY a.created_at DESC, a.id DESC"
        );
        values.extend([wanted.limit.into(), wanted.offset.into()]);
        let rows: Vec<ArticleRow> = self.session.query_as(&sql, values).await?;
        let articles = rows.into_iter().map(Article::from).collect();
        Ok((articles, total.map_or(0, |total| total.number)))
    }

    async fn favorite(&self, id: &str, reader: &str, is_one: bool) -> Result<(), Unexpected> {
        let sql = match is_one {
            true => {
                "INSERT INTO favorites (article, reader) VALUES ($1, $2) ON CONFLICT DO NOTHING"
            }
            false => "DELETE FROM favorites WHERE article = $1 AND reader = $2",
        };
        let values = [id.into(), reader.into()];
        self.session.execute_sql(sql, values).await?;
        Ok(())
    }

    async fn tags(&self) -> Result<Vec<String>, Unexpected> {
        let sql = "SELECT name FROM tags GROUP BY name ORDER BY count(*) DESC, name LIMIT 100";
        let rows: Vec<Tag> = self.session.query_as(sql, []).await?;
        Ok(rows.into_iter().map(|tag| tag.name).collect())
    }
}

/// The comment repository. Uses the session of the request.
#[derive(Clone, Inject)]
pub(super) struct SqlComments {
    session: Session,
    clock: Arc<dyn Clock>,
}

#[port]
impl CommentRepository for SqlComments {
    async fn insert(&self, article: &str, author: &str, body: &str) -> Result<i64, Unexpected> {
        let sql = "INSERT INTO comments (article, author, body, created_at, updated_at)
                   VALUES ($1, $2, $3, $4, $4) RETURNING id AS number";
        let now = DateTimeUtc::from(self.clock.now()).into();
        let values = [article.into(), author.into(), body.into(), now];
        let new: Option<Number> = self.session.query_one_as(sql, values).await?;
        new.map(|new| new.number)
            .ok_or_else(|| Unexpected::new("the insert returned no number"))
    }

    async fn list(&self, article: &str, viewer: &str, id: i64) -> Result<Vec<Comment>, Unexpected> {
        let sql = format!("{COMMENTS} ORDER BY c.id DESC LIMIT 500");
        let values = [viewer.into(), article.into(), id.into()];
        let rows: Vec<CommentRow> = self.session.query_as(&sql, values).await?;
        Ok(rows.into_iter().map(Comment::from).collect())
    }

    async fn remove(&self, id: i64) -> Result<(), Unexpected> {
        let sql = "DELETE FROM comments WHERE id = $1";
        self.session.execute_sql(sql, [id.into()]).await?;
        Ok(())
    }
}
