//! HTTP routes for articles and comments.

use doyen::prelude::*;

use super::domain::{Article, ArticleError, Articles, Author, Comment, Draft, Edit, Filter};

pub(super) fn routes() -> Routes {
    routes![
        list,
        feed,
        create,
        show,
        update,
        remove,
        favorite,
        unfavorite,
        tags,
        comment,
        comments,
        remove_comment
    ]
    .at("/api")
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
#[output(from = Article, rename_all = "camelCase")]
struct ArticleView {
    slug: String,
    title: String,
    description: String,
    #[output(skip_none, value = Some(article.body.clone()))]
    body: Option<String>,
    #[output(rename = "tagList")]
    tags: Vec<String>,
    created_at: Timestamp,
    updated_at: Timestamp,
    favorited: bool,
    #[output(rename = "favoritesCount")]
    favorites: i64,
    author: AuthorView,
}

/// The author of an article or a comment.
#[derive(Output)]
#[output(from = Author)]
struct AuthorView {
    username: String,
    bio: Option<String>,
    image: Option<String>,
    /// True if the caller follows the user.
    following: bool,
}

/// The tags of all articles.
#[derive(Output)]
struct Tags {
    tags: Vec<String>,
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
#[output(from = Comment, rename_all = "camelCase")]
struct CommentView {
    id: i64,
    created_at: Timestamp,
    updated_at: Timestamp,
    body: String,
    author: AuthorView,
}

impl From<Article> for ArticleBody {
    fn from(article: Article) -> Self {
        Self {
            article: article.into(),
        }
    }
}

impl From<(Vec<Article>, i64)> for ArticlePage {
    fn from((articles, articles_count): (Vec<Article>, i64)) -> Self {
        let mut articles: Vec<_> = articles.into_iter().map(ArticleView::from).collect();
        articles.iter_mut().for_each(|article| article.body = None);
        Self {
            articles,
            articles_count,
        }
    }
}

/// A new article.
#[derive(Input)]
#[input(into = Draft, rename_all = "camelCase")]
struct NewArticle {
    #[validate(not_blank, length(max = 200))]
    title: String,
    #[validate(not_blank, length(max = 500))]
    description: String,
    #[validate(not_blank)]
    body: String,
    /// Words without commas.
    #[validate(items(max = 20), each(length(max = 50), pattern = "^[^,]+$"))]
    #[input(rename = "tagList", default)]
    tags: Vec<String>,
}

/// Changes to an article. Fields that are missing stay as they are.
#[derive(Input)]
#[input(into = Edit)]
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
#[input(into = Filter, set(is_feed = false))]
struct Selection {
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

/// A new comment.
#[derive(Input)]
struct NewComment {
    #[validate(not_blank, length(max = 10_000))]
    body: String,
}

/// List articles, newest first
#[get("/articles", allow = anyone)]
async fn list(
    articles: Articles,
    Query(wanted): Query<Selection>,
) -> Result<Json<ArticlePage>, Unexpected> {
    Ok(Json(articles.list(&wanted.into()).await?.into()))
}

/// List the articles of the users that you follow
#[get("/articles/feed", allow = signed_in)]
async fn feed(
    articles: Articles,
    Query(wanted): Query<Selection>,
) -> Result<Json<ArticlePage>, Unexpected> {
    let wanted = Filter {
        is_feed: true,
        ..wanted.into()
    };
    Ok(Json(articles.list(&wanted).await?.into()))
}

/// Create an article
#[post("/articles", allow = signed_in)]
async fn create(
    articles: Articles,
    #[body] article: NewArticle,
) -> Result<Created<ArticleBody>, ArticleError> {
    Ok(Created(articles.publish(article.into()).await?.into()))
}

/// Get an article
#[get("/articles/{slug}", allow = anyone)]
async fn show(articles: Articles, slug: String) -> Result<Json<ArticleBody>, ArticleError> {
    Ok(Json(articles.find(&slug).await?.into()))
}

/// Update your article
#[put("/articles/{slug}", allow = signed_in)]
async fn update(
    articles: Articles,
    slug: String,
    #[body] article: ArticleChanges,
) -> Result<Json<ArticleBody>, ArticleError> {
    Ok(Json(articles.edit(&slug, article.into()).await?.into()))
}

/// Delete your article
#[delete("/articles/{slug}", allow = signed_in)]
async fn remove(articles: Articles, slug: String) -> Result<NoContent, ArticleError> {
    articles.remove(&slug).await.map(|()| NoContent)
}

/// Mark an article as a favourite
#[post("/articles/{slug}/favorite", allow = signed_in)]
async fn favorite(articles: Articles, slug: String) -> Result<Json<ArticleBody>, ArticleError> {
    Ok(Json(articles.favorite(&slug, true).await?.into()))
}

/// Remove an article from your favourites
#[delete("/articles/{slug}/favorite", allow = signed_in)]
async fn unfavorite(articles: Articles, slug: String) -> Result<Json<ArticleBody>, ArticleError> {
    Ok(Json(articles.favorite(&slug, false).await?.into()))
}

/// List the tags, the most used first
#[get("/tags", allow = anyone)]
async fn tags(articles: Articles) -> Result<Json<Tags>, Unexpected> {
    let tags = articles.tags().await?;
    Ok(Json(Tags { tags }))
}

/// Comment on an article
#[post("/articles/{slug}/comments", allow = signed_in)]
async fn comment(
    articles: Articles,
    slug: String,
    #[body] comment: NewComment,
) -> Result<Created<CommentBody>, ArticleError> {
    let comment = articles.comment(&slug, &comment.body).await?.into();
    Ok(Created(CommentBody { comment }))
}

/// List the comments on an article, newest first
#[get("/articles/{slug}/comments", allow = anyone)]
async fn comments(articles: Articles, slug: String) -> Result<Json<CommentList>, ArticleError> {
    let found = articles.comments(&slug).await?.into_iter();
    let comments = found.map(CommentView::from).collect();
    Ok(Json(CommentList { comments }))
}

/// Delete your comment
#[delete("/articles/{slug}/comments/{id}", allow = signed_in)]
async fn remove_comment(
    articles: Articles,
    slug: String,
    id: i64,
) -> Result<NoContent, ArticleError> {
    let removed = articles.remove_comment(&slug, id);
    removed.await.map(|()| NoContent)
}
