//! `docs/guide/caching.md`

use serde_json::json;

use super::subject;

subject!(Library, docs_src::caching::app());

#[doyen_test::test]
async fn values_and_responses_are_kept_until_a_commit(library: Library) {
    let total = async |path: &str| library.get(path).send().await.expect(200).at("/total");
    let add = async |title: &str| {
        let call = library.post("/books").json(&json!({"title": title}));
        call.send().await.expect(204);
    };
    for path in ["/books/total", "/books/catalogue"] {
        assert_eq!(total(path).await, 0);
    }
    add("one").await;
    for path in ["/books/total", "/books/catalogue"] {
        assert_eq!(total(path).await, 1);
    }
    // What another program writes is not noticed.
    library.execute("DELETE FROM books", []).await;
    for path in ["/books/total", "/books/catalogue"] {
        assert_eq!(total(path).await, 1);
    }
    add("two").await;
    for path in ["/books/total", "/books/catalogue"] {
        assert_eq!(total(path).await, 1);
    }
    let catalogue = library.get("/books/catalogue").send().await.expect(200);
    let kept = catalogue.header("cache-control");
    assert_eq!(kept, Some("public, max-age=10"));
    let known = library
        .get("/books/catalogue")
        .if_none_match(catalogue.etag());
    known.send().await.expect(304);
}
