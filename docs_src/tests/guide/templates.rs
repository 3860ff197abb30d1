//! `docs/guide/templates.md`

use super::subject;

subject!(Shop, docs_src::templates::app().unwrap());

#[doyen_test::test(sqlite)]
async fn a_page_is_rendered_and_every_value_escaped(shop: Shop) {
    let call = shop
        .get("/items/%3Cscript%3E'x'")
        .header("accept", "text/html,*/*");
    let page = call.send().await.expect(200);
    assert_eq!(
        page.header("content-type"),
        Some("text/html; charset=utf-8")
    );
    assert_eq!(page.header("x-content-type-options"), Some("nosniff"));
    assert!(page.header("content-security-policy").is_some(), "{page}");
    let text = page.text();
    assert!(text.starts_with("<!doctype html>"), "{text}");
    assert!(!text.contains("<script>"), "{text}");
    assert!(text.contains("&lt;script&gt;"), "{text}");
    assert!(text.contains("%3Cscript%3E"), "the typed link: {text}");
}

#[doyen_test::test(sqlite)]
async fn one_route_sends_a_page_or_json(shop: Shop) {
    let json = shop.get("/items/tea").send().await.expect(200);
    assert_eq!(json.at("/name"), "tea");
    let operation = &shop.document()["paths"]["/items/{name}"]["get"];
    let content = operation["responses"]["200"]["content"]
        .as_object()
        .unwrap();
    assert!(content.contains_key("text/html") && content.contains_key("application/json"));
}
