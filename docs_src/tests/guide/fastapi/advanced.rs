//! Chapters of the advanced user guide that have no other place.

use docs_src::fastapi::*;
use doyen_test::Setup;
use serde_json::json;

use super::{Chapters, get, sent};

#[doyen_test::test(sqlite)]
async fn operations_are_configured(chapters: Chapters) {
    let app = chapters.with(operation_id::module()).await;
    get(&app, "/items/").await;
    let operation = &app.document()["paths"]["/items/"]["get"];
    assert_eq!(operation["operationId"], "some_specific_id_you_define");

    let app = chapters.with(operation_hidden::module()).await;
    assert_eq!(get(&app, "/items/").await, json!([{"item_id": "Foo"}]));
    assert!(app.document()["paths"].get("/items/").is_none());

    let app = chapters.with(operation_extra::module()).await;
    get(&app, "/items/").await;
    let operation = &app.document()["paths"]["/items/"]["get"];
    assert_eq!(operation["x-aperture-labs-portal"], "blue");

    let app = chapters.with(operation_raw_body::module()).await;
    let call = app
        .post("/items/")
        .body("application/x-magic", "this is actually not validated");
    assert_eq!(sent(call).await["size"], 30);
    let body = &app.document()["paths"]["/items/"]["post"]["requestBody"];
    let schema = &body["content"]["application/x-magic"]["schema"];
    assert_eq!(schema["required"], json!(["name", "price"]));

    let app = chapters.app(generate_clients::app, &[]).await;
    get(&app, "/items/").await;
    let paths = &app.document()["paths"];
    let id = |path: &str, method: &str| paths[path][method]["operationId"].clone();
    assert_eq!(id("/items/", "post"), "items_create_item");
    assert_eq!(id("/items/", "get"), "items_list_items");
    assert_eq!(id("/users/", "post"), "users_create_user");
}

#[doyen_test::test(sqlite)]
async fn the_document_is_extended(chapters: Chapters) {
    let app = chapters.app(extending_openapi::app, &[]).await;
    get(&app, "/items/").await;
    let info = &app.document()["info"];
    assert_eq!(info["title"], "Custom title");
    assert_eq!(info["version"], "2.5.0");
    assert_eq!(info["x-logo"]["url"], "https://example.com/logo.png");

    let app = chapters.with(callbacks::module()).await;
    let invoice = json!({"id": "fooinvoice", "customer": "John", "total": 5.3});
    let call = app.post("/invoices/").json(&invoice);
    assert_eq!(sent(call).await, json!({"msg": "Invoice received"}));
    let callbacks = &app.document()["paths"]["/invoices/"]["post"]["callbacks"];
    let url = "{$request.query.callback_url}/invoices/{$request.body#/id}";
    assert!(
        callbacks["invoice_notification"][url]["post"].is_object(),
        "{callbacks}"
    );

    let app = chapters.app(openapi_webhooks::app, &[]).await;
    get(&app, "/users/").await;
    let webhook = &app.document()["webhooks"]["new-subscription"]["post"];
    assert!(webhook["requestBody"].is_object(), "{webhook}");

    let app = chapters
        .app(proxy_servers::app, &[("server.root_path", "/api/v1")])
        .await;
    get(&app, "/app").await;
    let servers = &app.document()["servers"];
    assert_eq!(servers[0]["url"], "https://stag.example.com");
    assert_eq!(servers[1]["description"], "Production environment");
}

#[doyen_test::test(sqlite)]
async fn functions_surround_routes(chapters: Chapters) {
    let app = chapters.app(middleware_time::app, &[]).await;
    let hello = app.get("/").send().await.expect(200);
    assert!(hello.header("x-process-micros").is_some(), "{hello}");
    let missing = app.get("/nothing").send().await.expect(404);
    assert!(missing.header("x-process-micros").is_some(), "{missing}");

    let app = chapters.with(route_around::module()).await;
    let timed = app.get("/timed").send().await.expect(200);
    assert!(timed.header("x-response-micros").is_some(), "{timed}");
    let other = app.get("/").send().await.expect(200);
    assert_eq!(other.header("x-response-micros"), None);
}

#[doyen_test::test(sqlite)]
async fn middleware_of_fastapi_is_a_setting_or_built_in(chapters: Chapters) {
    let setup = Setup::new().module(hello::module());
    let setup = setup.set("server.cors_origins", "https://localhost.tiangolo.com");
    let setup = setup.set("server.cors_credentials", "true");
    let app = chapters
        .another(setup.set("server.hosts", "example.com,*.example.com"))
        .await;
    let from = |host: &str| app.get("/").header("host", host);
    let call = from("example.com").header("origin", "https://localhost.tiangolo.com");
    let hello = call.send().await.expect(200);
    let allowed = hello.header("access-control-allow-origin");
    assert_eq!(allowed, Some("https://localhost.tiangolo.com"));
    let credentials = hello.header("access-control-allow-credentials");
    assert_eq!(credentials, Some("true"));
    from("a.example.com").send().await.expect(200);
    // FastAPI answers 400.
    let server = app.serve().await;
    let other = "GET / HTTP/1.1\r\nHost: other.example.org\r\nConnection: close\r\n\r\n";
    let other = server.exchange(other).await;
    assert!(other.starts_with("HTTP/1.1 421 "), "{other}");
}

#[doyen_test::test(sqlite)]
async fn the_request_itself(chapters: Chapters) {
    let app = chapters.with(client_address::module()).await;
    let call = app.get("/items/foo").from_address([192, 0, 2, 7]);
    let item = sent(call).await;
    assert_eq!(item, json!({"client_host": "192.0.2.7", "item_id": "foo"}));

    let app = chapters.with(whole_request::module()).await;
    let call = app.post("/describe").body("text/plain", "x");
    assert_eq!(
        sent(call).await,
        json!({"method": "POST", "path": "/describe"})
    );
}

#[doyen_test::test(sqlite)]
async fn files_pages_and_other_applications(chapters: Chapters) {
    let folder = std::env::temp_dir().join(format!("doyen-pages-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("index.html"), "<h1>Home</h1>").unwrap();
    std::fs::write(folder.join("a.txt"), "a").unwrap();

    let app = chapters.with(static_files::module(folder.clone())).await;
    assert_eq!(
        app.get("/static/a.txt").send().await.expect(200).text(),
        "a"
    );
    app.get("/static/b.txt").send().await.expect(404);

    let app = chapters.with(frontend::module(folder.clone())).await;
    for path in ["/", "/dashboard/settings"] {
        let page = app.get(path).send().await.expect(200);
        assert_eq!(page.text(), "<h1>Home</h1>");
    }
    app.get("/missing.js").send().await.expect(404);
    std::fs::remove_dir_all(&folder).unwrap();

    let app = chapters.with(templates::module()).await;
    let page = app.get("/items/foo").send().await.expect(200);
    let html = r#"<h1><a href="/items/foo">Item ID: foo</a></h1>"#;
    assert_eq!(page.text(), html);
    let page = app.get("/items/%3Cb%3E").send().await.expect(200);
    assert!(page.text().contains("&lt;b&gt;"), "{page}");

    let app = chapters.with(sub_application::module()).await;
    let main = get(&app, "/app").await;
    assert_eq!(main, json!({"message": "Hello World from main app"}));
    let sub = app.get("/subapi/sub").send().await.expect(200);
    assert_eq!(sub.text(), "Hello World from sub API");
}
