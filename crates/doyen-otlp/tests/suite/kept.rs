//! Which requests are exported: by share, by the flag of the caller, and always if they failed or
//! were slow.

use doyen::web::Body;
use doyen_test::UpstreamServer;
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;

use crate::app::{Shop, exporting};
use crate::receiver::{spans, until};

#[doyen_test::test]
async fn errors_and_slow_requests_are_kept_when_nothing_is_sampled(shop: Shop) {
    let collector = UpstreamServer::start();
    let setup = exporting(&collector)
        .set("otlp.sample", "0")
        .set("otlp.slow", "50ms")
        .set("jobs.poll_interval", "20ms");
    let shop = shop.with(setup).await;
    for _ in 0..20 {
        shop.get("/quick").send().await.expect(204);
        shop.get("/nothing-here").send().await.expect(404);
    }
    shop.get("/fails").send().await.expect(500);
    shop.get("/panics").send().await.expect(500);
    shop.post("/unprintable").send().await.expect(204);
    shop.get("/slow").send().await.expect(204);
    until(&collector, "GET /slow", 1).await;
    until(&collector, "process orders.print_label", 1).await;
    let spans = until(&collector, "GET /panics", 1).await;

    let roots = spans
        .iter()
        .filter(|one| one.attribute("doyen.request.id").is_some());
    let mut roots: Vec<_> = roots.map(|one| one.span.name.as_str()).collect();
    roots.sort_unstable();
    assert_eq!(roots, ["GET /fails", "GET /panics", "GET /slow"]);
    for name in ["GET /fails", "GET /panics", "process orders.print_label"] {
        let span = spans.iter().find(|one| one.span.name == name).unwrap();
        let status = span.span.status.as_ref().unwrap();
        assert_eq!(status.code(), StatusCode::Error, "{name}");
        assert!(span.attribute("error.type").is_some(), "{name}");
        // It was kept, and not sampled.
        assert_eq!(span.span.flags & 1, 0, "{name}");
    }
    let slow = spans
        .iter()
        .find(|one| one.span.name == "GET /slow")
        .unwrap();
    assert_eq!(slow.span.status, None);
}

#[doyen_test::test(sqlite)]
async fn the_flag_of_the_caller_decides(shop: Shop) {
    let collector = UpstreamServer::start();
    let shop = shop
        .with(exporting(&collector).set("otlp.sample", "1"))
        .await;
    let traced = |id: u32, flag: &str| {
        let parent = format!("00-{id:032x}-b7ad6b7169203331-{flag}");
        shop.get("/quick").header("traceparent", &parent).send()
    };
    traced(1, "00").await.expect(204);
    traced(2, "01").await.expect(204);
    shop.get("/quick").send().await.expect(204);
    let spans = until(&collector, "GET /quick", 2).await;
    let ids = spans.iter().map(|one| &one.span.trace_id);
    assert!(ids.clone().all(|id| *id != 1u128.to_be_bytes()));
    assert!(ids.clone().any(|id| *id == 2u128.to_be_bytes()));
}

#[doyen_test::test(sqlite)]
async fn a_record_is_bounded(shop: Shop) {
    let collector = UpstreamServer::start();
    let setup = exporting(&collector).allow_repeated_statements();
    let shop = shop.with(setup).await;
    shop.get("/many/1000").send().await.expect(204);
    let all = until(&collector, "GET /many/{count}", 1).await;
    let root = all
        .iter()
        .find(|one| one.span.name == "GET /many/{count}")
        .unwrap();
    let dropped: usize = root
        .attribute("doyen.spans.dropped")
        .unwrap()
        .parse()
        .unwrap();
    let kept = all.iter().filter(|one| one.span.name == "SELECT").count();
    assert_eq!(kept + dropped, 1000);
    assert!((100..=256).contains(&kept), "{kept}");
    assert_eq!(shop.dropped("traces", "request_full").await, dropped as u64);
}

#[doyen_test::test(sqlite)]
async fn without_a_collector_nothing_is_observed(shop: Shop) {
    let collector = UpstreamServer::start();
    shop.get("/quick").send().await.expect(204);
    let off = exporting(&collector).set("otlp.traces", "false");
    let off = shop.with(off).await;
    off.get("/quick").send().await.expect(204);
    let on = shop.with(exporting(&collector)).await;
    on.get("/quick").send().await.expect(204);
    until(&collector, "GET /quick", 1).await;
    let requests = spans(&collector);
    let count = requests
        .iter()
        .filter(|one| one.span.name == "GET /quick")
        .count();
    assert_eq!(count, 1);
}

#[doyen_test::test(sqlite)]
async fn the_share_is_changed_while_the_application_runs(shop: Shop) {
    let collector = UpstreamServer::start();
    let shop = shop
        .with(exporting(&collector).set("otlp.sample", "0"))
        .await;
    let put = async |body: &'static str| {
        let request = http::Request::put("/otlp/sample").header("content-type", "application/json");
        let request = request.body(Body::whole(body)).unwrap();
        let admin = shop.runtime().admin().unwrap();
        Box::pin(admin.handle(request, None))
            .await
            .status()
            .as_u16()
    };
    shop.get("/quick").send().await.expect(204);
    assert_eq!(put("{\"sample\": 1.5}").await, 422);
    assert_eq!(put("{\"sample\": 1}").await, 200);
    shop.get("/slow").send().await.expect(204);
    let spans = until(&collector, "GET /slow", 1).await;
    assert!(spans.iter().all(|one| one.span.name != "GET /quick"));
    // It is not a route of the public address.
    shop.get("/otlp/sample").send().await.expect(404);
}

#[doyen_test::test(sqlite)]
async fn a_request_that_is_given_up_has_a_span(shop: Shop) {
    let collector = UpstreamServer::start();
    let shop = shop.with(exporting(&collector)).await;
    let request = http::Request::get("/slow").body(Body::empty()).unwrap();
    let service = shop.service().clone();
    let given_up = tokio::time::timeout(
        std::time::Duration::from_millis(10),
        Box::pin(service.handle(request, None)),
    );
    assert!(given_up.await.is_err());
    let spans = until(&collector, "HTTP", 1).await;
    let span = spans.iter().find(|one| one.span.name == "HTTP").unwrap();
    assert_eq!(span.attribute("error.type").as_deref(), Some("cancelled"));
}
