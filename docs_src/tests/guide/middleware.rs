//! `docs/guide/middleware.md`

use super::subject;

subject!(Shop, docs_src::middleware::app());

const TOKEN: (&str, &str) = ("x-token", "fake-super-secret-token");

#[doyen_test::test(sqlite)]
async fn layers_and_guards_surround_the_order(shop: Shop) {
    let answer = shop
        .post("/orders")
        .header(TOKEN.0, TOKEN.1)
        .send()
        .await
        .expect(204);
    assert_eq!(answer.header("x-order-number"), Some("1"));
    assert_eq!(answer.header("server"), Some("tea shop"));
    let call = shop.post("/orders").header(TOKEN.0, TOKEN.1);
    let night = call.header("x-night", "1").send().await;
    night.expect_problem(503, "shop_closed");
    shop.post("/orders")
        .send()
        .await
        .expect_problem(403, "wrong_token");
}

#[doyen_test::test(sqlite)]
async fn other_routes_have_only_the_layer_of_the_application(shop: Shop) {
    let answer = shop.get("/hours").send().await.expect(200);
    assert_eq!(answer.header("x-order-number"), None);
    let answer = shop
        .get("/nothing")
        .send()
        .await
        .expect_problem(404, "not_found");
    assert_eq!(answer.header("server"), Some("tea shop"));
}

#[doyen_test::test(sqlite)]
async fn the_document_has_what_they_read_and_return(shop: Shop) {
    let order = &shop.document()["paths"]["/orders"]["post"];
    assert_eq!(order["parameters"][0]["name"], "X-Token");
    let text = order["responses"].to_string();
    assert!(
        text.contains("shop_closed") && text.contains("wrong_token"),
        "{text}"
    );
    let hours = shop.document()["paths"]["/hours"]["get"].to_string();
    assert!(
        !hours.contains("X-Token") && !hours.contains("shop_closed"),
        "{hours}"
    );
}
