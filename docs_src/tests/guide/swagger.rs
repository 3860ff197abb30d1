//! `docs/guide/document.md`: Swagger UI.

use std::path::Path;

use super::{of, subject};

subject!(Pages, of(docs_src::swagger::module(Path::new("swagger"))));

#[doyen_test::test(sqlite)]
async fn swagger_ui_is_a_folder_with_a_policy_and_no_outside_host(app: Pages) {
    let page = app.get("/swagger/").send().await.expect(200);
    let text = page.text();
    assert!(text.contains("./swagger-ui-bundle.js"), "{text}");
    assert!(!text.contains("http"), "{text}");
    let policy = page.header("content-security-policy").unwrap_or("");
    assert!(
        policy.contains("script-src 'self'; style-src 'self'"),
        "{page}"
    );
    let script = app.get("/swagger/init.js").send().await.expect(200);
    assert!(script.text().contains("../openapi.json"), "{script}");
    app.get("/openapi.json").send().await.expect(200);
    // The page of Doyen stays.
    app.get("/docs").send().await.expect(200);
}
