//! `docs/guide/strictness.md`: names in camel case.

#![allow(missing_docs, reason = "a test")]

use doyen_test::{Subject, TestApp};
use serde_json::json;

struct Shop(TestApp);

impl Subject for Shop {
    fn app() -> doyen::App {
        names::app()
    }
    fn new(app: TestApp) -> Self {
        Self(app)
    }
}

#[doyen_test::test(sqlite)]
async fn fields_of_all_types_have_the_case_of_the_crate(shop: Shop) {
    for shipping in [
        json!({"kind": "by_mail", "postalCode": "8000"}),
        json!({"kind": "pick_up", "shopId": 3}),
    ] {
        let order = json!({"articleNumber": 7, "shipping": shipping, "gift_note": null});
        let call = shop.0.post("/customers/1/orders?dryRun=true").json(&order);
        assert_eq!(call.send().await.expect(200).json(), order);
    }
    let order = json!({"article_number": 7, "shipping": {"kind": "pick_up", "shopId": "x"}});
    let call = shop.0.post("/customers/x/orders?dry_run=1").json(&order);
    let refused = call.send().await.expect_problem(422, "invalid");
    assert_eq!(
        refused.failures(),
        [
            "/articleNumber required",
            "/article_number unknown_field",
            "/customer_id type",
            "/dry_run unknown_parameter",
            "/shipping/shopId type"
        ]
    );
    let customer = shop.0.get("/customers/1").send().await.expect(200);
    assert_eq!(customer.json(), json!({"FullName": "Customer 1"}));
}

#[doyen_test::test(sqlite)]
async fn the_document_has_the_same_names(shop: Shop) {
    let document = shop.0.document();
    let properties = &document["components"]["schemas"]["Order"]["properties"];
    assert!(properties["articleNumber"].is_object(), "{properties}");
    let place = &document["paths"]["/customers/{customer_id}/orders"]["post"];
    let parameters = place["parameters"].as_array().unwrap();
    let names: Vec<&str> = parameters
        .iter()
        .map(|one| one["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["customer_id", "dryRun", "x-client-name"]);
}
