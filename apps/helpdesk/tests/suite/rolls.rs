//! Two programs behind a proxy, replaced one after the other while they are in use. Its clients see
//! no failure. `cargo xtask soak` replaces them twenty times, with 100,000 requests.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use doyen_test::{Program, Running, Setup, Subject, TestApp, scale};
use tokio::task::spawn_blocking;

use crate::in_flight::Clients;
use crate::live::log_in;
use crate::load::{Kind, Load, Target};
use crate::memory::report;
use crate::stops::{DELAYS, ended, program, start, target};
use crate::support::proxies::{Proxy, free, haproxy, nginx};
use crate::support::{Helpdesk, Join as _, TestFolder, patient};

/// The helpdesk of the test itself, whose clock is another one: the programs run the jobs.
struct Idle(Helpdesk);

impl Subject for Idle {
    fn app() -> doyen::App {
        helpdesk::app()
    }

    fn setup() -> Setup {
        patient()
            .set("jobs.work", "false")
            .set("events.deliver", "false")
    }

    fn new(app: TestApp) -> Self {
        Self(Helpdesk::new(app))
    }
}

/// A program that shares its files, and hands a job back at once when it stops.
async fn replaceable(app: &Helpdesk, bind: SocketAddr, delay: &str) -> Program {
    let folder = app.inject::<Arc<TestFolder>>().await;
    program(app, bind, delay)
        .env("APP_FILES__FOLDER", &folder.0.display().to_string())
        .env("APP_JOBS__DRAIN", "10ms")
        .env("APP_DATABASE__MAX_CONNECTIONS", "5")
}

/// Waits until the proxy uses a program.
async fn used(running: Running) -> Running {
    let wait = move || {
        let used = running.wait_for(|| running.output().contains("/v1/").then_some(()));
        assert!(used.is_some(), "{}", running.output());
        running
    };
    spawn_blocking(wait).await.unwrap()
}

/// Waits until the proxy reaches a program. It may have seen them down.
async fn reachable(proxy: &Proxy, target: &Target) {
    let ready = async {
        loop {
            let probe = Load::start(Kind::Fresh, 1, proxy.address, target);
            tokio::time::sleep(Duration::from_millis(300)).await;
            let report = probe.finished().await;
            if report.served > 1 && report.lost.is_empty() {
                return;
            }
        }
    };
    let ready = tokio::time::timeout(Duration::from_secs(20), ready).await;
    assert!(ready.is_ok(), "the proxy reaches no program");
}

async fn rolling_restarts(app: &Helpdesk, proxy: Proxy, programs: [SocketAddr; 2]) {
    let target = target(app).await;
    let mut running = Vec::new();
    let mut any = programs[0];
    for bind in programs {
        let (program, address) = start(replaceable(app, bind, DELAYS[0]).await).await;
        running.push(program);
        any = address;
    }
    reachable(&proxy, &target).await;
    let customer = log_in(any, &app.as_customer().await).await;
    let agent = log_in(any, &app.as_agent().await).await;
    let mut clients = Clients::start(proxy.address, customer, agent).await;
    // A proxy sends a POST only once. It is rejected, but it reaches the program.
    let post = Target {
        method: "POST",
        headers: vec![("content-length", "0".into())],
        status: 405,
        ..Target::get("/v1/me")
    };
    let loads = [(Kind::Fresh, &target), (Kind::Kept, &post)]
        .map(|(kind, target)| Load::start(kind, 8, proxy.address, target));
    for _ in 0..programs.len() {
        let started = running.remove(0);
        running.push(used(started).await);
    }
    let (restarts, mut handed_back) = (scale(4, 40), 0);
    for round in 0..restarts {
        for load in &loads {
            load.reached(scale(20, 50_000 / 40) * round).await;
        }
        let restarted = running.remove(0);
        restarted.ask_to_stop();
        let (status, output) = ended(restarted).await;
        assert_eq!(status.code(), Some(0), "{output}");
        handed_back += output.matches("handed_back").count();
        let bind = programs[round % 2];
        let program = replaceable(app, bind, DELAYS[round / 2 % 2]).await;
        running.push(used(start(program).await.0).await);
        clients.check();
    }
    for load in &loads {
        load.reached(scale(100, 50_000)).await;
    }
    let work = clients.finish().await;
    let mut served = work.counts.requests.load(Ordering::Relaxed);
    for load in loads {
        let all = load.finished().await;
        assert!(all.lost.is_empty(), "{all:?}");
        served += all.served;
    }
    let counts = &work.counts;
    let [streams, sockets, imported, uploads] = [
        &counts.stream_resumed,
        &counts.socket_resumed,
        &counts.imported,
        &counts.uploads,
    ]
    .map(|count| count.load(Ordering::Relaxed));
    // Each step of a job is committed once, whichever process has run it.
    let stored = app.count("tickets WHERE subject = 'imported'").await;
    assert_eq!(usize::try_from(stored).unwrap(), imported);
    assert_eq!(
        app.count("jobs WHERE status <> 'done' AND name = 'tickets.import'")
            .await,
        0
    );
    assert!(
        streams > 0 && sockets > 0 && imported > 0 && uploads > 0,
        "{counts:?}"
    );
    report(&format!(
        "{restarts} restarts: {served} requests served, none lost; a stream resumed {streams} times, \
         a socket {sockets} times; {imported} tickets by jobs, of which {handed_back} were handed back; \
         {uploads} uploads"
    ));
}

#[doyen_test::test]
async fn rolling_restarts_behind_nginx_lose_nothing(app: Idle) {
    let programs = [free(), free()];
    let config = |folder: &Path, address| nginx(folder, address, programs);
    let proxy = Proxy::start("nginx", &["-c"], config).await;
    rolling_restarts(&app.0, proxy, programs).await;
}

#[doyen_test::test]
async fn rolling_restarts_behind_haproxy_lose_nothing(app: Idle) {
    let programs = [free(), free()];
    let config = |_: &Path, address| haproxy(address, programs);
    let proxy = Proxy::start("haproxy", &["-db", "-f"], config).await;
    rolling_restarts(&app.0, proxy, programs).await;
}
