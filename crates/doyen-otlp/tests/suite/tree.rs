//! One request that does everything is one tree, across two processes.

use std::collections::HashMap;

use doyen_test::{Program, SIGNING_KEY, UpstreamServer};
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use tokio::task::block_in_place;

use crate::app::{Shop, exporting};
use crate::receiver::{Received, trace, until};

/// The names from the root to a span.
fn path(spans: &HashMap<Vec<u8>, Received>, of: &Received) -> Vec<String> {
    let mut path = vec![format!("{}: {}", of.service, of.span.name)];
    let mut parent = &of.span.parent_span_id;
    while !parent.is_empty() {
        let span = spans
            .get(parent)
            .unwrap_or_else(|| panic!("the parent of {path:?} is missing"));
        path.push(format!("{}: {}", span.service, span.span.name));
        parent = &span.span.parent_span_id;
        assert!(path.len() < 20, "a circle: {path:?}");
    }
    path.reverse();
    path
}

/// The application as a process of this name. The one that works runs the jobs and delivers the
/// events.
fn program(shop: &Shop, collector: &UpstreamServer, name: &str, works: &str) -> Program {
    let tests = std::env::current_exe().unwrap();
    let folder = tests.parent().and_then(|deps| deps.parent()).unwrap();
    Program::new(folder.join("examples/traced_shop").to_str().unwrap())
        .env("APP_ENV", "test")
        .env("APP_SERVER__BIND", "127.0.0.1:0")
        .env("APP_ADMIN__BIND", "127.0.0.1:0")
        .env("APP_AUTH__SIGNING_KEY", SIGNING_KEY)
        .env("DATABASE_URL", shop.database_url())
        .env("APP_OTLP__ENDPOINT", &collector.url())
        .env("APP_OTLP__SERVICE", name)
        .env("APP_OTLP__INTERVAL", "20ms")
        .env("APP_JOBS__WORK", works)
        .env("APP_JOBS__POLL_INTERVAL", "20ms")
        .env("APP_EVENTS__DELIVER", works)
        .env("APP_EVENTS__POLL", "20ms")
}

#[doyen_test::test]
async fn a_request_is_one_tree_across_two_processes(shop: Shop) {
    let collector = UpstreamServer::start();
    let worker = program(&shop, &collector, "worker", "true").start();
    let stock = format!("http://{}", block_in_place(|| worker.address()));
    let front = program(&shop, &collector, "front", "false")
        .env("APP_OUTBOUND__STOCK__URL", &stock)
        .start();
    let order = "POST /orders/tea HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\
        Content-Length: 0\r\n\r\n";
    let answer = block_in_place(|| front.exchange(order));
    assert!(answer.starts_with("HTTP/1.1 204"), "{answer}");
    until(&collector, "process orders.print_label", 1).await;
    until(&collector, "process order.placed", 1).await;
    until(&collector, "GET /stock/{article}", 1).await;
    let all = until(&collector, "POST /orders/{article}", 1).await;
    let root = all
        .iter()
        .find(|one| one.span.name == "POST /orders/{article}");
    let spans = trace(&all, &root.unwrap().span.trace_id);

    let mut paths: Vec<String> = spans
        .values()
        .map(|one| path(&spans, one).join(" > "))
        .collect();
    paths.sort();
    let has = |path: &str| assert!(paths.iter().any(|one| one == path), "{path}: {paths:#?}");
    let root = "front: POST /orders/{article}";
    assert!(paths.iter().all(|one| one.starts_with(root)), "{paths:#?}");
    has(root);
    has(&format!("{root} > front: extract"));
    has(&format!("{root} > front: commit"));
    let handler = format!("{root} > front: handler");
    has(&handler);
    has(&format!("{handler} > front: cache lookup"));
    has(&format!("{handler} > front: INSERT"));
    has(&format!("{handler} > front: ask for stock"));
    let call = format!("{handler} > front: GET stock");
    has(&call);
    let called = format!("{call} > worker: GET /stock/{{article}}");
    has(&called);
    has(&format!("{called} > worker: handler > worker: SELECT"));
    let job = format!("{root} > worker: process orders.print_label");
    has(&job);
    has(&format!("{job} > worker: INSERT"));
    let event = format!("{root} > worker: process order.placed");
    has(&event);
    has(&format!("{event} > worker: UPDATE"));

    let of = |name: &str, attribute: &str| {
        let found = spans.values().find(|one| one.span.name == name);
        found.unwrap().attribute(attribute).unwrap_or_default()
    };
    assert_eq!(of("POST /orders/{article}", "http.request.method"), "POST");
    assert_eq!(
        of("POST /orders/{article}", "http.route"),
        "/orders/{article}"
    );
    assert_eq!(of("POST /orders/{article}", "url.path"), "/orders/tea");
    assert_eq!(
        of("POST /orders/{article}", "http.response.status_code"),
        "204"
    );
    assert_eq!(of("cache lookup", "doyen.cache.result"), "miss");
    assert_eq!(of("GET stock", "http.response.status_code"), "200");
    assert_eq!(of("GET stock", "server.address"), "127.0.0.1");
    assert_eq!(
        of("process orders.print_label", "messaging.operation.type"),
        "process"
    );
    assert_eq!(
        of("process order.placed", "messaging.destination.name"),
        "order.placed"
    );
    let system = match shop.backend() {
        doyen_test::Backend::Sqlite => "sqlite",
        doyen_test::Backend::Postgres => "postgresql",
    };
    assert_eq!(of("SELECT", "db.system.name"), system);
    assert!(of("SELECT", "db.query.text").contains("WHERE article = $1"));
    let kind = |name: &str| {
        let found = spans.values().find(|one| one.span.name == name);
        found.unwrap().span.kind()
    };
    assert_eq!(kind("POST /orders/{article}"), SpanKind::Server);
    assert_eq!(kind("GET stock"), SpanKind::Client);
    assert_eq!(kind("process order.placed"), SpanKind::Consumer);
    assert_eq!(kind("handler"), SpanKind::Internal);
    // Times: no span ends before it begins, and parts of a request lie inside of it.
    for one in spans.values() {
        let span = &one.span;
        assert!(
            span.start_time_unix_nano <= span.end_time_unix_nano,
            "{span:?}"
        );
        assert_eq!(span.trace_id.len(), 16);
        assert_eq!(span.span_id.len(), 8);
    }
}

#[doyen_test::test(sqlite)]
async fn a_trace_that_begins_elsewhere_is_continued(shop: Shop) {
    let collector = UpstreamServer::start();
    let shop = shop
        .with(exporting(&collector).set("otlp.sample", "0"))
        .await;
    let parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let call = shop.get("/quick").header("traceparent", parent);
    call.send().await.expect(204);
    let spans = until(&collector, "GET /quick", 1).await;
    let root = spans
        .iter()
        .find(|one| one.span.name == "GET /quick")
        .unwrap();
    let hex = |bytes: &[u8]| {
        bytes
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect::<String>()
    };
    assert_eq!(hex(&root.span.trace_id), "0af7651916cd43dd8448eb211c80319c");
    assert_eq!(hex(&root.span.parent_span_id), "b7ad6b7169203331");
}
