//! The server on a Unix socket: its file, its clients, its end.

use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use doyen::prelude::*;
use doyen::web::server::Drained;
use doyen::web::{
    BindError, Cidr, Client, EdgeOptions, ForwardedHeader, ListenAddress, Server, ServerOptions,
    Service, SocketMode, TrustedProxies, TrustedProxy,
};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixStream;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::kit::finish;
use crate::load::{Kind, Load, Target};
use crate::server::soon;

/// Show the client
#[get("/who", allow = anyone)]
async fn who(client: Client) -> Text {
    let address = client.address.map(|address| address.to_string());
    Text(address.unwrap_or_else(|| "unknown".to_owned()))
}

/// A folder that is removed at the end.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let folder = format!("doyen-unix-{}-{number}", std::process::id());
        let folder = std::env::temp_dir().join(folder);
        std::fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }

    fn socket(&self) -> PathBuf {
        self.0.join("app.sock")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn service(proxies: Vec<TrustedProxy>) -> Service {
    let options = EdgeOptions {
        proxies: TrustedProxies::new(proxies, ForwardedHeader::XForwardedFor).unwrap(),
        ..EdgeOptions::default()
    };
    let module = Module::new("t").routes(routes![who]);
    finish(Service::builder().options(options).module(module))
}

fn at(path: &Path) -> ServerOptions {
    ServerOptions::at(ListenAddress::Unix(path.to_owned()))
}

async fn bind(path: &Path) -> Result<Server, BindError> {
    Server::bind(service(Vec::new()), at(path)).await
}

/// A server that runs.
struct Running {
    stop: oneshot::Sender<()>,
    done: JoinHandle<Drained>,
}

impl Running {
    fn start(server: Server) -> Self {
        let (stop, stopped) = oneshot::channel::<()>();
        let done = tokio::spawn(server.run_until(async move {
            let _ = stopped.await;
        }));
        Self { stop, done }
    }

    async fn stop(self) -> Drained {
        self.stop.send(()).unwrap();
        soon(self.done).await.unwrap()
    }
}

/// Sends a request with these headers on a new connection. Returns the response.
async fn ask(path: &Path, headers: &str) -> String {
    let mut stream = UnixStream::connect(path).await.unwrap();
    let request = format!("GET /who HTTP/1.1\r\nhost: a\r\nconnection: close\r\n{headers}\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    soon(stream.read_to_string(&mut answer)).await.unwrap();
    answer
}

/// The body of the response.
async fn client(path: &Path, headers: &str) -> String {
    let answer = ask(path, headers).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    answer.split("\r\n\r\n").nth(1).unwrap().to_owned()
}

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

#[tokio::test]
async fn both_protocols_are_served_and_a_stop_loses_no_request() {
    let folder = Folder::new();
    for kind in [Kind::Fresh, Kind::Kept, Kind::Http2] {
        let path = folder.socket();
        let server = bind(&path).await.unwrap();
        assert_eq!(server.address().unix(), Some(&*path));
        let running = Running::start(server);
        let address = ListenAddress::Unix(path.clone());
        let load = Load::start(kind, 16, address, &Target::get("/who"));
        load.reached(500).await;
        let drained = running.stop().await;
        let report = load.ended().await;
        assert!(report.lost.is_empty(), "{kind:?}: {report:?}");
        assert_eq!(drained.cut, 0, "{kind:?}");
        assert!(!path.exists(), "{kind:?}");
    }
}

#[tokio::test]
async fn only_the_permitted_users_can_connect() {
    let folder = Folder::new();
    let path = folder.socket();
    let running = Running::start(bind(&path).await.unwrap());
    assert_eq!(mode(&path), 0o660);
    running.stop().await;
    let mut options = at(&path);
    options.socket_mode = SocketMode::parse("0606").unwrap();
    let server = Server::bind(service(Vec::new()), options).await.unwrap();
    assert_eq!(mode(&path), 0o606);
    // Also without a run.
    drop(server);
    assert!(!path.exists());
}

#[tokio::test]
async fn a_peer_without_an_address_reports_the_client_only_if_it_is_trusted() {
    let folder = Folder::new();
    let path = folder.socket();
    let network = TrustedProxy::Network(Cidr::parse("10.0.0.0/8").unwrap());
    let claim =
        "x-forwarded-for: 203.0.113.7, 198.51.100.1, 10.0.0.2\r\nx-forwarded-proto: https\r\n";
    for (proxies, found, is_secure) in [
        (vec![], "unknown", false),
        (vec![network], "unknown", false),
        (vec![TrustedProxy::Unix], "10.0.0.2", true),
        (vec![TrustedProxy::Unix, network], "198.51.100.1", true),
    ] {
        let server = Server::bind(service(proxies.clone()), at(&path)).await;
        let running = Running::start(server.unwrap());
        assert_eq!(client(&path, claim).await, found, "{proxies:?}");
        assert_eq!(client(&path, "").await, "unknown", "{proxies:?}");
        let hsts = ask(&path, claim)
            .await
            .contains("strict-transport-security");
        assert_eq!(hsts, is_secure, "{proxies:?}");
        running.stop().await;
    }
}

#[tokio::test]
async fn clients_without_an_address_share_the_connections_of_one_client() {
    let folder = Folder::new();
    let path = folder.socket();
    for (proxies, second) in [(vec![], "503"), (vec![TrustedProxy::Unix], "200")] {
        let mut options = at(&path);
        options.max_connections_per_client = 1;
        let server = Server::bind(service(proxies), options).await.unwrap();
        let running = Running::start(server);
        let mut first = UnixStream::connect(&path).await.unwrap();
        first
            .write_all(b"GET /who HTTP/1.1\r\nhost: a\r\n\r\n")
            .await
            .unwrap();
        let mut status = [0; 12];
        soon(first.read_exact(&mut status)).await.unwrap();
        assert_eq!(&status, b"HTTP/1.1 200");
        let answer = ask(&path, "").await;
        assert_eq!(answer.split(' ').nth(1), Some(second), "{answer}");
        drop(first);
        running.stop().await;
    }
}

#[tokio::test]
async fn the_file_of_a_dead_process_is_replaced_and_that_of_a_living_one_is_not() {
    let folder = Folder::new();
    let path = folder.socket();
    // What a killed process leaves behind.
    drop(UnixListener::bind(&path).unwrap());
    let running = Running::start(bind(&path).await.unwrap());
    assert_eq!(client(&path, "").await, "unknown");

    let refused = bind(&path).await.unwrap_err().to_string();
    assert!(
        refused.contains(&format!("unix:{}", path.display())),
        "{refused}"
    );
    assert!(refused.contains("Stop the process"), "{refused}");
    assert_eq!(client(&path, "").await, "unknown");
    running.stop().await;
}

/// Of processes that start at once, one replaces the file, and the others do not remove its file.
#[tokio::test(flavor = "multi_thread")]
async fn one_of_many_replaces_the_file_of_a_dead_process() {
    let folder = Folder::new();
    let path = folder.socket();
    for round in 0..20 {
        drop(UnixListener::bind(&path).unwrap());
        let starts: Vec<_> = (0..8)
            .map(|_| {
                let path = path.clone();
                tokio::spawn(async move { bind(&path).await })
            })
            .collect();
        let mut servers = Vec::new();
        for start in starts {
            servers.extend(start.await.unwrap());
        }
        assert_eq!(servers.len(), 1, "{round}");
        let running = Running::start(servers.remove(0));
        assert_eq!(client(&path, "").await, "unknown");
        running.stop().await;
    }
}

#[tokio::test]
async fn a_file_that_another_process_has_put_there_stays() {
    let folder = Folder::new();
    let path = folder.socket();
    let running = Running::start(bind(&path).await.unwrap());
    std::fs::remove_file(&path).unwrap();
    let _other = UnixListener::bind(&path).unwrap();
    running.stop().await;
    assert!(path.exists());
}

#[tokio::test]
async fn a_path_that_cannot_be_used_is_explained() {
    let folder = Folder::new();
    let file = folder.0.join("notes");
    std::fs::write(&file, "kept").unwrap();
    let link = folder.0.join("link");
    std::os::unix::fs::symlink(&file, &link).unwrap();
    for (path, words) in [
        (file.clone(), &["not a socket", "Remove it"][..]),
        (link, &["not a socket", "Remove it"]),
        (folder.0.clone(), &["not a socket"]),
        (
            folder.0.join("none/app.sock"),
            &["none does not exist", "RuntimeDirectory"],
        ),
        (folder.0.join("x".repeat(120)), &["bytes", "107", "shorter"]),
        (file.join("app.sock"), &["Not a directory"]),
    ] {
        let error = bind(&path).await.unwrap_err().to_string();
        let shown = format!("cannot listen on unix:{}: ", path.display());
        assert!(error.starts_with(&shown), "{error}");
        for word in words {
            assert!(error.contains(word), "{word} in {error}");
        }
    }
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "kept");
}

/// A listener of another process: its file stays, and connections wait for the next process.
#[tokio::test]
async fn an_inherited_socket_outlives_the_server() {
    let folder = Folder::new();
    let path = folder.socket();
    let listener = UnixListener::bind(&path).unwrap();
    let start = || {
        let inherited = listener.try_clone().unwrap();
        Running::start(Server::on(inherited, service(Vec::new()), at(&path)).unwrap())
    };
    let first = start();
    assert_eq!(client(&path, "").await, "unknown");
    first.stop().await;
    let between = {
        let path = path.clone();
        tokio::spawn(async move { client(&path, "").await })
    };
    let second = start();
    assert_eq!(soon(between).await.unwrap(), "unknown");
    second.stop().await;
    assert!(path.exists());
}
