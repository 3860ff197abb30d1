//! `docs/guide/types.md`: exact decimals.

use serde_json::json;

use super::subject;

subject!(Prices, docs_src::decimals::app());

#[doyen_test::test]
async fn decimals_are_exact_from_the_request_to_the_column_and_back(app: Prices) {
    let set = |article: &str, amount: &str, discount: Option<&str>| {
        let new = json!({"article": article, "amount": amount, "discount": discount});
        app.post("/prices").json(&new).send()
    };
    // No double holds any of them.
    let long = "0.1234567890123456789012345678";
    for (article, amount) in [("a", "0.1"), ("b", "0.2"), ("long", long)] {
        let made = set(article, amount, Some("-0.05")).await.expect(200);
        assert_eq!(made.text_at("/amount"), amount);
        assert_eq!(made.text_at("/discount"), "-0.05");
    }
    let total = app.get("/prices/total").send().await.expect(200);
    assert_eq!(total.json(), "0.4234567890123456789012345678");
    // Equal numbers are found, however they are written.
    set("c", "12.50", None).await.expect(200);
    for amount in ["12.5", "12.50", "12.500"] {
        let found = app.get(format!("/prices?amount={amount}")).send().await;
        let article = json!([{"article": "c", "amount": "12.5", "discount": null}]);
        assert_eq!(found.expect(200).json(), article);
    }
    let rows = app
        .rows("SELECT amount FROM prices WHERE article = 'c'", [])
        .await;
    assert_eq!(rows[0]["amount"], "12.5");
}

#[doyen_test::test(sqlite)]
async fn a_number_or_another_spelling_is_refused(app: Prices) {
    for (amount, code) in [
        (json!(12.5), "type"),
        (json!("12,50"), "format"),
        (json!("1e3"), "format"),
        (json!("0.12345678901234567890123456789"), "format"),
        // The limits are exact: a double cannot tell the last one from the maximum.
        (json!("0.00"), "range"),
        (json!("1000000"), "range"),
        (json!("999999.9900000000000000000001"), "range"),
    ] {
        let new = json!({"article": "a", "amount": amount, "discount": null});
        let refused = app.post("/prices").json(&new).send().await;
        let refused = refused.expect_problem(422, "invalid");
        assert_eq!(refused.failures(), [format!("/amount {code}")]);
    }
    let schema = app.document()["components"]["schemas"]["Price"]["properties"]["amount"].clone();
    assert_eq!(
        (&schema["type"], &schema["format"]),
        (&json!("string"), &json!("decimal"))
    );
    let schemas = &app.document()["components"]["schemas"];
    let schema = &schemas["PriceInput"]["properties"]["amount"];
    assert_eq!(schema["formatExclusiveMinimum"], "0");
    assert_eq!(schema["formatMaximum"], "999999.99");
    let largest = json!({"article": "a", "amount": "999999.99", "discount": null});
    let made = app.post("/prices").json(&largest).send().await;
    made.expect(200);
}

#[doyen_test::test]
async fn a_column_in_another_form_is_an_error_and_not_another_number(app: Prices) {
    let sql = "INSERT INTO prices (article, amount) VALUES ('a', '12.50')";
    app.execute(sql, []).await;
    let read = app.get("/prices/total").send().await;
    read.expect_problem(500, "internal");
}
