//! `docs/guide/versions.md`

use doyen::schema::FastApiErrors;
use doyen::web::Versions;
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

subject!(
    InQuery,
    docs_src::versions::library(Versions::in_query("version", "2026-11-01"))
);

#[doyen_test::test(sqlite)]
async fn the_query_selects_a_version(library: InQuery) {
    let add = |query: &str, body: serde_json::Value| {
        let call = library.post(format!("/books{query}"));
        call.json(&body).send()
    };
    let old = json!({"title": "T", "author": "A"});
    let older = add("?version=2026-06-01", old.clone()).await.expect(200);
    assert_eq!(older.json(), old);
    assert_eq!(older.header("api-version"), Some("2026-06-01"));
    assert_eq!(older.header("vary"), None, "the URL differs: {older}");
    add("", old.clone()).await.expect_problem(422, "invalid");
    for unknown in ["?version=1999-01-01", "?version=", "?version=a&version=b"] {
        let refused = add(unknown, old.clone()).await;
        let refused = refused.expect_problem(400, "unknown_version");
        assert_eq!(
            refused.text_at("/detail"),
            "The API has no such version. Its versions are `2026-11-01`, `2026-06-01`."
        );
    }
    add("?version=2026-01-01", old)
        .await
        .expect_problem(410, "version_gone");
    let parameter = library.document()["paths"]["/books"]["post"]["parameters"][0].clone();
    assert_eq!(parameter["name"], "version");
    assert_eq!(
        parameter["schema"]["enum"],
        json!(["2026-11-01", "2026-06-01"])
    );
}

/// A shelf with links, so that the version in a path is seen in them.
mod shelves {
    use doyen::prelude::*;

    /// A shelf.
    #[derive(Output)]
    #[output(name = "Shelf", location = path)]
    struct Shelf {
        label: String,
        #[output(rename = "_links")]
        links: LinkMap,
        #[output(skip)]
        path: String,
    }

    fn shelf(links: &Links, label: String) -> Shelf {
        Shelf {
            links: links.map().to::<show>("self", &[&label]).done(),
            path: format!("/shelves/{label}"),
            label,
        }
    }

    /// Get a shelf
    #[get("/shelves/{label}", allow = anyone)]
    async fn show(links: Links, label: String) -> Json<Shelf> {
        Json(shelf(&links, label))
    }

    /// Add a shelf
    #[post("/shelves/{label}", allow = anyone)]
    async fn add(links: Links, label: String) -> Created<Shelf> {
        Created(shelf(&links, label))
    }

    pub(super) fn module() -> Module {
        Module::new("shelves").routes(routes![show, add])
    }
}

subject!(
    InPath,
    docs_src::versions::library(Versions::in_path("2026-11-01")).module(shelves::module())
);

#[doyen_test::test(sqlite)]
async fn the_path_selects_a_version(library: InPath) {
    let old = json!({"title": "T", "author": "A"});
    let add = |prefix: &str| {
        let call = library.post(format!("{prefix}/books"));
        call.json(&old).send()
    };
    let older = add("/2026-06-01").await.expect(200);
    assert_eq!(older.json(), old);
    assert_eq!(older.header("api-version"), Some("2026-06-01"));
    assert!(older.header("deprecation").is_some());
    add("/2026-11-01").await.expect_problem(422, "invalid");
    add("").await.expect_problem(422, "invalid");
    add("/2026-01-01").await.expect_problem(410, "version_gone");
    // An unknown one is a path like any other.
    for unknown in ["/1999-01-01", "/v2"] {
        let nowhere = add(unknown).await.expect_problem(404, "not_found");
        assert_eq!(nowhere.text_at("/type"), "/problems/not_found");
    }
    add("/2026-06-01/2026-06-01")
        .await
        .expect_problem(404, "not_found");
}

#[doyen_test::test(sqlite)]
async fn links_stay_in_the_version_of_the_path(library: InPath) {
    for (prefix, own) in [("", ""), ("/2026-06-01", "/2026-06-01")] {
        let added = library.post(format!("{prefix}/shelves/a")).send().await;
        let added = added.expect(201);
        assert_eq!(added.location(), format!("{own}/shelves/a"));
        assert_eq!(added.text_at("/_links/self/href"), added.location());
        library.get(added.location()).send().await.expect(200);
    }
    let document = library.get("/openapi.json?version=2026-06-01");
    let document = document.send().await.expect(200);
    assert_eq!(document.text_at("/servers/0/url"), "/2026-06-01");
}
