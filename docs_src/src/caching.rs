//! Cached values, responses that the server keeps, and their invalidation.

use doyen::data::sea_orm::{ConnectionTrait as _, Statement};
use doyen::data::{Migration, Migrations};
use doyen::prelude::*;

/// Lifetime of the counter: one minute, then stale for an hour.
const TOTAL: CachePolicy = CachePolicy::new("books_total", MINUTE).stale(HOUR);

/// Stores books.
#[derive(Clone, Inject)]
struct Books {
    session: Session,
    cache: Cache,
}

impl Books {
    /// Counts the books. The number is the same for everyone.
    async fn total(&self) -> Result<i64, Unexpected> {
        let entry = self.cache.shared().entry(&TOTAL, "all").tag("books");
        entry.get_or_load(|| self.count()).await
    }

    async fn count(&self) -> Result<i64, Unexpected> {
        let sql = "SELECT count(*) FROM books";
        let statement = Statement::from_string(self.session.backend(), sql);
        let row = self.session.query_one_raw(statement).await?;
        let row = row.ok_or_else(|| Unexpected::new("count(*) returns a row"))?;
        Ok(row.try_get_by_index(0)?)
    }

    /// Adds a book, and invalidates the cached values about books after the commit.
    async fn add(&self, title: String) -> Result<(), Unexpected> {
        let sql = "INSERT INTO books (title) VALUES ($1)";
        self.session.execute_sql(sql, [title.into()]).await?;
        self.cache.invalidate("books").after(&self.session);
        Ok(())
    }
}

/// A number of books.
#[derive(Output)]
struct Total {
    total: i64,
}

/// A new book.
#[derive(Input)]
struct NewBook {
    title: String,
}

/// Count all books
#[get("/total", allow = anyone)]
async fn total(books: Books) -> Result<Json<Total>, Unexpected> {
    let total = books.total().await?;
    Ok(Json(Total { total }))
}

/// Get the catalogue
///
/// The server keeps one response for everyone for an hour, or until a book changes. Clients and
/// shared caches keep it for ten seconds.
#[get("/catalogue", allow = anyone, cache = public(secs(10)).stored(HOUR).tag("books"))]
async fn catalogue(books: Books) -> Result<Json<Total>, Unexpected> {
    let total = books.count().await?;
    Ok(Json(Total { total }))
}

/// Add a book
#[post("/", allow = anyone)]
async fn add(books: Books, Json(new): Json<NewBook>) -> Result<NoContent, Unexpected> {
    books.add(new.title).await?;
    Ok(NoContent)
}

const BOOKS: Migration = Migration {
    version: 1,
    name: "books",
    up: "CREATE TABLE books (title text NOT NULL);",
    down: "DROP TABLE books;",
};

/// Builds the application.
pub fn app() -> App {
    let tables = Migrations {
        folder: None,
        sqlite: &[BOOKS],
        postgres: &[BOOKS],
    };
    App::new("library")
        .migrations(tables)
        .module(Module::new("books").routes(routes![total, catalogue, add].at("/books")))
}
