//! The memory of idle live connections of the program. `cargo xtask soak --release live` measures
//! an optimized program.

use std::net::SocketAddr;

use doyen_test::{Running, scale};
use tokio::net::TcpStream;

use crate::live::{bearer, log_in, program, start, watching};
use crate::live_client::EventSource;
use crate::memory::report;
use crate::support::{Helpdesk, Join as _, Person};

/// Maximum memory of an idle connection that watches a ticket, in KiB. A program without
/// optimization has larger futures.
const MAX_KIB: usize = if cfg!(debug_assertions) { 16 } else { 12 };

/// Connections that are open before the measurement: the first ones pay for what all share.
const WARM_UP: usize = 100;

/// A program that has a user and a ticket, and verifies no password: that takes memory for some
/// seconds, so another program does it.
async fn subject(app: &Helpdesk) -> (Running, SocketAddr, Person, String) {
    let grace = app.as_agent().await;
    let ticket = grace.opens("it burns").await.text_at("/id");
    let program = || {
        program(app, ([127, 0, 0, 1], 0).into())
            .env("APP_LIVE__MAX_PER_USER", "20000")
            .env("APP_LIVE__MAX_PER_ADDRESS", "20000")
            .env("APP_SERVER__MAX_CONNECTIONS_PER_CLIENT", "20000")
    };
    let (login, address) = start(program()).await;
    let grace = log_in(address, &grace).await;
    drop(login);
    let (running, address) = start(program()).await;
    (running, address, grace, ticket)
}

/// Opens connections, and checks the memory of each.
async fn measure<T>(what: &str, running: &Running, open: impl AsyncFn() -> T) {
    let mut all = Vec::new();
    for _ in 0..WARM_UP {
        all.push(open().await);
    }
    let before = running.memory();
    let many = scale(400, 5_000);
    for _ in 0..many {
        all.push(open().await);
    }
    let after = running.memory();
    let each = (after.now - before.now) * 1024 / many;
    report(&format!(
        "{many} idle {what}: {each} KiB each ({before:?}, {after:?})"
    ));
    assert!(each <= MAX_KIB, "{each} KiB: {before:?}, {after:?}");
}

#[doyen_test::test(sqlite)]
async fn an_idle_socket_takes_little_memory(app: Helpdesk) {
    let (running, address, grace, ticket) = subject(&app).await;
    measure("sockets", &running, async || {
        watching(address, &grace, &ticket).await
    })
    .await;
}

#[doyen_test::test(sqlite)]
async fn an_idle_stream_takes_little_memory(app: Helpdesk) {
    let (running, address, grace, ticket) = subject(&app).await;
    measure("streams", &running, async || {
        let stream = TcpStream::connect(address).await.unwrap();
        let path = format!("/v1/tickets/{ticket}/events");
        let mut source = EventSource::on(stream, &path, &bearer(&grace)).await;
        assert!(source.head.starts_with("HTTP/1.1 200"), "{}", source.head);
        assert!(source.next().await.is_some(), "the stream is open");
        source
    })
    .await;
}
