//! A collector that is dead, slow or lying costs the telemetry and nothing else.

use std::net::TcpListener;
use std::time::Duration;

use doyen_test::{Reply, Setup, UpstreamServer};
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTracePartialSuccess, ExportTraceServiceResponse,
};
use prost::Message as _;

use crate::app::{Shop, exporting};
use crate::receiver::until;

async fn serve(shop: &Shop, requests: usize) {
    for _ in 0..requests {
        shop.get("/quick").send().await.expect(204);
    }
    // The health has no check of the collector.
    shop.get("/readyz").send().await.expect(200);
}

#[doyen_test::test]
async fn a_dead_collector_costs_only_telemetry(shop: Shop) {
    // A port that was free a moment ago.
    let port = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let setup = Setup::new()
        .set("otlp.endpoint", &format!("http://127.0.0.1:{port}"))
        .set("otlp.interval", "10ms")
        .set("otlp.queue", "64 KiB");
    let shop = shop.with(setup).await;
    serve(&shop, 500).await;
    shop.until_dropped("traces", "queue_full", 1).await;
    assert!(shop.metric("otlp_queue_bytes{signal=\"traces\"}").await <= 64 << 10);
}

#[doyen_test::test(sqlite)]
async fn a_collector_that_never_answers_costs_only_telemetry(shop: Shop) {
    let collector = UpstreamServer::start();
    collector.always(Reply::status(200).hold());
    let setup = exporting(&collector)
        .set("otlp.queue", "64 KiB")
        .set("otlp.stop_timeout", "100ms");
    let shop = shop.with(setup).await;
    serve(&shop, 500).await;
    shop.until_dropped("traces", "queue_full", 1).await;
    // The stop does not wait for the collector, and what waits is counted.
    let stopped = shop.runtime().stop();
    let stopped = tokio::time::timeout(Duration::from_secs(5), stopped).await;
    assert!(stopped.is_ok());
    assert!(shop.dropped("traces", "stopped").await > 0);
}

#[doyen_test::test(sqlite)]
async fn a_lying_collector_costs_only_telemetry(shop: Shop) {
    let huge = vec![0; 1 << 20];
    for (reply, reason) in [
        (
            Reply::garbage("\x16\x03\x01 this is not HTTP\r\n\r\n"),
            None,
        ),
        (Reply::status(500), Some("failed")),
        (Reply::status(400), Some("failed")),
        (
            Reply::redirect("http://127.0.0.1:1/v1/traces"),
            Some("failed"),
        ),
        (Reply::status(200).body("<html>ok</html>"), Some("failed")),
        (Reply::status(200).body(huge), Some("failed")),
    ] {
        let collector = UpstreamServer::start();
        collector.always(reply);
        let shop = shop
            .with(exporting(&collector).set("otlp.timeout", "200ms"))
            .await;
        serve(&shop, 5).await;
        if let Some(reason) = reason {
            shop.until_dropped("traces", reason, 5).await;
        }
        assert_eq!(
            shop.metric("otlp_exported_total{signal=\"traces\"}").await,
            0
        );
    }
}

#[doyen_test::test(sqlite)]
async fn a_busy_collector_gets_the_batch_again(shop: Shop) {
    let collector = UpstreamServer::start();
    collector.reply(Reply::status(503).header("retry-after", "0"));
    collector.reply(Reply::status(429).header("retry-after", "0"));
    let shop = shop.with(exporting(&collector)).await;
    serve(&shop, 1).await;
    let requests = collector.received(3).await;
    assert_eq!(requests[0].body, requests[1].body);
    assert_eq!(requests[0].body, requests[2].body);
    assert_eq!(shop.dropped("traces", "failed").await, 0);
}

#[doyen_test::test(sqlite)]
async fn rejected_spans_are_counted(shop: Shop) {
    for (rejected, counted) in [(1, 1), (1_000_000, 2), (-5, 0)] {
        let collector = UpstreamServer::start();
        let answer = ExportTraceServiceResponse {
            partial_success: Some(ExportTracePartialSuccess {
                rejected_spans: rejected,
                error_message: "no".to_owned(),
            }),
        };
        collector.always(Reply::status(200).body(answer.encode_to_vec()));
        let shop = shop.with(exporting(&collector)).await;
        // The span of the request, and that of its handler.
        shop.get("/quick").send().await.expect(204);
        until(&collector, "GET /quick", 1).await;
        if counted > 0 {
            shop.until_dropped("traces", "rejected", counted).await;
        }
        assert_eq!(shop.dropped("traces", "rejected").await, counted);
    }
}

#[doyen_test::test(sqlite)]
async fn what_waits_is_sent_at_the_stop(shop: Shop) {
    let collector = UpstreamServer::start();
    let shop = shop
        .with(exporting(&collector).set("otlp.interval", "1m"))
        .await;
    shop.get("/quick").send().await.expect(204);
    assert!(collector.requests().is_empty());
    shop.runtime().stop().await;
    until(&collector, "GET /quick", 1).await;
    assert_eq!(shop.dropped("traces", "stopped").await, 0);
}
