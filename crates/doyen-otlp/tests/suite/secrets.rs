//! What is never exported.

use doyen_test::UpstreamServer;

use crate::app::{Shop, exporting};
use crate::receiver::until;

#[doyen_test::test]
async fn secrets_and_parameters_are_in_no_exported_byte(shop: Shop) {
    let stock = UpstreamServer::start();
    let collector = UpstreamServer::start();
    let setup = exporting(&collector)
        .set("otlp.headers", "api-key=h%2Dsecret,tenant=shop")
        .set("outbound.stock.url", &stock.url())
        .set("outbound.stock.token", "t-secret")
        .set("jobs.poll_interval", "20ms")
        .set("events.poll", "20ms");
    let shop = shop.with(setup).await;
    let order = shop.post("/orders/p-value");
    order.bearer("b-secret").send().await.expect(204);
    shop.get("/stock/tea?token=q-secret")
        .send()
        .await
        .expect(200);
    let reset = shop.get("/resets/m-secret");
    reset
        .header("cookie", "session=c-secret")
        .send()
        .await
        .expect(204);
    until(&collector, "process orders.print_label", 1).await;
    until(&collector, "process order.placed", 1).await;
    let all = until(&collector, "GET /resets/{token}", 1).await;

    let reset = all
        .iter()
        .find(|one| one.span.name == "GET /resets/{token}")
        .unwrap();
    assert_eq!(reset.attribute("url.path").unwrap(), "/resets/{token}");
    let secrets = [
        "h-secret", "q-secret", "t-secret", "b-secret", "m-secret", "c-secret",
    ];
    for request in collector.requests() {
        // Only the collector gets its headers.
        assert_eq!(request.header("api-key"), Some("h-secret"));
        assert_eq!(request.header("tenant"), Some("shop"));
        let body = String::from_utf8_lossy(&request.body);
        for secret in secrets {
            assert!(!body.contains(secret), "{secret}");
        }
        // The path of the request is in the access log too; a parameter of a statement is not.
        let path = "/orders/p-value";
        assert_eq!(body.matches("p-value").count(), body.matches(path).count());
    }
    for request in stock.requests() {
        assert_eq!(request.header("api-key"), None);
    }
}
