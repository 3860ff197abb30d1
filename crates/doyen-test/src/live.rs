//! The application on a socket.

use std::net::SocketAddr;

use doyen::web::{Server, ServerOptions};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::TestApp;

/// A server on a free port of 127.0.0.1. Stopped when it is dropped.
///
/// For tests that need a socket: malformed requests, clients that disconnect, the drain. Responses
/// are not compared with the document.
#[derive(Debug)]
pub struct Live {
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    running: JoinHandle<()>,
}

impl Live {
    pub(crate) async fn start(app: TestApp) -> Self {
        let options = ServerOptions::new(SocketAddr::from(([127, 0, 0, 1], 0)));
        let server = Server::bind(app.service().clone(), options)
            .await
            .unwrap_or_else(|error| panic!("{error}"));
        let address = server.address().tcp().expect("it listens on TCP");
        let (stop, stopped) = oneshot::channel::<()>();
        let running = tokio::spawn(async move {
            let stop = async {
                let _ = stopped.await;
            };
            server.run_until(stop).await;
        });
        Self {
            address,
            stop: Some(stop),
            running,
        }
    }

    /// Returns its address.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Opens a connection.
    pub async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address)
            .await
            .unwrap_or_else(|error| panic!("{}: {error}", self.address))
    }

    /// Sends bytes on a new connection and reads until the server closes it. Send
    /// `Connection: close`.
    pub async fn exchange(&self, bytes: impl AsRef<[u8]>) -> String {
        let mut stream = self.connect().await;
        stream
            .write_all(bytes.as_ref())
            .await
            .unwrap_or_else(|error| panic!("not sent: {error}"));
        let mut answer = Vec::new();
        // A server that closes before it has read everything resets the connection. Bytes received
        // before count.
        let _ = stream.read_to_end(&mut answer).await;
        String::from_utf8_lossy(&answer).into_owned()
    }

    /// Starts the drain; the server ends with its last request.
    pub fn stop(&mut self) {
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
    }

    /// Starts the drain and waits for its end.
    pub async fn stopped(mut self) {
        self.stop();
        (&mut self.running)
            .await
            .unwrap_or_else(|error| panic!("the server ended with an error: {error}"));
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        self.running.abort();
    }
}
