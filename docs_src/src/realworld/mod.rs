//! The service of the RealWorld project, which is known as Conduit: users, articles, comments,
//! favourites and a feed, with 19 routes. It is written twice, on the same tables: [`flat`], and
//! with [`layers`].

pub mod flat;
pub mod layers;

use doyen::prelude::*;
use doyen::schema::ProblemView;

/// Every error of this API: `{"errors": {"body": ["title can't be blank"]}}`.
#[derive(Output)]
struct Errors {
    errors: Messages,
}

/// Messages for people.
#[derive(Output)]
struct Messages {
    body: Vec<String>,
}

/// The error format of the contract.
fn errors(problem: &ProblemView<'_>) -> Errors {
    let body = problem.messages();
    Errors {
        errors: Messages { body },
    }
}
