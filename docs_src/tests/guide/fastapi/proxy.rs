//! Behind a proxy that removes a prefix from each path.

use docs_src::fastapi::behind_proxy;
use doyen::web::Versions;
use doyen_test::{Setup, Subject, TestApp};
use serde_json::json;

struct Library(TestApp);

impl Subject for Library {
    fn app() -> doyen::App {
        behind_proxy::app()
    }
    fn setup() -> Setup {
        Setup::new().set("server.root_path", "/api/v1")
    }
    fn new(app: TestApp) -> Self {
        Self(app)
    }
}

#[doyen_test::test(sqlite)]
async fn local_urls_of_responses_have_the_prefix(library: Library) {
    let app = &library.0;
    let added = app.post("/shelves/a").send().await.expect(201);
    assert_eq!(added.location(), "/api/v1/shelves/a");
    assert_eq!(added.text_at("/_links/self/href"), "/api/v1/shelves/a");
    // The kit removes the prefix, as the proxy does.
    app.get(added.location()).send().await.expect(200);
    let list = app.get("/shelves?limit=1").send().await.expect(200);
    let own = "/api/v1/shelves?limit=1";
    assert_eq!(list.text_at("/_links/self/href"), own);
    assert_eq!(
        list.text_at("/items/0/_links/self/href"),
        "/api/v1/shelves/a"
    );
    let link = list.header("link").unwrap_or("");
    assert!(
        link.starts_with(&format!("<{own}>; rel=\"self\"")),
        "{link}"
    );
    let first = app.get("/first").send().await.expect(303);
    assert_eq!(first.header("location"), Some("/api/v1/shelves/a"));
    let slash = app.get("/shelves/?limit=1").send().await.expect(307);
    assert_eq!(slash.header("location"), Some(own));
}

#[doyen_test::test(sqlite)]
async fn problems_the_document_and_its_page_have_the_prefix(library: Library) {
    let app = &library.0;
    let missing = app.get("/nothing").send().await;
    let missing = missing.expect_problem(404, "not_found");
    assert_eq!(missing.text_at("/type"), "/api/v1/problems/not_found");
    assert_eq!(missing.text_at("/instance"), "/api/v1/nothing");
    let page = app.get(missing.text_at("/type")).send().await.expect(200);
    assert!(page.text().contains("href=\"/api/v1/docs\""), "{page}");
    assert_eq!(app.document()["servers"][0]["url"], "/api/v1");
    let docs = app.get("/docs").send().await.expect(200);
    let docs = docs.text();
    assert!(docs.contains("content=\"/api/v1/openapi.json\""), "{docs}");
    assert!(
        docs.contains("src=\"/api/v1/docs/assets/docs.js\""),
        "{docs}"
    );
    assert!(!docs.contains("=\"/docs"), "{docs}");
    app.get("/api/v1/docs/assets/docs.js")
        .send()
        .await
        .expect(200);
}

struct Versioned(TestApp);

impl Subject for Versioned {
    fn app() -> doyen::App {
        behind_proxy::app().versions(Versions::in_path("2026-11-01"))
    }
    fn setup() -> Setup {
        Setup::new().set("server.root_path", "/api")
    }
    fn new(app: TestApp) -> Self {
        Self(app)
    }
}

#[doyen_test::test(sqlite)]
async fn the_version_of_a_path_follows_the_prefix(library: Versioned) {
    let added = library.0.post("/2026-11-01/shelves/a").send().await;
    let added = added.expect(201);
    assert_eq!(added.location(), "/api/2026-11-01/shelves/a");
    assert_eq!(added.text_at("/_links/self/href"), added.location());
    library.0.get(added.location()).send().await.expect(200);
    let document = library.0.get("/openapi.json?version=2026-11-01");
    let document = document.send().await.expect(200);
    assert_eq!(document.at("/servers/0/url"), json!("/api/2026-11-01"));
}

#[tokio::test]
async fn a_wrong_prefix_and_routes_below_it_are_refused_at_the_start() {
    use doyen::settings::{Environment, Loader};
    let refused = |root: &str| {
        let loader = Loader::new("APP")
            .env(std::iter::empty::<(String, String)>())
            .environment(Environment::Test)
            .set("database.url", "sqlite:///tmp/doyen-proxy-is-not-opened.db")
            .set("auth.signing_key", doyen_test::SIGNING_KEY)
            .set("server.root_path", root);
        match behind_proxy::app().build(loader, doyen::Overrides::default()) {
            Ok(_) => panic!("it was built"),
            Err(error) => error.to_string(),
        }
    };
    let wrong = refused("api/");
    assert!(
        wrong.contains("server.root_path") && wrong.contains("such as `/api/v1`"),
        "{wrong}"
    );
    let below = refused("/shelves");
    assert!(
        below.contains("GET /shelves/{label}: `server.root_path` is `/shelves`"),
        "{below}"
    );
}
