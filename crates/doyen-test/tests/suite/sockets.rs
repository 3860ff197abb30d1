//! The application on a socket.

use std::sync::Arc;

use doyen_test::{Setup, Subject, TestApp};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::shop::{Gate, Shop};

/// The shop, whose gate the test can open.
struct Gated(TestApp, Arc<Gate>);

impl Subject for Gated {
    fn app() -> doyen::App {
        Shop::app()
    }
    fn new(app: TestApp) -> Self {
        Self(app, Arc::new(Gate::default()))
    }
}

#[doyen_test::test(sqlite)]
async fn a_socket_responds(shop: Shop) {
    let live = shop.serve().await;
    let answer = live
        .exchange("GET /shop/hour HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        .await;
    assert!(
        answer.starts_with("HTTP/1.1 200") && answer.ends_with("\"2026-11-22T08:30:00.000000Z\"}"),
        "{answer}"
    );
    let address = live.address();
    live.stopped().await;
    assert!(
        tokio::net::TcpStream::connect(address).await.is_err(),
        "it still listens"
    );
}

#[doyen_test::test(sqlite)]
async fn a_drain_lets_requests_finish(Gated(app, gate): Gated) {
    let app = app.another(Setup::new().replace(Arc::clone(&gate))).await;
    let live = app.serve().await;
    let mut stream = live.connect().await;
    stream
        .write_all(b"GET /shop/slow HTTP/1.1\r\nHost: x\r\n\r\n")
        .await
        .unwrap();
    gate.entered.notified().await;
    let stopping = tokio::spawn(live.stopped());
    while !app.service().drain().has_begun() {
        tokio::task::yield_now().await;
    }
    gate.open.notify_one();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(
        answer.starts_with("HTTP/1.1 200") && answer.ends_with("at last"),
        "{answer}"
    );
    stopping.await.unwrap();
}
