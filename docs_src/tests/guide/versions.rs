//! `docs/guide/versions.md`

use doyen::schema::FastApiErrors;
use serde_json::json;

use super::subject;

subject!(Library, docs_src::versions::app());

#[doyen_test::test(sqlite)]
async fn an_older_version_has_its_own_shape(library: Library) {
    let new = json!({"title": "T", "author_name": "A", "pages": 3});
    let newest = library.post("/books").json(&new).send().await.expect(200);
    assert_eq!(
        newest.json(),
        json!({"title": "T", "author": {"name": "A"}, "pages": 3})
    );
    assert_eq!(newest.header("deprecation"), None);
    let old = |body: serde_json::Value| {
        library
            .post("/books")
            .header("api-version", "2026-06-01")
            .json(&body)
            .send()
    };
    let older = old(json!({"title": "T", "author": "A"})).await.expect(200);
    assert_eq!(older.json(), json!({"title": "T", "author": "A"}));
    assert_eq!(older.header("api-version"), Some("2026-06-01"));
    assert_eq!(older.header("deprecation"), Some("@1793491200"));
    assert_eq!(
        older.header("sunset"),
        Some("Tue, 01 Jun 2027 00:00:00 GMT")
    );
    assert!(
        older
            .header("link")
            .is_some_and(|link| link.contains("rel=\"deprecation\""))
    );
    // A failure points to the field that the client sent.
    let failed = old(json!({"title": "T", "author": ""}))
        .await
        .expect_problem(422, "invalid");
    assert_eq!(failed.failures(), ["/author length"]);
    assert_eq!(failed.text_at("/errors/0/pointer"), "/author");
}

subject!(
    OtherFormat,
    docs_src::versions::app().problem_format(FastApiErrors)
);

#[doyen_test::test(sqlite)]
async fn failures_of_an_older_version_have_its_names_in_every_format(library: OtherFormat) {
    let failed = library
        .post("/books")
        .header("api-version", "2026-06-01")
        .json(&json!({"title": "T", "author": ""}))
        .send()
        .await
        .expect_problem(422, "invalid");
    assert_eq!(failed.failures(), ["/author length"]);
    assert_eq!(failed.at("/detail/0/loc"), json!(["body", "author"]));
}

#[doyen_test::test(sqlite)]
async fn a_version_ends_at_its_sunset(library: Library) {
    let with = |version: &str| {
        let new = json!({"title": "T", "author_name": "A", "pages": 3});
        library
            .post("/books")
            .header("api-version", version)
            .json(&new)
            .send()
    };
    with("2026-01-01").await.expect_problem(410, "version_gone");
    with("1999-01-01")
        .await
        .expect_problem(400, "unknown_version");
    let year = std::time::Duration::from_secs(365 * 24 * 3600);
    library.clock().advance(year);
    with("2026-06-01").await.expect_problem(410, "version_gone");
    with("2026-11-01").await.expect(200);
}

#[doyen_test::test(sqlite)]
async fn each_version_has_a_document(library: Library) {
    let document = |version: &str| {
        library
            .get(format!("/openapi.json?version={version}"))
            .send()
    };
    let older = document("2026-06-01").await.expect(200);
    assert_eq!(older.text_at("/info/version"), "2026-06-01");
    let book = older.at("/components/schemas/Book");
    assert_eq!(book["properties"]["author"]["type"], "string");
    assert!(book["properties"].get("pages").is_none());
    let new = older.at("/components/schemas/NewBook");
    assert_eq!(new["required"], json!(["title", "author"]));
    assert_eq!(older.at("/paths/~1books/post/deprecated"), json!(true));
    let newest = document("2026-11-01").await.expect(200);
    assert!(
        newest
            .at("/components/schemas/Book/properties/pages")
            .is_object()
    );
    document("2026-01-01")
        .await
        .expect_problem(400, "unknown_version");
}
