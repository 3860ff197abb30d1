//! Articles, comments and the operations on them. Independent of HTTP and the database.

use std::sync::Arc;

use doyen::domain::{Caller, Clock, Id, Inject, Problem, Timestamp, Unexpected, port};

/// The author of an article or a comment, as a viewer sees it.
#[derive(Clone, Debug)]
pub struct Author {
    /// Id of the user.
    pub id: String,
    /// Unique name.
    pub username: String,
    /// Text about the user.
    pub bio: Option<String>,
    /// URL of a picture.
    pub image: Option<String>,
    /// True if the viewer follows the user.
    pub following: bool,
}

/// An article, as a viewer sees it.
#[derive(Clone, Debug)]
pub struct Article {
    /// Article id.
    pub id: String,
    /// Part of the path of the article.
    pub slug: String,
    /// Title.
    pub title: String,
    /// Summary.
    pub description: String,
    /// Text.
    pub body: String,
    /// Tags in alphabetical order.
    pub tags: Vec<String>,
    /// Creation time.
    pub created_at: Timestamp,
    /// Time of the last change.
    pub updated_at: Timestamp,
    /// True if the viewer has it as a favourite.
    pub favorited: bool,
    /// Number of users who have it as a favourite.
    pub favorites: i64,
    /// Author.
    pub author: Author,
}

/// An article before it is published.
#[derive(Clone, Debug)]
pub struct Draft {
    /// Title.
    pub title: String,
    /// Summary.
    pub description: String,
    /// Text.
    pub body: String,
    /// Tags.
    pub tags: Vec<String>,
}

/// Changes to an article.
#[derive(Clone, Debug)]
pub struct Edit {
    /// New title.
    pub title: Option<String>,
    /// New summary.
    pub description: Option<String>,
    /// New text.
    pub body: Option<String>,
}

/// Articles to list. An empty text selects all.
#[derive(Clone, Debug)]
pub struct Filter {
    /// Tag of the article.
    pub tag: String,
    /// Name of the author.
    pub author: String,
    /// Name of a user: selects the favourites of this user.
    pub favorited: String,
    /// True for authors that the viewer follows.
    pub is_feed: bool,
    /// Maximum number of articles.
    pub limit: i64,
    /// Number of articles before the first one.
    pub offset: i64,
}

/// A comment, as a viewer sees it.
#[derive(Clone, Debug)]
pub struct Comment {
    /// Number of the comment.
    pub id: i64,
    /// Text.
    pub body: String,
    /// Creation time.
    pub created_at: Timestamp,
    /// Time of the last change.
    pub updated_at: Timestamp,
    /// Author.
    pub author: Author,
}

/// Errors of articles and comments.
#[derive(Debug, Problem)]
pub enum ArticleError {
    /// There is no such article or comment.
    #[problem(not_found, detail = "article or comment not found")]
    Missing,
    /// Another article has this title.
    #[problem(invalid, detail = "title must be unique")]
    SameTitle,
    /// The article or the comment belongs to another user.
    #[problem(forbidden, detail = "only the author may do this")]
    NotTheAuthor,
    /// An unexpected error.
    #[problem(unexpected)]
    Unexpected(Unexpected),
}

/// Storage for articles.
#[port]
pub trait ArticleRepository {
    /// Stores a new article, or the new content of an article, whose tags stay as they are.
    async fn save(
        &self,
        id: &str,
        slug: &str,
        author: &str,
        content: &Draft,
        now: Timestamp,
    ) -> Result<(), ArticleError>;
    /// Removes an article with its comments.
    async fn remove(&self, id: &str) -> Result<(), Unexpected>;
    /// Returns the article with this slug.
    async fn find(&self, slug: &str, viewer: &str) -> Result<Option<Article>, Unexpected>;
    /// Returns articles, newest first, and the number of all that match.
    async fn list(&self, wanted: &Filter, viewer: &str) -> Result<(Vec<Article>, i64), Unexpected>;
    /// Makes an article a favourite of a user, or stops it.
    async fn favorite(&self, id: &str, reader: &str, is_one: bool) -> Result<(), Unexpected>;
    /// Returns the tags of all articles, the most used first.
    async fn tags(&self) -> Result<Vec<String>, Unexpected>;
}

/// Storage for comments.
#[port]
pub trait CommentRepository {
    /// Stores a new comment and returns its number, which is 1 or more.
    async fn insert(&self, article: &str, author: &str, body: &str) -> Result<i64, Unexpected>;
    /// Returns the newest comments on an article, or only the one with this number.
    async fn list(&self, article: &str, viewer: &str, id: i64) -> Result<Vec<Comment>, Unexpected>;
    /// Removes a comment.
    async fn remove(&self, id: i64) -> Result<(), Unexpected>;
}

/// Operations on articles and comments, for handlers.
#[derive(Clone, Inject)]
pub struct Articles {
    articles: Arc<dyn ArticleRepository>,
    comments: Arc<dyn CommentRepository>,
    clock: Arc<dyn Clock>,
    caller: Option<Caller>,
}

impl Articles {
    /// Returns the id of the caller, or an empty text, which is the id of no user.
    fn me(&self) -> &str {
        self.caller.as_ref().map_or("", |caller| &caller.subject)
    }

    /// Returns the article with this slug.
    pub async fn find(&self, slug: &str) -> Result<Article, ArticleError> {
        let found = self.articles.find(slug, self.me()).await?;
        found.ok_or(ArticleError::Missing)
    }

    /// Returns articles, newest first, and the number of all that match.
    pub async fn list(&self, wanted: &Filter) -> Result<(Vec<Article>, i64), Unexpected> {
        self.articles.list(wanted, self.me()).await
    }

    /// Publishes an article.
    pub async fn publish(&self, content: Draft) -> Result<Article, ArticleError> {
        let (id, slug) = (
            Id::<Article>::new().uuid().to_string(),
            slug(&content.title),
        );
        let saved = self
            .articles
            .save(&id, &slug, self.me(), &content, self.clock.now());
        saved.await?;
        self.find(&slug).await
    }

    /// Changes an article of the caller.
    pub async fn edit(&self, slug: &str, edit: Edit) -> Result<Article, ArticleError> {
        let old = self.own(slug).await?;
        let content = Draft {
            title: edit.title.unwrap_or(old.title),
            description: edit.description.unwrap_or(old.description),
            body: edit.body.unwrap_or(old.body),
            tags: old.tags,
        };
        let slug = self::slug(&content.title);
        let saved = self
            .articles
            .save(&old.id, &slug, self.me(), &content, self.clock.now());
        saved.await?;
        self.find(&slug).await
    }

    /// Removes an article of the caller.
    pub async fn remove(&self, slug: &str) -> Result<(), ArticleError> {
        let article = self.own(slug).await?;
        Ok(self.articles.remove(&article.id).await?)
    }

    /// Makes an article a favourite, or stops it.
    pub async fn favorite(&self, slug: &str, is_one: bool) -> Result<Article, ArticleError> {
        let article = self.find(slug).await?;
        self.articles
            .favorite(&article.id, self.me(), is_one)
            .await?;
        self.find(slug).await
    }

    /// Returns the tags of all articles, the most used first.
    pub async fn tags(&self) -> Result<Vec<String>, Unexpected> {
        self.articles.tags().await
    }

    /// Comments on an article.
    pub async fn comment(&self, slug: &str, body: &str) -> Result<Comment, ArticleError> {
        let article = self.find(slug).await?.id;
        let id = self.comments.insert(&article, self.me(), body).await?;
        self.comment_of(&article, id).await
    }

    /// Returns the newest comments on an article.
    pub async fn comments(&self, slug: &str) -> Result<Vec<Comment>, ArticleError> {
        let article = self.find(slug).await?;
        Ok(self.comments.list(&article.id, self.me(), 0).await?)
    }

    /// Removes a comment of the caller.
    pub async fn remove_comment(&self, slug: &str, id: i64) -> Result<(), ArticleError> {
        let article = self.find(slug).await?.id;
        match self.comment_of(&article, id).await? {
            comment if comment.author.id == self.me() => Ok(self.comments.remove(id).await?),
            _ => Err(ArticleError::NotTheAuthor),
        }
    }

    async fn comment_of(&self, article: &str, id: i64) -> Result<Comment, ArticleError> {
        let mut found = self.comments.list(article, self.me(), id).await?;
        found.pop().ok_or(ArticleError::Missing)
    }

    async fn own(&self, slug: &str) -> Result<Article, ArticleError> {
        let article = self.find(slug).await?;
        match article.author.id == self.me() {
            true => Ok(article),
            false => Err(ArticleError::NotTheAuthor),
        }
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
