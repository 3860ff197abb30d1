//! `docs/guide/bodies.md`

use serde_json::{Value, json};

use super::{of, subject};

subject!(Orders, of(docs_src::body::module()));

#[doyen_test::test(sqlite)]
async fn a_valid_body_is_parsed(orders: Orders) {
    let body = json!({"mail": "ada@example.com", "lines": [{"article": "TE-100", "quantity": 2}]});
    let answer = orders.post("/orders").json(&body).send().await.expect(200);
    assert_eq!(
        answer.json(),
        json!({"mail": "ada@example.com", "articles": ["TE-100"], "pieces": 2, "note": null})
    );
}

#[doyen_test::test(sqlite)]
async fn all_errors_are_reported_at_once(orders: Orders) {
    let body = json!({"mail": "ada", "lines": [{"article": "tea", "quantity": "2"}], "notes": ""});
    let answer = orders
        .post("/orders")
        .json(&body)
        .send()
        .await
        .expect_problem(422, "invalid");
    let expected = [
        "/lines/0/article pattern",
        "/lines/0/quantity type",
        "/mail email",
        "/notes unknown_field",
    ];
    assert_eq!(answer.failures(), expected);
}

#[doyen_test::test(sqlite)]
async fn invalid_json_has_its_own_code(orders: Orders) {
    let send = |media_type: &str, text: &str| orders.post("/orders").body(media_type, text).send();
    assert_eq!(
        send("application/json", "{").await.expect(400).status(),
        400
    );
    send("text/plain", "{}")
        .await
        .expect_problem(415, "unsupported_media_type");
    let long = format!("\"{}\"", "x".repeat(1 << 20));
    send("application/json", &long)
        .await
        .expect_problem(413, "body_too_large");
}

#[doyen_test::test(sqlite)]
async fn the_document_has_the_same_limits(orders: Orders) {
    let schemas = &orders.document()["components"]["schemas"];
    assert_eq!(schemas["NewOrder"]["properties"]["lines"]["maxItems"], 20);
    assert_eq!(schemas["Line"]["properties"]["quantity"]["maximum"], 100);
    assert_eq!(schemas["NewOrder"]["additionalProperties"], false);
}

subject!(Prices, of(docs_src::own_types::module()));

#[doyen_test::test(sqlite)]
async fn a_type_parses_itself(prices: Prices) {
    let cut = |sku: &str, percent: u32| {
        prices
            .post(format!("/articles/{sku}/discount"))
            .json(&json!({"discount": percent}))
            .send()
    };
    assert_eq!(
        cut("TE-100", 20).await.expect(200).json(),
        json!({"sku": "TE-100", "discount": 20})
    );
    let both = cut("tea", 101).await.expect_problem(422, "invalid");
    assert_eq!(both.failures(), ["/discount range", "/sku pattern"]);
    let own = cut("XX-100", 20).await.expect_problem(422, "invalid");
    assert!(
        own.text_at("/errors/0/message").contains("for tests"),
        "{own}"
    );
}

subject!(Hotel, of(docs_src::rules::module()));

#[doyen_test::test(sqlite)]
async fn rules_of_your_own(hotel: Hotel) {
    let book = |guest: &str, from: u32, to: u32, room: u32| {
        hotel
            .post("/bookings")
            .json(&json!({"guest": guest, "from_day": from, "to_day": to, "room": room}))
            .send()
    };
    assert_eq!(book("Ada", 3, 5, 12).await.expect(200).at("/nights"), 2);
    assert_eq!(
        book("ADA", 3, 5, 12).await.expect(422).failures(),
        ["/guest shouting"]
    );
    assert_eq!(
        book("Ada", 5, 3, 12).await.expect(422).failures(),
        ["/to_day order"]
    );
    assert_eq!(
        book("Ada", 3, 5, 13).await.expect(422).failures(),
        ["/room taken"]
    );
    assert_eq!(
        book("ADA", 5, 3, 13).await.expect(422).failures(),
        ["/guest shouting"],
        "one after the other"
    );
}

subject!(Tasks, of(docs_src::merge_patch::module()));

#[doyen_test::test(sqlite)]
async fn left_out_null_and_a_value(tasks: Tasks) {
    let edit = |body: Value| {
        tasks
            .patch("/task")
            .if_match("\"7\"")
            .merge_patch(&body)
            .send()
    };
    let answer = edit(json!({"title": "Water the garden"})).await.expect(200);
    assert_eq!(
        (answer.at("/title"), answer.at("/due").is_null()),
        (json!("Water the garden"), false)
    );
    assert_eq!(answer.etag(), "\"8\"");
    let answer = edit(json!({"due": null})).await.expect(200);
    assert_eq!(
        (answer.at("/title"), answer.at("/due")),
        (json!("Water the plants"), Value::Null)
    );
    assert_eq!(answer.at("/labels"), json!(["garden"]));
    let answer = edit(json!({"labels": null})).await.expect(200);
    assert_eq!(answer.at("/labels"), json!([]));
    assert_eq!(
        edit(json!({"title": null})).await.expect(422).failures(),
        ["/title null"]
    );
}

#[doyen_test::test(sqlite)]
async fn an_edit_names_the_version_it_saw(tasks: Tasks) {
    let body = json!({"title": "x"});
    tasks
        .patch("/task")
        .merge_patch(&body)
        .send()
        .await
        .expect_problem(428, "precondition_required");
    let stale = tasks
        .patch("/task")
        .if_match("\"6\"")
        .merge_patch(&body)
        .send()
        .await;
    stale.expect_problem(412, "precondition_failed");
}
