//! A service that the application calls: a real HTTP server with scripted replies and faults.

mod connection;
mod reply;
mod tls;

use std::collections::VecDeque;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use doyen::domain::sync::{ignore_poison, lock};

pub use connection::Received;
pub use reply::Reply;

use tls::Certificate;

/// Maximum time to wait for requests before the test fails.
const TIMEOUT: Duration = Duration::from_secs(20);

/// An upstream for one test: an HTTP/1.1 server on a free port of 127.0.0.1. It records every
/// request, and replies as the test says. Stopped when dropped.
///
/// ```
/// use doyen_test::{Reply, UpstreamServer};
///
/// let upstream = UpstreamServer::start();
/// upstream.reply(Reply::status(503).header("retry-after", "1"));
/// upstream.reply(Reply::half_of("a body that is cut"));
/// upstream.always(Reply::json(&serde_json::json!({"ok": true})));
/// assert!(upstream.url().starts_with("http://127.0.0.1:"));
/// assert!(upstream.requests().is_empty());
/// ```
///
/// Replies are used in the order of the requests, then the one of [`always`](Self::always), which
/// is a 200 without a body at first.
#[derive(Debug)]
pub struct UpstreamServer {
    address: SocketAddr,
    state: Arc<State>,
    certificate: Option<Certificate>,
}

/// What the connections share.
#[derive(Debug, Default)]
struct State {
    script: Mutex<(VecDeque<Reply>, Reply)>,
    received: Mutex<Vec<Received>>,
    connections: AtomicUsize,
    streams: Mutex<Vec<TcpStream>>,
    held: Mutex<Held>,
    released: Condvar,
    is_stopped: AtomicBool,
}

/// Replies that wait for the test.
#[derive(Debug, Default)]
struct Held {
    arrived: usize,
    released: usize,
}

impl UpstreamServer {
    /// Starts a server without TLS.
    pub fn start() -> Self {
        Self::serve(None)
    }

    /// Starts a server with TLS and a certificate for `localhost` and 127.0.0.1, which a client
    /// must trust: see [`ca_file`](Self::ca_file).
    pub fn start_tls() -> Self {
        Self::serve(Some(Certificate::new()))
    }

    fn serve(certificate: Option<Certificate>) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0));
        let listener = listener.unwrap_or_else(|error| panic!("no port: {error}"));
        let address = listener.local_addr();
        let address = address.unwrap_or_else(|error| panic!("no address: {error}"));
        let state = Arc::new(State::default());
        let tls = certificate.as_ref().map(Certificate::config);
        let shared = Arc::clone(&state);
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if shared.is_stopped.load(Ordering::SeqCst) {
                    return;
                }
                shared.connections.fetch_add(1, Ordering::SeqCst);
                if let Ok(clone) = stream.try_clone() {
                    lock(&shared.streams).push(clone);
                }
                let (state, tls) = (Arc::clone(&shared), tls.clone());
                std::thread::spawn(move || connection::serve(&state, stream, tls));
            }
        });
        Self {
            address,
            state,
            certificate,
        }
    }

    /// Returns the base URL: `http://127.0.0.1:..`, or `https://localhost:..` with TLS.
    pub fn url(&self) -> String {
        match self.certificate {
            Some(_) => format!("https://localhost:{}", self.address.port()),
            None => format!("http://{}", self.address),
        }
    }

    /// Returns the port.
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// Returns the file with the certificate (PEM) of a server with TLS.
    pub fn ca_file(&self) -> &Path {
        let certificate = self.certificate.as_ref();
        certificate.map_or_else(|| panic!("the server has no TLS"), Certificate::file)
    }

    /// Adds the reply to one request.
    pub fn reply(&self, reply: Reply) -> &Self {
        lock(&self.state.script).0.push_back(reply);
        self
    }

    /// Sets the reply to all further requests.
    pub fn always(&self, reply: Reply) -> &Self {
        lock(&self.state.script).1 = reply;
        self
    }

    /// Returns the requests so far, in the order of their arrival.
    pub fn requests(&self) -> Vec<Received> {
        lock(&self.state.received).clone()
    }

    /// Returns the number of connections so far.
    pub fn connections(&self) -> usize {
        self.state.connections.load(Ordering::SeqCst)
    }

    /// Waits until this number of requests has arrived, and returns them.
    pub async fn received(&self, number: usize) -> Vec<Received> {
        let deadline = Instant::now() + TIMEOUT;
        loop {
            let requests = self.requests();
            if requests.len() >= number {
                return requests;
            }
            let found = requests.len();
            assert!(
                Instant::now() < deadline,
                "{found} of {number} requests arrived"
            );
            // The server runs on threads of its own.
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }

    /// Sends this number of [held](Reply::hold) replies, also those of requests to come.
    pub fn release(&self, number: usize) {
        let mut held = lock(&self.state.held);
        held.released += number;
        self.state.released.notify_all();
    }
}

impl State {
    fn next_reply(&self) -> Reply {
        let mut script = lock(&self.script);
        let always = script.1.clone();
        script.0.pop_front().unwrap_or(always)
    }

    /// Waits until the test releases this reply.
    fn wait_for_release(&self) {
        let mut held = lock(&self.held);
        let number = held.arrived;
        held.arrived += 1;
        while held.released <= number && !self.is_stopped.load(Ordering::SeqCst) {
            held = ignore_poison(self.released.wait(held));
        }
    }
}

impl Drop for UpstreamServer {
    fn drop(&mut self) {
        self.state.is_stopped.store(true, Ordering::SeqCst);
        drop(lock(&self.state.held));
        self.state.released.notify_all();
        for stream in lock(&self.state.streams).drain(..) {
            // It may be closed already.
            let _ = stream.shutdown(std::net::Shutdown::Both);
        }
        // Wakes the thread that accepts.
        let _ = TcpStream::connect(self.address);
    }
}
