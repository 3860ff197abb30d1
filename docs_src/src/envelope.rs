//! Errors as FastAPI sends them, a status that no kind has, and fields of an error that are sent.

use doyen::prelude::*;
use doyen::schema::FastApiErrors;

/// Errors when brewing.
#[derive(Debug, Problem)]
enum BrewError {
    /// The pot is for tea. Send it tea.
    #[problem(status = 418)]
    Teapot,
    /// The pot is in use. Come back when it is free.
    #[problem(conflict, detail = "{cups} cups are brewing")]
    Busy {
        /// Number of cups.
        #[problem(member)]
        cups: u32,
        /// Name of the pot.
        #[problem(header = "X-Pot")]
        pot: String,
    },
}

/// An order.
#[derive(Input)]
struct Brew {
    #[validate(length(min = 3, max = 10))]
    what: String,
    #[validate(range(min = 1, max = 9))]
    cups: u32,
}

/// Brew something
#[post("/brew", allow = anyone)]
async fn brew(Json(order): Json<Brew>) -> Result<NoContent, BrewError> {
    match &*order.what {
        "coffee" => Err(BrewError::Teapot),
        "matcha" => Err(BrewError::Busy {
            cups: order.cups,
            pot: "green".to_owned(),
        }),
        _ => Ok(NoContent),
    }
}

/// Fail
#[get("/broken/{number}", allow = anyone)]
async fn broken(number: u32) -> NoContent {
    assert_ne!(number, 7, "an unlucky number");
    NoContent
}

/// Builds the application.
pub fn app() -> App {
    let module = Module::new("pots").routes(routes![brew, broken]);
    App::new("kitchen")
        .problem_format(FastApiErrors)
        .module(module)
}
