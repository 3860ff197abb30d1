//! Articles with tags, favourites, the feed, and comments.

mod api;
pub mod domain;
mod infrastructure;

use doyen::prelude::*;

use domain::{ArticleRepository, CommentRepository};
use infrastructure::{SqlArticles, SqlComments};

/// The module with articles.
pub(super) fn module() -> Module {
    Module::new("articles")
        .routes(api::routes())
        .bind::<dyn ArticleRepository, SqlArticles>()
        .bind::<dyn CommentRepository, SqlComments>()
}
