//! `docs/guide/files.md`

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use super::{of, subject};

/// A folder with pages, which this process makes once.
fn folder() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        let folder = std::env::temp_dir().join(format!("doyen-guide-{}", std::process::id()));
        for (name, text) in [
            ("pages/index.html", "<h1>Tea</h1>"),
            ("assets/app.css", "h1 { color: green }"),
            ("invoices/7.txt", "One tea"),
            ("secret.txt", "no"),
        ] {
            let path = folder.join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        folder
    })
}

subject!(Pages, of(docs_src::files::module(folder())));

#[doyen_test::test(sqlite)]
async fn pages_and_assets_are_served_and_invoices_need_a_user(pages: Pages) {
    let answer = pages.get("/").send().await.expect(200);
    assert_eq!(
        answer.header("content-type"),
        Some("text/html; charset=utf-8")
    );
    let answer = pages.get("/assets/app.css").send().await.expect(200);
    let cache = "public, max-age=31536000, immutable";
    assert_eq!(answer.header("cache-control"), Some(cache));
    pages
        .get("/secret.txt")
        .send()
        .await
        .expect_problem(404, "not_found");
    pages
        .get("/assets/..%2Fsecret.txt")
        .send()
        .await
        .expect_problem(404, "not_found");
    pages
        .get("/invoices/7.txt")
        .send()
        .await
        .expect_problem(401, "unauthenticated");
    let responses = &pages.document()["paths"]["/invoices/{name}"]["get"]["responses"];
    for status in ["200", "206", "304", "404", "416"] {
        assert!(responses.get(status).is_some(), "{status} in {responses}");
    }
}
