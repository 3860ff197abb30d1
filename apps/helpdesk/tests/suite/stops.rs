//! The real program, stopped under load: no request that was sent is lost. `cargo xtask soak` runs
//! it with many more stops.

use std::net::SocketAddr;
use std::process::ExitStatus;

use doyen_test::{Program, Running, scale};
use tokio::net::TcpStream;
use tokio::task::spawn_blocking;

use crate::load::{Kind, Load, Target};
use crate::memory::report;
use crate::support::Helpdesk;

const CLIENTS: usize = 32;

/// Long enough for a load balancer to notice.
pub(crate) const DELAYS: [&str; 2] = ["0s", "300ms"];

pub(crate) fn program(app: &Helpdesk, bind: SocketAddr, delay: &str) -> Program {
    Program::new(env!("CARGO_BIN_EXE_helpdesk"))
        .env("APP_ENV", "test")
        .env("APP_SERVER__BIND", &bind.to_string())
        .env("APP_ADMIN__BIND", "127.0.0.1:0")
        .env("APP_SERVER__DRAIN_DELAY", delay)
        .env("DATABASE_URL", app.database_url())
        .env("APP_AUTH__SIGNING_KEY", doyen_test::SIGNING_KEY)
        .env("APP_AUTH__ACCESS_LIFETIME", "12h")
        // The machine may be busy.
        .env("APP_DATABASE__ACQUIRE_TIMEOUT", "30s")
        .env("APP_DATABASE__LOCK_TIMEOUT", "30s")
        .env("APP_DATABASE__STATEMENT_TIMEOUT", "30s")
}

/// Starts the program and waits until it serves.
pub(crate) async fn start(program: Program) -> (Running, SocketAddr) {
    let start = move || {
        let running = program.start();
        let address = running.address();
        (running, address)
    };
    spawn_blocking(start).await.unwrap()
}

/// Waits for the end of the program.
pub(crate) async fn ended(mut running: Running) -> (ExitStatus, String) {
    let wait = move || (running.wait(), running.output());
    spawn_blocking(wait).await.unwrap()
}

/// A request that reads the database.
pub(crate) async fn target(app: &Helpdesk) -> Target {
    let (running, _) = start(program(app, ([127, 0, 0, 1], 0).into(), "0s")).await;
    let token = spawn_blocking(move || crate::server::token(&running));
    let token = token.await.unwrap();
    Target {
        headers: vec![("authorization", format!("Bearer {token}"))],
        ..Target::get("/v1/tickets?limit=1")
    }
}

async fn stops(app: &Helpdesk, kind: Kind) {
    let target = target(app).await;
    let mut served = 0;
    for round in 0..scale(2, 20) {
        let delay = DELAYS[round % 2];
        let (running, address) = start(program(app, ([127, 0, 0, 1], 0).into(), delay)).await;
        let load = Load::start(kind, CLIENTS, address, &target);
        load.reached(scale(200, 5_000)).await;
        running.ask_to_stop();
        let all = load.ended().await;
        let (status, output) = ended(running).await;
        assert!(all.lost.is_empty(), "{round}: {all:?}\n{output}");
        assert_eq!(status.code(), Some(0), "{output}");
        served += all.served;
    }
    report(&format!("{kind:?}: {served} requests served, none lost"));
}

#[doyen_test::test]
async fn a_stop_loses_no_request_on_a_fresh_connection(app: Helpdesk) {
    stops(&app, Kind::Fresh).await;
}

#[doyen_test::test]
async fn a_stop_loses_no_request_on_a_kept_connection(app: Helpdesk) {
    stops(&app, Kind::Kept).await;
}

#[doyen_test::test]
async fn a_stop_loses_no_request_over_http_2(app: Helpdesk) {
    stops(&app, Kind::Http2).await;
}

/// The deadline cuts a request whose body does not arrive.
#[doyen_test::test]
async fn the_exit_code_reports_a_request_that_is_cut(app: Helpdesk) {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let program =
        program(&app, ([127, 0, 0, 1], 0).into(), "0s").env("APP_SERVER__DRAIN_DEADLINE", "200ms");
    let (running, address) = start(program).await;
    let mut stream = TcpStream::connect(address).await.unwrap();
    // Its body never comes.
    let head = b"POST /v1/auth/login HTTP/1.1\r\nhost: a\r\nexpect: 100-continue\r\n\
        content-type: application/json\r\ncontent-length: 9\r\n\r\n";
    stream.write_all(head).await.unwrap();
    let mut first = [0; 12];
    stream.read_exact(&mut first).await.unwrap();
    assert_eq!(&first, b"HTTP/1.1 100");
    running.ask_to_stop();
    let (status, output) = ended(running).await;
    assert_eq!(status.code(), Some(1), "{output}");
    assert!(output.contains("server.drain_deadline"), "{output}");
}
