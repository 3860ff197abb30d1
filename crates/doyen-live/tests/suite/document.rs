//! The contract: OpenAPI for streams, AsyncAPI for sockets; and mistakes in settings.

use doyen::settings::Loader;
use doyen_test::Subject as _;

use crate::kit::Shop;

#[doyen_test::test(sqlite)]
async fn a_stream_is_in_the_openapi_document(app: Shop) {
    let document = app.document();
    let operation = &document["paths"]["/orders/{order}/events"]["get"];
    let content = &operation["responses"]["200"]["content"]["text/event-stream"]["schema"];
    assert_eq!(
        content["contentSchema"]["$ref"],
        "#/components/schemas/OrderView"
    );
    let parameters = operation["parameters"].as_array().unwrap();
    assert!(
        parameters.iter().any(|one| one["name"] == "Last-Event-ID"),
        "{operation}"
    );
    assert!(operation["responses"]["429"].is_object(), "{operation}");
    assert!(
        document["paths"]["/socket"].is_null(),
        "AsyncAPI describes the socket"
    );
}

#[doyen_test::test(sqlite)]
async fn a_socket_is_in_the_asyncapi_document(app: Shop) {
    let answer = app.get("/asyncapi.json").send().await.expect(200);
    let document: serde_json::Value = serde_json::from_str(&answer.text()).unwrap();
    assert_eq!(document["asyncapi"], "3.0.0");
    let channel = &document["channels"]["orders_socket"];
    assert_eq!(channel["address"], "/socket");
    let protocol = &channel["bindings"]["ws"]["headers"]["properties"]["Sec-WebSocket-Protocol"];
    assert_eq!(protocol["const"], "orders.v1");
    assert_eq!(
        document["operations"]["orders_socket_receive"]["action"],
        "receive"
    );
    assert_eq!(
        document["operations"]["orders_socket_send"]["action"],
        "send"
    );
    for (message, variant) in [("fromClient", "subscribe"), ("fromServer", "subscribed")] {
        let payload = &channel["messages"][message]["payload"];
        let name = payload["$ref"]
            .as_str()
            .unwrap()
            .rsplit('/')
            .next()
            .unwrap()
            .to_owned();
        let schema = document["components"]["schemas"][&name].to_string();
        assert!(schema.contains(&format!("\"{variant}\"")), "{schema}");
    }
    assert!(document["components"]["schemas"]["OrderView"].is_object());
    assert_eq!(document["x-connection-tokens"], "/live/tokens");
}

#[tokio::test]
async fn a_wrong_origin_is_refused_at_the_start() {
    let loader = Loader::new("APP")
        .set("database.url", "sqlite://never-opened.db")
        .set("live.origins", "example.com");
    let built = Shop::app().build(loader, doyen::Overrides::default());
    let error = built.map(drop).unwrap_err().to_string();
    assert!(error.contains("live.origins"), "{error}");
    assert!(error.contains("https://app.example.com"), "{error}");
}
