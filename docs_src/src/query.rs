//! A struct is read from the query string, one parameter for each field.

use doyen::prelude::*;

/// A filter for books.
#[derive(Input)]
struct Filter {
    /// Word in the title.
    #[validate(length(min = 1, max = 50))]
    word: Option<String>,
    /// Accepted languages: `?language=de&language=fr`.
    #[validate(items(max = 5))]
    #[input(default)]
    language: Vec<String>,
    /// Sort order.
    #[input(default = Sort::Title)]
    sort: Sort,
}

/// The field that a list is sorted by.
#[derive(Input, Output)]
enum Sort {
    Title,
    Year,
}

/// The filter as the server read it.
#[derive(Output)]
struct Understood {
    word: Option<String>,
    language: Vec<String>,
    sort: Sort,
}

/// Search for books
#[get("/books", allow = anyone)]
async fn search(Query(filter): Query<Filter>) -> Json<Understood> {
    let Filter {
        word,
        language,
        sort,
    } = filter;
    Json(Understood {
        word,
        language,
        sort,
    })
}

/// The module with books.
pub fn module() -> Module {
    Module::new("library").routes(routes![search])
}
