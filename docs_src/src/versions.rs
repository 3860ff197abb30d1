//! Versions of an API: the code has the newest shape, and an older version is a list of changes.

use doyen::prelude::*;
use doyen::schema::Schema;
use doyen::web::{FieldStep, Version, VersionChange, Versions};
use serde_json::json;

/// A person who wrote a book.
#[derive(Output)]
struct Author {
    /// Name.
    name: String,
}

/// A book.
#[derive(Output)]
struct Book {
    /// Title.
    title: String,
    /// Author, since 2026-11-01. It was a text before.
    author: Author,
    /// Number of pages, since 2026-11-01.
    pages: u32,
}

/// Book to add.
#[derive(Input)]
struct NewBook {
    /// Title.
    #[validate(length(min = 1, max = 100))]
    title: String,
    /// Name of the author. It was `author` before 2026-11-01.
    #[validate(length(min = 1, max = 100))]
    author_name: String,
    /// Number of pages.
    #[validate(range(min = 1, max = 10_000))]
    pages: u32,
}

/// Add a book
#[post("/books", allow = anyone)]
async fn add(Json(new): Json<NewBook>) -> Json<Book> {
    Json(Book {
        title: new.title,
        author: Author {
            name: new.author_name,
        },
        pages: new.pages,
    })
}

/// Differences before 2026-11-01.
fn authors_and_pages() -> VersionChange {
    VersionChange::new("A book has the name of its author, and no number of pages.")
        .on(
            "Book",
            FieldStep::renamed("author", "author")
                .older_schema(Schema::of("string"))
                .down(|author| author["name"].clone()),
        )
        .on("Book", FieldStep::added("pages"))
        .on("NewBook", FieldStep::renamed("author_name", "author"))
        .on("NewBook", FieldStep::added("pages").in_requests(json!(1)))
}

/// Builds the application.
pub fn app() -> App {
    library(Versions::in_header("API-Version", "2026-11-01"))
}

/// Builds the application with its version in a header, in the query or in the path.
pub fn library(versions: Versions) -> App {
    let versions = versions
        .older(
            Version::new("2026-06-01")
                .deprecated("2026-11-01")
                .sunset("2027-06-01")
                .guide("https://example.com/migration")
                .change(authors_and_pages()),
        )
        .older(Version::new("2026-01-01").sunset("2026-07-01"));
    App::new("library")
        .versions(versions)
        .module(Module::new("books").routes(routes![add]))
}
