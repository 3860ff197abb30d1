//! Clients that send one request after another until the server refuses connections, or until the
//! test ends them. They honour what the server announces: after `Connection: close` or GOAWAY they
//! open another connection.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use doyen::web::ListenAddress;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};
use tokio::task::JoinSet;

use crate::exchange::exchange;

/// Longer than any response takes.
const TIMEOUT: Duration = Duration::from_secs(30);

/// Requests that an HTTP/2 client sends at once.
const STREAMS: usize = 4;

/// How a client uses connections.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    /// One connection for each request.
    Fresh,
    /// HTTP/1.1 with keep-alive.
    Kept,
    Http2,
}

/// What the clients send, and the status that they expect.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    pub(crate) method: &'static str,
    pub(crate) path: String,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) status: u16,
}

impl Target {
    pub(crate) fn get(path: &str) -> Self {
        Self {
            method: "GET",
            path: path.into(),
            headers: Vec::new(),
            status: 200,
        }
    }
}

/// Clients that are running.
pub(crate) struct Load {
    tally: Arc<Tally>,
    clients: JoinSet<()>,
}

#[derive(Default)]
struct Tally {
    served: AtomicUsize,
    lost: Mutex<Vec<String>>,
    is_finished: AtomicBool,
}

/// The result of a load.
#[derive(Debug)]
pub(crate) struct Report {
    pub(crate) served: usize,
    /// Why the other requests have no response.
    pub(crate) lost: Vec<String>,
}

impl Load {
    /// Starts this many clients.
    pub(crate) fn start(
        kind: Kind,
        many: usize,
        address: impl Into<ListenAddress>,
        target: &Target,
    ) -> Self {
        let address = address.into();
        let tally = Arc::<Tally>::default();
        let mut clients = JoinSet::new();
        for _ in 0..many {
            let (tally, target, address) = (Arc::clone(&tally), target.clone(), address.clone());
            clients.spawn(async move {
                while !tally.is_finished.load(Ordering::Relaxed)
                    && let Ok(stream) = connect(&address).await
                {
                    let used = match kind {
                        Kind::Fresh => http1(stream, &target, &tally, false).await,
                        Kind::Kept => http1(stream, &target, &tally, true).await,
                        Kind::Http2 => http2(stream, &target, &tally).await,
                    };
                    if let Err(why) = used {
                        tally.lost.lock().unwrap().push(why);
                    }
                }
            });
        }
        Self { tally, clients }
    }

    /// Waits until this many requests have been served.
    pub(crate) async fn reached(&self, served: usize) {
        let now = || self.tally.served.load(Ordering::Relaxed);
        while now() < served {
            let before = now();
            let progress = async {
                while now() == before {
                    tokio::time::sleep(Duration::from_millis(1)).await;
                }
            };
            let progress = tokio::time::timeout(TIMEOUT, progress).await;
            let lost = self.tally.lost.lock().unwrap().clone();
            assert!(progress.is_ok(), "{before} requests are served: {lost:?}");
        }
    }

    /// Ends the clients after their current requests.
    pub(crate) async fn finished(self) -> Report {
        self.tally.is_finished.store(true, Ordering::Relaxed);
        self.ended().await
    }

    /// Waits until every client is refused.
    pub(crate) async fn ended(mut self) -> Report {
        while let Some(client) = self.clients.join_next().await {
            client.unwrap();
        }
        Report {
            served: self.tally.served.load(Ordering::Relaxed),
            lost: std::mem::take(&mut self.tally.lost.lock().unwrap()),
        }
    }
}

impl Tally {
    fn count(&self, status: u16, target: &Target) -> Result<(), String> {
        if status != target.status {
            return Err(format!("status {status}"));
        }
        self.served.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }
}

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

async fn connect(address: &ListenAddress) -> std::io::Result<Box<dyn Stream>> {
    Ok(match address {
        ListenAddress::Tcp(address) => {
            let stream = TcpStream::connect(address).await?;
            stream.set_nodelay(true)?;
            Box::new(stream)
        }
        ListenAddress::Unix(path) => Box::new(UnixStream::connect(path).await?),
    })
}

/// Sends requests until the close is announced.
async fn http1(
    mut stream: Box<dyn Stream>,
    target: &Target,
    tally: &Tally,
    keep: bool,
) -> Result<(), String> {
    let headers = target.headers.iter();
    let headers: String = headers
        .map(|(name, value)| format!("{name}: {value}\r\n"))
        .collect();
    let request = format!(
        "{} {} HTTP/1.1\r\nhost: a\r\n{headers}\r\n",
        target.method, target.path
    );
    for number in 0_usize.. {
        let exchanged = exchange(&mut stream, request.as_bytes());
        let exchanged = tokio::time::timeout(TIMEOUT, exchanged).await;
        let response = exchanged.unwrap_or_else(|_| Err("no response in time".into()));
        let response = response.map_err(|why| format!("request {number}: {why}"))?;
        let counted = tally.count(response.status, target);
        counted.map_err(|why| format!("{why}: {}", response.text()))?;
        if !keep || response.closes() || tally.is_finished.load(Ordering::Relaxed) {
            break;
        }
    }
    Ok(())
}

/// Sends requests until the close is announced, several at once.
async fn http2(stream: Box<dyn Stream>, target: &Target, tally: &Tally) -> Result<(), String> {
    let (client, connection) = h2::client::handshake(stream)
        .await
        .map_err(|error| format!("handshake: {error}"))?;
    let connection = tokio::spawn(connection);
    // A stream that the server did not accept is one that the client may send again.
    let is_announced = |error: &h2::Error| {
        error.is_go_away() || error.reason() == Some(h2::Reason::REFUSED_STREAM)
    };
    for number in 0_usize.. {
        let mut ready = match client.clone().ready().await {
            Ok(ready) => ready,
            Err(error) if number > 0 || is_announced(&error) => break,
            Err(error) => return Err(format!("no request: {error}")),
        };
        let mut responses = Vec::new();
        for _ in 0..STREAMS {
            let uri = format!("http://a{}", target.path);
            let request = target.headers.iter().fold(
                http::Request::builder().method(target.method).uri(uri),
                |request, header| request.header(header.0, &header.1),
            );
            match ready.send_request(request.body(()).unwrap(), true) {
                Ok((response, _)) => responses.push(response),
                Err(_) => break,
            }
        }
        for response in responses {
            let whole = async {
                let response = response.await?;
                let status = response.status().as_u16();
                let mut body = response.into_body();
                while let Some(data) = body.data().await {
                    let length = data?.len();
                    let _ = body.flow_control().release_capacity(length);
                }
                Ok::<_, h2::Error>(status)
            };
            let Ok(whole) = tokio::time::timeout(TIMEOUT, whole).await else {
                return Err("no response in time".into());
            };
            match whole {
                Ok(status) => tally.count(status, target)?,
                Err(error) if is_announced(&error) => {}
                Err(error) => return Err(format!("requests {number}: {error}")),
            }
        }
        if tally.is_finished.load(Ordering::Relaxed) {
            break;
        }
    }
    drop(client);
    let _ = connection.await;
    Ok(())
}
