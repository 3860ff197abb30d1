//! `docs/guide/evidence.md`

use std::panic::AssertUnwindSafe;

use doyen_test::{Answer, Setup, TestApp};

use super::{of, subject};

subject!(Library, of(docs_src::loading::module()));

impl Library {
    async fn with_authors(self, count: i64) -> Self {
        let id = match self.backend() {
            doyen_test::Backend::Sqlite => "integer PRIMARY KEY",
            doyen_test::Backend::Postgres => "bigserial PRIMARY KEY",
        };
        for table in [
            format!("CREATE TABLE authors (id {id}, name text NOT NULL)"),
            format!("CREATE TABLE books (id {id}, author_id bigint NOT NULL, title text NOT NULL)"),
        ] {
            self.execute(&table, []).await;
        }
        for author in 1..=count {
            let sql = "INSERT INTO authors (id, name) VALUES ($1, $2)";
            let name = format!("Author {author}");
            self.execute(sql, [author.into(), name.into()]).await;
            let sql = "INSERT INTO books (author_id, title) VALUES ($1, 'A book')";
            self.execute(sql, [author.into()]).await;
        }
        self
    }
}

async fn sent(app: &TestApp, path: &str) -> Result<Answer, String> {
    use futures_util::FutureExt as _;
    let sent = AssertUnwindSafe(app.get(path).send()).catch_unwind().await;
    sent.map_err(|panic| panic.downcast_ref::<String>().unwrap().clone())
}

#[doyen_test::test]
async fn a_query_in_a_loop_fails_a_test_and_a_loader_does_not(library: Library) {
    let library = library.with_authors(6).await;
    let failure = sent(&library, "/authors/in-a-loop").await.unwrap_err();
    for part in [
        "GET /authors/in-a-loop",
        "(repeated_statement)",
        "6 times",
        "FROM \"books\"",
        "load_many",
        "allow_repeated_statements",
    ] {
        assert!(failure.contains(part), "no `{part}`: {failure}");
    }
    let loaded = sent(&library, "/authors").await.unwrap().expect(200);
    assert_eq!(loaded.findings(), []);
    assert_eq!(loaded.text_at("/5/books/0"), "A book");

    // Both list the same, where the test permits it.
    let lenient = Setup::new().allow_repeated_statements();
    let lenient = library.another(lenient).await;
    let looped = sent(&lenient, "/authors/in-a-loop").await.unwrap();
    assert_eq!(looped.json(), loaded.json());
    assert_eq!(looped.findings()[0].code, "repeated_statement");
    let allowed = Setup::new().set(
        "evidence.allow",
        "repeated_statement GET /authors/in-a-loop",
    );
    let allowed = library.another(allowed).await;
    let looped = sent(&allowed, "/authors/in-a-loop").await.unwrap();
    assert_eq!(looped.findings(), []);
}
