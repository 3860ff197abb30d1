//! `docs/guide/document.md`: Swagger UI.

use doyen_test::{Setup, Subject, TestApp};

struct Greeter(TestApp);

impl Subject for Greeter {
    fn app() -> doyen::App {
        docs_src::first_steps::app()
    }
    fn setup() -> Setup {
        Setup::new()
            .set("docs.ui", "swagger_ui")
            .set("docs.document_path", "/api.json")
            .set("server.root_path", "/shop")
    }
    fn new(app: TestApp) -> Self {
        Self(app)
    }
}

#[doyen_test::test(sqlite)]
async fn swagger_ui_is_one_setting_and_loads_nothing_from_outside(app: Greeter) {
    let app = app.0;
    let page = app.get("/docs").send().await.expect(200);
    let text = page.text();
    assert!(text.contains("content=\"/shop/api.json\""), "{text}");
    assert!(!text.contains("http") && !text.contains("style="), "{text}");
    let policy = page.header("content-security-policy").unwrap_or("");
    assert!(policy.contains("script-src 'self'; style-src"), "{page}");
    app.get("/api.json").send().await.expect(200);
    // Everything that the page loads is there, below the prefix of the proxy.
    let loaded: Vec<&str> = text
        .split(['"', '\''])
        .filter_map(|part| part.strip_prefix("/shop/docs/assets/"))
        .collect();
    assert_eq!(
        loaded,
        [
            "icon.svg",
            "swagger-ui.css",
            "swagger-ui-bundle.js",
            "init.js"
        ]
    );
    for name in loaded {
        let file = app.get(format!("/docs/assets/{name}")).send().await;
        let file = file.expect(200);
        assert!(file.header("etag").is_some(), "{name}");
        if name == "init.js" {
            assert!(file.text().contains("validatorUrl: null"), "{file}");
        }
    }
    let licences = app.get("/docs/assets/swagger-ui-bundle.js.LICENSE.txt");
    assert!(licences.send().await.expect(200).text().contains("MIT"));
}
