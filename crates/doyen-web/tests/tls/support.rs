//! A server with a certificate, and clients that trust its authority.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use bytes::Bytes;
use doyen_core::anyone;
use doyen_web::response::PlainText;
use doyen_web::{
    Body, Drained, Module, Route, Server, ServerOptions, Service, Stream, Text, Tls, Upgrade,
};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::{Semaphore, oneshot};
use tokio::task::JoinHandle;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore, SupportedProtocolVersion, version};
use toolkit::certificates::{Authority, ServerCertificate};

/// Size of the response of `/large`.
pub(crate) const LARGE_BYTES: usize = 8 << 20;

/// The parts of the response of `/endless`.
const CHUNKS: usize = 50;
const CHUNK_BYTES: usize = 1 << 20;
/// Size of the response of `/endless`.
pub(crate) const STREAM_BYTES: usize = CHUNKS * CHUNK_BYTES;

static NEXT: AtomicU32 = AtomicU32::new(0);

/// Holds requests in the handler of `/hold`.
pub(crate) struct Gate {
    pub(crate) reached: Semaphore,
    pub(crate) go: Semaphore,
}

static GATE: Gate = Gate {
    reached: Semaphore::const_new(0),
    go: Semaphore::const_new(0),
};

/// The files of a certificate in a folder of their own.
pub(crate) struct Files {
    pub(crate) authority: Authority,
    folder: PathBuf,
}

impl Files {
    pub(crate) fn new() -> Self {
        let next = NEXT.fetch_add(1, Ordering::Relaxed);
        let folder = format!("doyen-web-tls-{}-{next}", std::process::id());
        let folder = std::env::temp_dir().join(folder);
        std::fs::create_dir_all(&folder).unwrap();
        let files = Self {
            authority: Authority::new(),
            folder,
        };
        files.write(&files.authority.server());
        files
    }

    pub(crate) fn certificate(&self) -> PathBuf {
        self.folder.join("certificate.pem")
    }

    pub(crate) fn key(&self) -> PathBuf {
        self.folder.join("key.pem")
    }

    pub(crate) fn write(&self, pair: &ServerCertificate) {
        std::fs::write(self.certificate(), &pair.certificate).unwrap();
        std::fs::write(self.key(), &pair.key).unwrap();
    }

    pub(crate) fn load(&self) -> Result<Tls, doyen_web::TlsError> {
        Tls::load(&self.certificate(), &self.key())
    }

    /// A client that offers these protocols.
    pub(crate) fn client(&self, protocols: &[&str]) -> TlsConnector {
        self.client_with(protocols, &[&version::TLS13, &version::TLS12])
    }

    pub(crate) fn client_with(
        &self,
        protocols: &[&str],
        versions: &[&'static SupportedProtocolVersion],
    ) -> TlsConnector {
        let mut roots = RootCertStore::empty();
        let root = CertificateDer::from(self.authority.certificate_der().to_vec());
        roots.add(root).unwrap();
        let provider = Arc::new(aws_lc_rs::default_provider());
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(versions)
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = protocols
            .iter()
            .map(|name| name.as_bytes().to_vec())
            .collect();
        TlsConnector::from(Arc::new(config))
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

async fn hello() -> Text {
    Text("hello".into())
}

async fn hold() -> Text {
    GATE.reached.add_permits(1);
    GATE.go.acquire().await.unwrap().forget();
    Text("held".into())
}

async fn length(body: Bytes) -> Text {
    Text(body.len().to_string())
}

async fn large() -> Text {
    Text("x".repeat(LARGE_BYTES))
}

async fn ticks() -> Stream<PlainText> {
    let chunk = |number: u32| {
        std::future::ready(std::io::Result::Ok(Bytes::from(format!("tick {number}\n"))))
    };
    let chunks = futures_util::stream::iter(0..3);
    Stream::new(futures_util::StreamExt::then(chunks, chunk))
}

/// More than the server may hold for all clients.
async fn endless() -> Stream<PlainText> {
    let chunk = Bytes::from(vec![b'x'; CHUNK_BYTES]);
    let chunks = futures_util::stream::iter(vec![chunk; CHUNKS]);
    Stream::new(futures_util::StreamExt::map(chunks, std::io::Result::Ok))
}

/// Echoes what the client sends after the response.
async fn echo() -> Switching {
    Switching
}

struct Switching;

impl doyen_web::IntoResponse for Switching {
    fn into_response(
        self,
        _: &doyen_web::Parts,
    ) -> Result<doyen_web::Response, doyen_core::Refusal> {
        let work = Upgrade::new(|mut upgraded| {
            Box::pin(async move {
                let mut buffer = upgraded.read.to_vec();
                buffer.resize(buffer.len().max(1024), 0);
                while let Ok(count @ 1..) = upgraded.stream.read(&mut buffer).await {
                    upgraded.stream.write_all(&buffer[..count]).await.unwrap();
                    upgraded.stream.flush().await.unwrap();
                }
                upgraded.stream.shutdown().await.unwrap();
            })
        });
        let response = http::Response::builder()
            .status(101)
            .header("connection", "upgrade")
            .header("upgrade", "echo")
            .extension(work)
            .body(Body::empty());
        Ok(response.unwrap())
    }

    fn describe(_: &mut doyen_schema::contract::Contract<'_>) {}
}

fn service() -> Service {
    let module = Module::new("t")
        .route(
            Route::get("/hello")
                .name("hello")
                .allow(anyone)
                .handler(hello),
        )
        .route(Route::get("/hold").name("hold").allow(anyone).handler(hold))
        .route(
            Route::get("/large")
                .name("large")
                .allow(anyone)
                .handler(large),
        )
        .route(
            Route::get("/ticks")
                .name("ticks")
                .allow(anyone)
                .handler(ticks),
        )
        .route(
            Route::get("/endless")
                .name("endless")
                .allow(anyone)
                .handler(endless),
        )
        .route(Route::get("/echo").name("echo").allow(anyone).handler(echo))
        .route(
            Route::post("/length")
                .name("length")
                .allow(anyone)
                .handler(length),
        );
    Service::builder().module(module).build().unwrap()
}

/// A running server.
pub(crate) struct Running {
    pub(crate) address: SocketAddr,
    pub(crate) service: Service,
    pub(crate) tls: Tls,
    stop: Option<oneshot::Sender<()>>,
    done: JoinHandle<Drained>,
}

pub(crate) async fn run(files: &Files, change: impl FnOnce(&mut ServerOptions)) -> Running {
    let tls = files.load().unwrap();
    let mut options = ServerOptions::new(([127, 0, 0, 1], 0).into());
    options.tls = Some(tls.clone());
    change(&mut options);
    let service = service();
    let server = Server::bind(service.clone(), options).await.unwrap();
    let address = server.address().tcp().unwrap();
    let (stop, stopped) = oneshot::channel();
    let done = tokio::spawn(server.run_until(async {
        let _ = stopped.await;
    }));
    Running {
        address,
        service,
        tls,
        stop: Some(stop),
        done,
    }
}

impl Running {
    pub(crate) fn stop(&mut self) {
        self.stop.take().unwrap().send(()).unwrap();
    }

    /// Waits for the end, then returns the connections that were cut.
    pub(crate) async fn cut(self) -> usize {
        soon(self.done).await.unwrap().cut
    }

    /// Waits until a request is in the handler of `/hold`.
    pub(crate) async fn reached(&self) {
        soon(GATE.reached.acquire()).await.unwrap().forget();
    }

    /// Lets a request out of the handler of `/hold`.
    pub(crate) fn go(&self) {
        GATE.go.add_permits(1);
    }
}

/// Fails instead of hanging if the event never occurs.
pub(crate) async fn soon<F: Future>(future: F) -> F::Output {
    tokio::time::timeout(Duration::from_secs(30), future)
        .await
        .expect("it never came")
}

/// Connects, and performs the handshake.
pub(crate) async fn connect(
    address: SocketAddr,
    client: &TlsConnector,
) -> io::Result<TlsStream<TcpStream>> {
    let stream = soon(TcpStream::connect(address)).await?;
    let name = ServerName::try_from("localhost").unwrap();
    soon(client.connect(name, stream)).await
}

/// Sends a request over HTTP/1.1 and reads its response: head in lower case, and body.
pub(crate) async fn exchange(
    stream: &mut TlsStream<TcpStream>,
    request: &str,
) -> io::Result<(String, String)> {
    stream.write_all(request.as_bytes()).await?;
    stream.flush().await?;
    answer(stream).await
}

pub(crate) async fn get(
    stream: &mut TlsStream<TcpStream>,
    path: &str,
) -> io::Result<(String, String)> {
    exchange(
        stream,
        &format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n\r\n"),
    )
    .await
}

/// Reads a response with a length.
pub(crate) async fn answer(stream: &mut TlsStream<TcpStream>) -> io::Result<(String, String)> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(soon(stream.read_u8()).await?);
    }
    let head = String::from_utf8(head).unwrap().to_lowercase();
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "))
        .map_or(0, |length| length.parse().unwrap());
    let mut body = vec![0; length];
    soon(stream.read_exact(&mut body)).await?;
    Ok((head, String::from_utf8(body).unwrap()))
}

/// Reads what a server sends until it closes: with `close_notify`, or else an error.
pub(crate) async fn rest(stream: &mut TlsStream<TcpStream>) -> io::Result<String> {
    let mut rest = String::new();
    soon(stream.read_to_string(&mut rest)).await?;
    Ok(rest)
}
