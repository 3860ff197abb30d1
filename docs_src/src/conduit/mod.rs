//! A port of an API with clients of its own: the contract of the RealWorld project.

mod articles;
mod users;

use doyen::auth::AccessTokens;
use doyen::prelude::*;
use doyen::schema::ProblemView;

/// Every error of this API.
#[derive(Output)]
struct Errors {
    errors: Messages,
}

/// Messages for people.
#[derive(Output)]
struct Messages {
    body: Vec<String>,
}

fn errors(problem: &ProblemView<'_>) -> Errors {
    let body = match problem.code() {
        "unauthenticated" => vec!["token is missing".to_owned()],
        "invalid_token" => vec!["token is invalid".to_owned()],
        _ => problem.messages(),
    };
    Errors {
        errors: Messages { body },
    }
}

/// Builds the application.
pub fn app() -> App {
    App::new("conduit")
        .replace(AccessTokens::default().scheme("Token"))
        .problem_format(errors)
        .module(Module::new("users").routes(users::routes()))
        .module(Module::new("articles").routes(articles::routes()))
        .migrations(doyen::migrations!("migrations_conduit"))
}
