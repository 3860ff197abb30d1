//! Settings that are refused, and the OpenAPI document.

use std::sync::Arc;

use doyen::App;
use doyen::settings::Loader;
use doyen_test::SIGNING_KEY;
use serde_json::json;

use crate::kit::{MAX_BYTES, Unscanned, app, new_folder, send_file};

/// Starts the application with these settings, and returns the mistakes.
async fn mistakes(settings: &[(&str, &str)]) -> String {
    let url = format!("sqlite://{}.db", new_folder().display());
    let mut all = vec![
        ("DATABASE_URL", url.as_str()),
        ("APP_AUTH__SIGNING_KEY", SIGNING_KEY),
        ("APP_ENV", "prod"),
        ("APP_DATABASE__MIGRATE", "auto"),
    ];
    all.extend(settings);
    let started = app()
        .start(Loader::new("APP").env(all), doyen::Overrides::default())
        .await;
    started
        .err()
        .map(|error| error.to_string())
        .unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread")]
async fn production_refuses_files_without_a_scan() {
    let refused = mistakes(&[("APP_FILES__SCANNER", "none")]).await;
    assert!(
        refused.contains("files.scanner") && refused.contains("ACCEPT_UNSCANNED"),
        "{refused}"
    );
    let clamd = [
        ("APP_FILES__SCANNER", "clamd"),
        ("APP_FILES__CLAMD", "nowhere"),
    ];
    let refused = mistakes(&clamd).await;
    assert!(
        refused.contains("files.clamd") && refused.contains("host:port"),
        "{refused}"
    );
    let accepted = [
        ("APP_FILES__SCANNER", "none"),
        ("APP_FILES__ACCEPT_UNSCANNED", "true"),
    ];
    let started = mistakes(&accepted).await;
    assert!(!started.contains("files."), "{started}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_settings_of_a_bucket_are_checked() {
    let cases: [(&[(&str, &str)], &str); 4] = [
        (&[], "files.s3.bucket"),
        (
            &[
                ("APP_FILES__S3__BUCKET", "b"),
                ("APP_FILES__S3__ACCESS_KEY", "a"),
            ],
            "files.s3.secret_key",
        ),
        (
            &[
                ("APP_FILES__S3__BUCKET", "b"),
                ("APP_FILES__S3__SECRET_KEY", "hunter2"),
            ],
            "files.s3.access_key",
        ),
        (
            &[
                ("APP_FILES__S3__BUCKET", "b"),
                ("APP_FILES__S3__ENDPOINT", "s3.example.com"),
            ],
            "files.s3.endpoint",
        ),
    ];
    for (settings, expected) in cases {
        let all = [&[("APP_FILES__STORE", "s3")], settings].concat();
        let refused = mistakes(&all).await;
        assert!(refused.contains(expected), "{expected}: {refused}");
        assert!(!refused.contains("hunter2"), "{refused}");
    }
}

#[doyen_test::test]
async fn the_document_describes_uploads(app: Unscanned) {
    let post = &app.document()["paths"]["/files"]["post"];
    let form = &post["requestBody"]["content"]["multipart/form-data"];
    let schema = &form["schema"];
    assert_eq!(schema["required"], json!(["file"]));
    assert_eq!(schema["properties"]["file"]["maxItems"], json!(3));
    let file = &schema["properties"]["file"]["items"];
    assert_eq!(file["format"], json!("binary"));
    assert_eq!(file["maxLength"], json!(MAX_BYTES));
    assert_eq!(schema["properties"]["note"]["maxLength"], json!(100));
    let types = form["encoding"]["file"]["contentType"]
        .as_str()
        .unwrap_or_default();
    assert!(types.contains("image/png, application/pdf"), "{types}");
    for status in ["400", "413", "415", "422", "503"] {
        assert!(post["responses"][status].is_object(), "{status} is missing");
    }
    let put = &app.document()["paths"]["/image"]["put"];
    assert!(put["requestBody"]["content"]["image/png"].is_object());
    let get = &app.document()["paths"]["/files/{id}/content"]["get"];
    assert!(get["responses"]["206"].is_object() && get["responses"]["416"].is_object());
}

/// An application without files.
struct Empty(doyen_test::TestApp);

impl doyen_test::Subject for Empty {
    fn app() -> App {
        App::new("empty").without("files")
    }
    fn new(app: doyen_test::TestApp) -> Self {
        Self(app)
    }
}

#[doyen_test::test]
async fn the_plugin_keeps_its_contract(app: Empty) {
    // A default plugin.
    let setup = || doyen_test::Setup::new().edit(|_| App::new("empty"));
    doyen_test::plugin_contract::<doyen::files::FilesPlugin>(&app.0, setup).await;
}

#[doyen_test::test]
async fn figures_count_files(app: Unscanned) {
    send_file(&app, "a.txt", "text/plain", b"hello")
        .await
        .expect(201);
    send_file(&app, "a.png", "image/png", b"hello")
        .await
        .expect(422);
    let metrics = app.inject::<Arc<doyen::app::Metrics>>().await;
    let health = app.inject::<Arc<doyen::app::Health>>().await;
    let admin = metrics.render(&health).await;
    for line in [
        "files_received_total{outcome=\"accepted\"} 1",
        "files_received_total{outcome=\"refused\"} 1",
        "files_received_bytes_total 5",
        "health_check_up{check=\"files store\"} 1",
    ] {
        assert!(admin.contains(line), "{line} is missing");
    }
}
