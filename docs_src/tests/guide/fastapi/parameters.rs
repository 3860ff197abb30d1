//! Path, query, header and cookie parameters.

use docs_src::fastapi::*;
use serde_json::json;

use super::{Chapters, get, invalid, refused, sent};

#[doyen_test::test(sqlite)]
async fn path_parameters(chapters: Chapters) {
    let app = chapters.with(path_params_text::module()).await;
    assert_eq!(get(&app, "/items/foo").await, json!({"item_id": "foo"}));

    let app = chapters.with(path_params_typed::module()).await;
    assert_eq!(get(&app, "/items/3").await, json!({"item_id": 3}));
    assert_eq!(refused(&app, "/items/foo").await, ["/item_id type"]);
    assert_eq!(refused(&app, "/items/4.2").await, ["/item_id type"]);

    let app = chapters.with(path_params_order::module()).await;
    let me = json!({"user_id": "the current user"});
    assert_eq!(get(&app, "/users/me").await, me);
    assert_eq!(get(&app, "/users/alice").await, json!({"user_id": "alice"}));

    let app = chapters.with(path_params_rest::module()).await;
    let path = "home/johndoe/myfile.txt";
    let file = get(&app, &format!("/files/{path}")).await;
    assert_eq!(file, json!({"file_path": path}));

    let app = chapters.with(path_params_enum::module()).await;
    let model = get(&app, "/models/lenet").await;
    let message = "LeCNN all the images";
    assert_eq!(model, json!({"model_name": "lenet", "message": message}));
    assert_eq!(refused(&app, "/models/foo").await, ["/model_name one_of"]);
    let schema = &app.document()["components"]["schemas"]["ModelName"]["enum"];
    assert_eq!(schema, &json!(["alexnet", "resnet", "lenet"]));
}

#[doyen_test::test(sqlite)]
async fn query_parameters(chapters: Chapters) {
    let app = chapters.with(query_params_defaults::module()).await;
    let items = json!([{"item_name": "Foo"}, {"item_name": "Bar"}, {"item_name": "Baz"}]);
    assert_eq!(get(&app, "/items/").await, items);
    let bar = get(&app, "/items/?skip=1&limit=1").await;
    assert_eq!(bar, json!([{"item_name": "Bar"}]));
    // FastAPI ignores the unknown name.
    assert_eq!(
        refused(&app, "/items/?skip=foo&x=1").await,
        ["/skip type", "/x unknown_parameter"]
    );

    let app = chapters.with(query_params_optional::module()).await;
    assert_eq!(get(&app, "/items/foo").await, json!({"item_id": "foo"}));
    let with_q = get(&app, "/items/foo?q=somequery").await;
    assert_eq!(with_q, json!({"item_id": "foo", "q": "somequery"}));

    let app = chapters.with(query_params_bool::module()).await;
    for short in ["1", "true", "on", "yes"] {
        let item = get(&app, &format!("/items/foo?short={short}")).await;
        assert_eq!(item, json!({"item_id": "foo", "q": null}));
    }
    assert!(get(&app, "/items/foo").await["description"].is_string());
    // Accepted by FastAPI; here a switch of the strictness accepts it.
    assert_eq!(
        refused(&app, "/items/foo?short=True").await,
        ["/short type"]
    );

    let app = chapters.with(query_params_several::module()).await;
    let item = get(&app, "/users/1/items/foo?q=a&short=true").await;
    assert_eq!(item, json!({"item_id": "foo", "owner_id": 1, "q": "a"}));

    let app = chapters.with(query_params_required::module()).await;
    let item = get(&app, "/items/foo?needy=very").await;
    assert_eq!(item, json!({"item_id": "foo", "needy": "very"}));
    assert_eq!(refused(&app, "/items/foo").await, ["/needy required"]);

    let app = chapters.with(query_params_mixed::module()).await;
    let item = get(&app, "/items/foo?needy=very").await;
    let all = json!({"item_id": "foo", "needy": "very", "skip": 0, "limit": null});
    assert_eq!(item, all);
    assert_eq!(
        refused(&app, "/items/foo?skip=a&limit=b").await,
        ["/limit type", "/needy required", "/skip type"]
    );
}

#[doyen_test::test(sqlite)]
async fn texts_of_the_query(chapters: Chapters) {
    let items = json!([{"item_id": "Foo"}, {"item_id": "Bar"}]);
    let all = |q: Option<&str>| json!({"items": items, "q": q});

    let app = chapters.with(query_str_plain::module()).await;
    assert_eq!(get(&app, "/items/").await, all(None));
    assert_eq!(get(&app, "/items/?q=nonquery").await, all(Some("nonquery")));

    let app = chapters.with(query_str_max::module()).await;
    assert_eq!(get(&app, "/items/?q=a").await, all(Some("a")));
    let long = format!("/items/?q={}", "a".repeat(51));
    assert_eq!(refused(&app, &long).await, ["/q length"]);

    let app = chapters.with(query_str_length::module()).await;
    assert_eq!(get(&app, "/items/?q=abc").await, all(Some("abc")));
    assert_eq!(refused(&app, "/items/?q=ab").await, ["/q length"]);

    let app = chapters.with(query_str_pattern::module()).await;
    assert_eq!(
        get(&app, "/items/?q=fixedquery").await,
        all(Some("fixedquery"))
    );
    assert_eq!(
        refused(&app, "/items/?q=nonregexquery").await,
        ["/q pattern"]
    );

    let app = chapters.with(query_str_default::module()).await;
    assert_eq!(get(&app, "/items/").await, all(Some("fixedquery")));
    assert_eq!(refused(&app, "/items/?q=a").await, ["/q length"]);

    let app = chapters.with(query_str_required::module()).await;
    assert_eq!(get(&app, "/items/?q=abc").await, all(Some("abc")));
    assert_eq!(refused(&app, "/items/").await, ["/q required"]);
}

#[doyen_test::test(sqlite)]
async fn options_of_the_query(chapters: Chapters) {
    let app = chapters.with(query_str_description::module()).await;
    get(&app, "/items/?q=abc").await;
    let q = &app.document()["paths"]["/items/"]["get"]["parameters"][0];
    let text = "Query string for the items to search in the database that have a good match.";
    assert_eq!(q["description"], text);

    let app = chapters.with(query_str_alias::module()).await;
    assert_eq!(get(&app, "/items/?item-query=a").await["q"], "a");
    // FastAPI ignores the unknown name.
    assert_eq!(refused(&app, "/items/?q=a").await, ["/q unknown_parameter"]);

    let app = chapters.with(query_str_deprecated::module()).await;
    assert_eq!(
        get(&app, "/items/?item-query=fixedquery").await["q"],
        "fixedquery"
    );
    assert_eq!(
        refused(&app, "/items/?item-query=no").await,
        ["/item-query length", "/item-query pattern"]
    );
    let q = &app.document()["paths"]["/items/"]["get"]["parameters"][0];
    assert_eq!(
        (&q["name"], &q["deprecated"]),
        (&json!("item-query"), &json!(true))
    );

    let app = chapters.with(query_str_list::module()).await;
    assert_eq!(get(&app, "/items/").await, json!({"q": null}));
    let both = get(&app, "/items/?q=foo&q=bar").await;
    assert_eq!(both, json!({"q": ["foo", "bar"]}));

    let app = chapters.with(query_str_list_default::module()).await;
    assert_eq!(get(&app, "/items/").await, json!({"q": ["foo", "bar"]}));
    assert_eq!(get(&app, "/items/?q=baz").await, json!({"q": ["baz"]}));

    let app = chapters.with(query_str_hidden::module()).await;
    assert_eq!(
        get(&app, "/items/").await,
        json!({"hidden_query": "Not found"})
    );
    let found = get(&app, "/items/?hidden_query=somevalue").await;
    assert_eq!(found, json!({"hidden_query": "somevalue"}));
    let operation = &app.document()["paths"]["/items/"]["get"];
    assert!(operation.get("parameters").is_none(), "{operation}");

    let app = chapters.with(query_str_custom::module()).await;
    let book = get(&app, "/items/?id=isbn-9781439512982").await;
    assert_eq!(book["name"], "Isaac Asimov: The Complete Stories, Vol. 2");
    assert_eq!(refused(&app, "/items/?id=wrong").await, ["/id id_format"]);
}

#[doyen_test::test(sqlite)]
async fn numbers_have_limits(chapters: Chapters) {
    let app = chapters.with(numeric_title::module()).await;
    let item = get(&app, "/items/42?item-query=a").await;
    assert_eq!(item, json!({"item_id": 42, "q": "a"}));
    let parameters = &app.document()["paths"]["/items/{item_id}"]["get"]["parameters"];
    assert_eq!(parameters[0]["description"], "The ID of the item to get.");

    let app = chapters.with(numeric_order::module()).await;
    assert_eq!(
        get(&app, "/items/5?q=a").await,
        json!({"item_id": 5, "q": "a"})
    );

    let app = chapters.with(numeric_min::module()).await;
    assert_eq!(get(&app, "/items/1?q=a").await["item_id"], 1);
    assert_eq!(refused(&app, "/items/0?q=a").await, ["/item_id range"]);

    let app = chapters.with(numeric_range::module()).await;
    assert_eq!(get(&app, "/items/1000?q=a").await["item_id"], 1000);
    for wrong in [0, 1001] {
        let path = format!("/items/{wrong}?q=a");
        assert_eq!(refused(&app, &path).await, ["/item_id range"]);
    }

    let app = chapters.with(numeric_float::module()).await;
    let item = get(&app, "/items/0?q=a&size=10.4").await;
    assert_eq!(item, json!({"item_id": 0, "q": "a", "size": 10.4}));
    for size in ["0", "10.5"] {
        let path = format!("/items/1?q=a&size={size}");
        assert_eq!(refused(&app, &path).await, ["/size range"]);
    }
}

#[doyen_test::test(sqlite)]
async fn models_of_the_query(chapters: Chapters) {
    let defaults = json!({"limit": 100, "offset": 0, "order_by": "created_at", "tags": []});
    let app = chapters.with(query_models::module()).await;
    assert_eq!(get(&app, "/items/").await, defaults);
    assert_eq!(get(&app, "/items/?tool=plumbus").await, defaults);
    let path = "/items/?limit=10&offset=5&order_by=updated_at&tags=tag1&tags=tag2";
    let set = json!({"limit": 10, "offset": 5, "order_by": "updated_at", "tags": ["tag1", "tag2"]});
    assert_eq!(get(&app, path).await, set);
    assert_eq!(
        refused(&app, "/items/?limit=0&offset=-1&order_by=invalid").await,
        ["/limit range", "/offset range", "/order_by one_of"]
    );

    let app = chapters.with(query_models_forbid::module()).await;
    assert_eq!(get(&app, path).await, set);
    let unknown = refused(&app, "/items/?tool=plumbus").await;
    assert_eq!(unknown, ["/tool unknown_parameter"]);
}

#[doyen_test::test(sqlite)]
async fn cookies_and_headers(chapters: Chapters) {
    let app = chapters.with(cookie_params::module()).await;
    assert_eq!(get(&app, "/items/").await, json!({"ads_id": null}));
    let call = app
        .get("/items/")
        .header("cookie", "ads_id=ads_track; session=x");
    assert_eq!(sent(call).await, json!({"ads_id": "ads_track"}));

    let app = chapters.with(cookie_models::module()).await;
    let call = app
        .get("/items/")
        .header("cookie", "session_id=123; fatebook_tracker=456; extra=x");
    let cookies = json!({"session_id": "123", "fatebook_tracker": "456", "googall_tracker": null});
    assert_eq!(sent(call).await, cookies);
    assert_eq!(refused(&app, "/items/").await, ["/session_id required"]);

    let app = chapters.with(header_params::module()).await;
    let call = app.get("/items/").header("user-agent", "FastAPI test");
    assert_eq!(sent(call).await, json!({"User-Agent": "FastAPI test"}));

    let app = chapters.with(header_exact::module()).await;
    let call = app.get("/items/").header("strange_header", "FastAPI test");
    assert_eq!(sent(call).await, json!({"strange_header": "FastAPI test"}));
    let call = app.get("/items/").header("strange-header", "x");
    assert_eq!(sent(call).await, json!({"strange_header": null}));

    let app = chapters.with(header_list::module()).await;
    assert_eq!(get(&app, "/items/").await, json!({"X-Token values": null}));
    let call = app
        .get("/items/")
        .header("x-token", "foo")
        .header("x-token", "bar, baz");
    assert_eq!(
        sent(call).await,
        json!({"X-Token values": ["foo", "bar", "baz"]})
    );

    let app = chapters.with(header_models::module()).await;
    let call = app
        .get("/items/")
        .header("host", "testserver")
        .header("save-data", "true");
    let call = call.header("x-tag", "one").header("tool", "hammer");
    let headers = sent(call).await;
    assert_eq!(headers["save_data"], true);
    assert_eq!(headers["x_tag"], json!(["one"]));
    let missing = invalid(app.get("/items/").header("host", "testserver")).await;
    assert_eq!(missing, ["/save-data required"]);
}
