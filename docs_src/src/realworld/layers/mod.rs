//! The service with three layers: the domains `users` and `articles`.

pub mod articles;
pub mod users;

use doyen::auth::AccessTokens;
use doyen::prelude::*;

/// Builds the application.
pub fn app() -> App {
    App::new("realworld")
        .replace(AccessTokens::default().scheme("Token"))
        .problem_format(super::errors)
        .module(users::module())
        .module(articles::module())
        .migrations(doyen::migrations!("migrations_realworld"))
}
