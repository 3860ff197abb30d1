//! `docs/guide/traces.md`

use doyen_test::{Reply, Setup, UpstreamServer};
use serde_json::json;

use super::subject;

subject!(Shop, docs_src::traces::app());

#[doyen_test::test(sqlite)]
async fn a_request_is_exported_and_its_trace_goes_on(shop: Shop) {
    let (collector, warehouse) = (UpstreamServer::start(), UpstreamServer::start());
    warehouse.always(Reply::json(&json!(7)));
    let setup = Setup::new()
        .set("otlp.endpoint", &collector.url())
        .set("otlp.interval", "10ms")
        .set("outbound.warehouse.url", &warehouse.url());
    let app = shop.another(setup).await;

    let answer = app.get("/articles/1").send().await.expect(200);
    let article = answer.json();
    assert_eq!(article["name"], "tea");
    assert_eq!(article["pieces"], 7);
    let trace = article["trace"].as_str().unwrap();
    // The other service continues the trace, which is sampled outside of production.
    let requests = warehouse.requests();
    let parent = requests[0].header("traceparent").unwrap();
    assert_eq!(&parent[3..35], trace);
    assert_eq!(&parent[53..], "01");

    let exported = collector.received(1).await;
    assert_eq!(exported[0].target, "/v1/traces");
    let body = String::from_utf8_lossy(&exported[0].body);
    for part in ["GET /articles/{number}", "GET warehouse", "db.query.text"] {
        assert!(body.contains(part), "{part}");
    }
    app.get("/articles/2").send().await.expect(404);
}

#[doyen_test::test(sqlite)]
async fn without_a_collector_the_flag_is_not_set(shop: Shop) {
    let warehouse = UpstreamServer::start();
    warehouse.always(Reply::json(&json!(7)));
    let setup = Setup::new().set("outbound.warehouse.url", &warehouse.url());
    let app = shop.another(setup).await;
    app.get("/articles/1").send().await.expect(200);
    let requests = warehouse.requests();
    assert!(requests[0].header("traceparent").unwrap().ends_with("-00"));
}
