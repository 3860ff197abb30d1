//! Listening, and taking connections.

use std::fmt;
use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::task::TaskTracker;

use super::ServerOptions;
use super::connection::{self, Closing};
use super::drain;
use super::places::{Places, network};
use crate::service::Service;

/// How long what follows the last answers may take: rolling back, releasing.
const LAST_WORK: Duration = Duration::from_secs(5);

/// How many connections are told at once that there is no room.
const TURNED_AWAY: usize = 256;

/// How many bytes the system takes from us before it can send them.
///
/// Whether a client reads is seen by whether the socket takes more. By itself the system lets megabytes pile up and takes more only once a
/// third of them is gone: a client that reads slowly would look like one that does not read.
#[cfg(any(target_os = "linux", target_os = "android"))]
const AHEAD: u32 = 128 << 10;

/// A service on an address.
#[derive(Debug)]
pub struct Server {
    service: Service,
    listener: TcpListener,
    options: ServerOptions,
}

/// The address can not be listened on.
#[derive(Debug)]
pub struct BindError {
    bind: SocketAddr,
    cause: std::io::Error,
}

impl fmt::Display for BindError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "can not listen on {}: {}. Stop what listens there, or choose another address",
            self.bind, self.cause
        )
    }
}

impl std::error::Error for BindError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.cause)
    }
}

impl Server {
    /// Listens.
    ///
    /// # Errors
    ///
    /// The address is taken or not ours.
    pub async fn bind(service: Service, options: ServerOptions) -> Result<Self, BindError> {
        let listener = TcpListener::bind(options.bind)
            .await
            .map_err(|cause| BindError {
                bind: options.bind,
                cause,
            })?;
        send_little_ahead(&listener);
        Ok(Self {
            service,
            listener,
            options,
        })
    }

    /// The address it listens on: with the port that was taken for port 0.
    pub fn address(&self) -> SocketAddr {
        self.listener.local_addr().unwrap_or(self.options.bind)
    }

    /// Serves until SIGTERM or SIGINT, then drains.
    pub async fn run(self) {
        drain::ignore_others();
        self.run_until(drain::signal()).await;
    }

    /// Serves until this future is done, then drains.
    pub async fn run_until(self, stop: impl Future<Output = ()>) {
        let Self {
            service,
            listener,
            options,
        } = self;
        let permits = Arc::new(Semaphore::new(options.max_connections));
        let connections = TaskTracker::new();
        let closing = Closing::new();
        // It owns the listener: dropping it stops listening.
        let mut accept = Box::pin(accept_all(
            listener,
            &service,
            &options,
            &permits,
            &connections,
            &closing,
        ));
        tokio::select! {
            () = &mut accept => {}
            () = stop => {
                // 1 Not ready, still listening: requests that were on their way are answered.
                service.drain().begin();
                tracing::info!(open = connections.len(), "draining");
                tokio::select! {
                    () = &mut accept => {}
                    () = tokio::time::sleep(options.drain_delay) => {}
                    () = drain::signal() => {}
                }
            }
        }
        // 2 No new connections; those that are open finish what they have.
        drop(accept);
        closing.begin();
        connections.close();
        tokio::select! {
            () = connections.wait() => {}
            () = tokio::time::sleep(options.drain_deadline) => tracing::warn!(left = connections.len(), "cut at the drain deadline"),
            () = drain::signal() => tracing::warn!(left = connections.len(), "cut by a second signal"),
        }
        // 3 What is left is cut: its units of work roll back. Only then is what they were made of released.
        closing.cut();
        let ended = async {
            connections.wait().await;
            service.settled().await;
        };
        if tokio::time::timeout(LAST_WORK, ended).await.is_err() {
            tracing::warn!("some work of the last requests did not end");
        }
        service.container().close().await;
    }
}

async fn accept_all(
    listener: TcpListener,
    service: &Service,
    options: &ServerOptions,
    permits: &Arc<Semaphore>,
    connections: &TaskTracker,
    closing: &Closing,
) {
    let telling = Arc::new(Semaphore::new(TURNED_AWAY));
    let places = Places::new(options.max_connections_per_client);
    let proxies = &service.options().proxies;
    let security = service.options().security_headers;
    loop {
        let (stream, peer) = match listener.accept().await {
            Ok(accepted) => accepted,
            Err(error) => {
                // Out of file descriptors, or a client that was gone already: wait a little, do not spin, do not die.
                tracing::warn!(%error, "accept failed");
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            }
        };
        prepare(&stream);
        // A trusted proxy speaks for many.
        let client = (!proxies.trusts(peer.ip())).then(|| network(peer.ip()));
        let place = match client {
            None => Some(None),
            Some(client) => places.take(client).map(Some),
        };
        let permit = place.and_then(|place| {
            let permit = Arc::clone(permits).try_acquire_owned().ok()?;
            Some((place, permit))
        });
        match permit {
            Some(permit) => {
                let served = connection::serve(
                    stream,
                    peer,
                    service.clone(),
                    options.clone(),
                    closing.clone(),
                    service.open_account(client),
                );
                connections.spawn(async move {
                    served.await;
                    drop(permit);
                });
            }
            // Telling takes a moment and a descriptor: beyond this many at once a connection is closed without a word.
            None => {
                if let Ok(telling) = Arc::clone(&telling).try_acquire_owned() {
                    connections.spawn(async move {
                        connection::turn_away(stream, security).await;
                        drop(telling);
                    });
                }
            }
        }
    }
}

/// Connections inherit it from their listener.
fn send_little_ahead(listener: &TcpListener) {
    #[cfg(any(target_os = "linux", target_os = "android"))]
    if let Err(error) = socket2::SockRef::from(listener).set_tcp_notsent_lowat(AHEAD) {
        tracing::debug!(%error, "no TCP_NOTSENT_LOWAT");
    }
    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    let _ = listener;
}

fn prepare(stream: &TcpStream) {
    // Small answers must not wait for a full packet.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "no TCP_NODELAY");
    }
}
