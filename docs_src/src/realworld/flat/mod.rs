//! The service without layers: a handler runs its statements on the Session.

mod articles;
mod comments;
mod users;

use std::sync::Arc;

use doyen::auth::AccessTokens;
use doyen::prelude::*;

/// Builds the application.
pub fn app() -> App {
    App::new("realworld")
        .replace(AccessTokens::default().scheme("Token"))
        .problem_format(super::errors)
        .module(Module::new("users").routes(users::routes()))
        .module(Module::new("articles").routes(articles::routes()))
        .module(Module::new("comments").routes(comments::routes()))
        .migrations(doyen::migrations!("migrations_realworld"))
}

/// The id of the caller, or an empty text, which is the id of no user.
#[derive(Clone)]
struct Viewer(Arc<str>);

#[provider]
async fn viewer(caller: Option<Caller>) -> Viewer {
    Viewer(caller.map_or_else(|| "".into(), |caller| caller.subject))
}
