//! Comments on articles.

use std::sync::Arc;

use doyen::data::Row;
use doyen::data::sea_orm::prelude::DateTimeUtc;
use doyen::prelude::*;

use super::Viewer;
use super::articles::{ArticleError, Articles};
use super::users::Profile;

pub(super) fn routes() -> Routes {
    routes![add, list, remove].at("/api")
}

/// A comment in the table, with its author.
#[derive(Row)]
struct CommentRow {
    id: i64,
    author: String,
    body: String,
    #[row(try_from = "DateTimeUtc")]
    created_at: Timestamp,
    #[row(try_from = "DateTimeUtc")]
    updated_at: Timestamp,
    username: String,
    bio: Option<String>,
    image: Option<String>,
    following: bool,
}

/// The number of a new comment.
#[derive(Row)]
struct NewKey {
    id: i64,
}

/// A body with a comment.
#[derive(Output)]
struct CommentBody {
    comment: CommentView,
}

/// The comments on an article.
#[derive(Output)]
struct CommentList {
    comments: Vec<CommentView>,
}

/// A comment.
#[derive(Output)]
#[output(from = CommentRow, rename_all = "camelCase")]
struct CommentView {
    id: i64,
    created_at: Timestamp,
    updated_at: Timestamp,
    body: String,
    #[output(value = comment_row.author())]
    author: Profile,
}

impl CommentRow {
    fn author(&self) -> Profile {
        Profile {
            username: self.username.clone(),
            bio: self.bio.clone(),
            image: self.image.clone(),
            following: self.following,
        }
    }
}

/// A new comment.
#[derive(Input)]
struct NewComment {
    #[validate(not_blank, length(max = 10_000))]
    body: String,
}

/// The comments on the article `$2` for the caller `$1`, or only the one with the number `$3`.
const SELECT: &str = "
    SELECT c.*, u.username, u.bio, u.image,
      EXISTS (SELECT 1 FROM follows w WHERE w.followed = u.id AND w.follower = $1) AS following
    FROM comments c JOIN users u ON u.id = c.author JOIN articles a ON a.id = c.article
    WHERE a.slug = $2 AND ($3 = 0 OR c.id = $3) ORDER BY c.id DESC LIMIT 500";

/// Comments of this request.
#[derive(Clone, Inject)]
struct Comments {
    session: Session,
    clock: Arc<dyn Clock>,
    viewer: Viewer,
}

impl Comments {
    /// Returns the newest comments on an article, or only the one with this number.
    async fn of(&self, slug: &str, only: i64) -> Result<Vec<CommentRow>, ArticleError> {
        let values = [(&*self.viewer.0).into(), slug.into(), only.into()];
        Ok(self.session.query_as(SELECT, values).await?)
    }

    async fn find(&self, slug: &str, id: i64) -> Result<CommentRow, ArticleError> {
        let found = self.of(slug, id).await?.pop();
        found.ok_or(ArticleError::Missing)
    }
}

/// Comment on an article
#[post("/articles/{slug}/comments", allow = signed_in)]
async fn add(
    comments: Comments,
    slug: String,
    #[body] comment: NewComment,
) -> Result<Created<CommentBody>, ArticleError> {
    let sql = "INSERT INTO comments (article, author, body, created_at, updated_at)
               SELECT id, $2, $3, $4, $4 FROM articles WHERE slug = $1 RETURNING id";
    let values = [
        (&*slug).into(),
        (&*comments.viewer.0).into(),
        comment.body.into(),
        DateTimeUtc::from(comments.clock.now()).into(),
    ];
    let key: Option<NewKey> = comments.session.query_one_as(sql, values).await?;
    let key = key.ok_or(ArticleError::Missing)?;
    let comment = comments.find(&slug, key.id).await?.into();
    Ok(Created(CommentBody { comment }))
}

/// List the comments on an article, newest first
#[get("/articles/{slug}/comments", allow = anyone)]
async fn list(
    articles: Articles,
    comments: Comments,
    slug: String,
) -> Result<Json<CommentList>, ArticleError> {
    articles.find(&slug).await?;
    let rows = comments.of(&slug, 0).await?.into_iter();
    let comments = rows.map(CommentView::from).collect();
    Ok(Json(CommentList { comments }))
}

/// Delete your comment
#[delete("/articles/{slug}/comments/{id}", allow = signed_in)]
async fn remove(comments: Comments, slug: String, id: i64) -> Result<NoContent, ArticleError> {
    if *comments.find(&slug, id).await?.author != *comments.viewer.0 {
        return Err(ArticleError::NotTheAuthor);
    }
    let sql = "DELETE FROM comments WHERE id = $1";
    comments.session.execute_sql(sql, [id.into()]).await?;
    Ok(NoContent)
}
