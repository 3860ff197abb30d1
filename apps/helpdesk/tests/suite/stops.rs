//! The real program, stopped under load: no request that was sent is lost, alone and in rolling
//! restarts behind the usual proxies. `cargo xtask soak` runs it with many more stops.

use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use doyen_test::{Program, Running, scale};
use tokio::net::TcpStream;
use tokio::task::spawn_blocking;

use crate::load::{Kind, Load, Target};
use crate::memory::report;
use crate::support::Helpdesk;

const CLIENTS: usize = 32;

/// Long enough for a load balancer to notice.
const DELAYS: [&str; 2] = ["0s", "300ms"];

fn program(app: &Helpdesk, bind: SocketAddr, delay: &str) -> Program {
    Program::new(env!("CARGO_BIN_EXE_helpdesk"))
        .env("APP_ENV", "test")
        .env("APP_SERVER__BIND", &bind.to_string())
        .env("APP_ADMIN__BIND", "127.0.0.1:0")
        .env("APP_SERVER__DRAIN_DELAY", delay)
        .env("DATABASE_URL", app.database_url())
        .env("APP_AUTH__SIGNING_KEY", doyen_test::SIGNING_KEY)
        // The machine may be busy.
        .env("APP_DATABASE__ACQUIRE_TIMEOUT", "30s")
        .env("APP_DATABASE__LOCK_TIMEOUT", "30s")
        .env("APP_DATABASE__STATEMENT_TIMEOUT", "30s")
}

/// Starts the program and waits until it serves.
async fn start(program: Program) -> (Running, SocketAddr) {
    let start = move || {
        let running = program.start();
        let address = running.address();
        (running, address)
    };
    spawn_blocking(start).await.unwrap()
}

/// Waits for the end of the program.
async fn ended(mut running: Running) -> (ExitStatus, String) {
    let wait = move || (running.wait(), running.output());
    spawn_blocking(wait).await.unwrap()
}

/// A request that reads the database.
async fn target(app: &Helpdesk) -> Target {
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

/// A proxy in front of two programs. Killed when it is dropped.
pub(crate) struct Proxy {
    child: Child,
    folder: PathBuf,
    address: SocketAddr,
}

/// An address on which nothing listens.
fn free() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap()
}

impl Proxy {
    /// Starts a program with a configuration, which is made from its folder and its address.
    pub(crate) async fn start(
        name: &str,
        args: &[&str],
        config: impl FnOnce(&Path, SocketAddr) -> String,
    ) -> Self {
        let address = free();
        let folder = std::env::temp_dir().join(format!("doyen-{name}-{}", address.port()));
        std::fs::create_dir_all(&folder).unwrap();
        let file = folder.join("config");
        std::fs::write(&file, config(&folder, address)).unwrap();
        let child = Command::new(name)
            .args(args)
            .arg(&file)
            .stdin(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| {
                panic!("{name} cannot be started ({error}): `cargo xtask setup` installs it")
            });
        let listens = async {
            while TcpStream::connect(address).await.is_err() {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        let proxy = Self {
            child,
            folder,
            address,
        };
        let listens = tokio::time::timeout(Duration::from_secs(20), listens).await;
        assert!(listens.is_ok(), "{name} does not listen");
        proxy
    }

    pub(crate) const fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

fn nginx(folder: &Path, address: SocketAddr, programs: [SocketAddr; 2]) -> String {
    let [a, b] = programs;
    let upstream = format!("server {a} max_fails=0; server {b} max_fails=0;");
    nginx_with(folder, address, &upstream)
}

/// A configuration that forwards to these servers, WebSockets included.
pub(crate) fn nginx_with(folder: &Path, address: SocketAddr, upstream: &str) -> String {
    let folder = folder.display();
    let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .iter()
        .map(|kind| format!("{kind}_temp_path {folder}/{kind};"))
        .collect();
    format!(
        "daemon off; master_process off; pid {folder}/pid; error_log stderr crit;
         events {{ worker_connections 512; }}
         http {{
            access_log off; {temporary}
            map $http_upgrade $connection_upgrade {{ default upgrade; '' ''; }}
            upstream helpdesk {{ {upstream} keepalive 16; }}
            server {{
                listen {address};
                location / {{
                    proxy_pass http://helpdesk;
                    proxy_http_version 1.1;
                    proxy_set_header Host $http_host;
                    proxy_set_header Upgrade $http_upgrade;
                    proxy_set_header Connection $connection_upgrade;
                    proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
                    proxy_set_header X-Forwarded-Proto $scheme;
                }}
            }}
         }}"
    )
}

fn haproxy(address: SocketAddr, programs: [SocketAddr; 2]) -> String {
    let [a, b] = programs;
    format!(
        "defaults
            mode http
            timeout connect 10s
            timeout client 30s
            timeout server 30s
            timeout check 10s
            retries 3
            option redispatch 1
        frontend in
            bind {address}
            default_backend helpdesk
        backend helpdesk
            option httpchk GET /readyz
            default-server check inter 100ms fall 1 rise 1
            server a {a}
            server b {b}\n"
    )
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

/// Restarts two programs behind a proxy, one after the other. Its clients see no failure.
async fn rolling_restarts(app: &Helpdesk, proxy: Proxy, programs: [SocketAddr; 2]) {
    let target = target(app).await;
    let mut running = Vec::new();
    for bind in programs {
        running.push(start(program(app, bind, DELAYS[0])).await.0);
    }
    // The proxy may have seen them down.
    let ready = async {
        loop {
            let probe = Load::start(Kind::Fresh, 1, proxy.address, &target);
            tokio::time::sleep(Duration::from_millis(300)).await;
            let report = probe.finished().await;
            if report.served > 1 && report.lost.is_empty() {
                return;
            }
        }
    };
    let ready = tokio::time::timeout(Duration::from_secs(20), ready).await;
    assert!(ready.is_ok(), "the proxy reaches no program");
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
    for round in 0..scale(2, 40) {
        let restarted = running.remove(0);
        restarted.ask_to_stop();
        let (status, output) = ended(restarted).await;
        assert_eq!(status.code(), Some(0), "{output}");
        let bind = programs[round % 2];
        let started = start(program(app, bind, DELAYS[round / 2 % 2])).await.0;
        running.push(used(started).await);
    }
    for load in loads {
        let all = load.finished().await;
        assert!(all.lost.is_empty(), "{all:?}");
        assert!(all.served > 10, "{all:?}");
        report(&format!("{} requests served, none lost", all.served));
    }
}

#[doyen_test::test]
async fn rolling_restarts_behind_nginx_lose_no_request(app: Helpdesk) {
    let programs = [free(), free()];
    let config = |folder: &Path, address| nginx(folder, address, programs);
    let proxy = Proxy::start("nginx", &["-c"], config).await;
    rolling_restarts(&app, proxy, programs).await;
}

#[doyen_test::test]
async fn rolling_restarts_behind_haproxy_lose_no_request(app: Helpdesk) {
    let programs = [free(), free()];
    let config = |_: &Path, address| haproxy(address, programs);
    let proxy = Proxy::start("haproxy", &["-db", "-f"], config).await;
    rolling_restarts(&app, proxy, programs).await;
}
