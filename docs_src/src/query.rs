//! A struct is read from the query string: one parameter for each field.

use doyen::prelude::*;

/// Which books.
#[derive(Input)]
struct Filter {
    /// A word in the title.
    #[validate(length(min = 1, max = 50))]
    word: Option<String>,
    /// In one of these languages: `?language=de&language=fr`.
    #[validate(items(max = 5))]
    #[input(default)]
    language: Vec<String>,
    /// What comes first.
    #[input(default = Sort::Title)]
    sort: Sort,
}

/// What a list is sorted by.
#[derive(Input, Output)]
enum Sort {
    Title,
    Year,
}

/// What was understood.
#[derive(Output)]
struct Understood {
    word: Option<String>,
    language: Vec<String>,
    sort: Sort,
}

/// Look for books.
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

/// The library.
pub fn module() -> Module {
    Module::new("library").routes(routes![search])
}
