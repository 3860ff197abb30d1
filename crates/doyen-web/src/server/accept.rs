//! The server: accepts connections until it is stopped, then drains.

use std::fmt;
use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::task::TaskTracker;

use super::ServerOptions;
use super::client_slots::{ClientSlots, network};
use super::shutdown::{Shutdown, Stage};
use super::{connection, overload, signals};
use crate::service::Service;

/// Maximum time for the cleanup after the last requests.
const CLEANUP_TIMEOUT: Duration = Duration::from_secs(5);

/// Maximum number of connections that are being rejected with a response at once.
const MAX_REJECTIONS: usize = 256;

/// Delay after an error of `accept`.
const ACCEPT_RETRY_DELAY: Duration = Duration::from_millis(50);

/// Maximum bytes that the kernel accepts before it can send them.
///
/// The server sees that a client reads by the socket accepting more. By default the kernel buffers
/// megabytes and accepts more only when a third of them is sent, so that a slow client would look
/// like one that does not read.
#[cfg(any(target_os = "linux", target_os = "android"))]
const MAX_UNSENT_BYTES: u32 = 128 << 10;

/// A service that listens on an address.
#[derive(Debug)]
pub struct Server {
    service: Service,
    listener: TcpListener,
    options: ServerOptions,
}

/// The server cannot listen on the address.
#[derive(Debug)]
pub struct BindError {
    bind: SocketAddr,
    cause: std::io::Error,
}

impl fmt::Display for BindError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "cannot listen on {}: {}. Stop the process that uses the address, or choose another one",
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
    /// Binds the address.
    ///
    /// # Errors
    ///
    /// Returns an error if the address is in use or does not belong to this machine.
    pub async fn bind(service: Service, options: ServerOptions) -> Result<Self, BindError> {
        let listener = TcpListener::bind(options.bind)
            .await
            .map_err(|cause| BindError {
                bind: options.bind,
                cause,
            })?;
        limit_unsent_bytes(&listener);
        Ok(Self {
            service,
            listener,
            options,
        })
    }

    /// Returns the address that it listens on, with the port that was chosen for port 0.
    pub fn address(&self) -> SocketAddr {
        self.listener.local_addr().unwrap_or(self.options.bind)
    }

    /// Serves until this future completes, then drains. A SIGTERM or SIGINT during the drain ends
    /// it at once.
    ///
    /// The container of the service stays open: close it with `Container::close` when nothing uses
    /// its values any more.
    pub async fn run_until(self, stop: impl Future<Output = ()>) {
        let Self {
            service,
            listener,
            options,
        } = self;
        let permits = Arc::new(Semaphore::new(options.max_connections));
        let address = listener.local_addr().unwrap_or(options.bind);
        let connections = TaskTracker::new();
        let shutdown = Shutdown::new();
        // It owns the listener: to drop it stops listening.
        let mut accept = Box::pin(accept_all(
            listener,
            &service,
            &options,
            &permits,
            &connections,
            &shutdown,
        ));
        tokio::select! {
            () = &mut accept => {}
            () = stop => {
                // Not ready, but still listening: late requests get their responses.
                service.drain().begin();
                tracing::info!(%address, open = connections.len(), "draining");
                tokio::select! {
                    () = &mut accept => {}
                    () = tokio::time::sleep(options.drain_delay) => {}
                    () = signals::shutdown_signal() => {}
                }
            }
        }
        // No new connections. Open ones finish their requests.
        drop(accept);
        shutdown.enter(Stage::Finish);
        connections.close();
        tokio::select! {
            () = connections.wait() => {}
            () = tokio::time::sleep(options.drain_deadline) => tracing::warn!(%address, left = connections.len(), "connections closed at the drain deadline"),
            () = signals::shutdown_signal() => tracing::warn!(left = connections.len(), "connections closed by a second signal"),
        }
        // The rest is closed, and its units of work roll back, before the container is closed.
        shutdown.enter(Stage::Cut);
        let cleanup = async {
            connections.wait().await;
            service.settled().await;
        };
        if tokio::time::timeout(CLEANUP_TIMEOUT, cleanup)
            .await
            .is_err()
        {
            tracing::warn!("the cleanup of the last requests did not finish");
        }
    }
}

async fn accept_all(
    listener: TcpListener,
    service: &Service,
    options: &ServerOptions,
    permits: &Arc<Semaphore>,
    connections: &TaskTracker,
    shutdown: &Shutdown,
) {
    let rejections = Arc::new(Semaphore::new(MAX_REJECTIONS));
    let slots = ClientSlots::new(options.max_connections_per_client);
    let proxies = &service.options().proxies;
    let has_security_headers = service.options().security_headers;
    loop {
        let (stream, peer) = match listener.accept().await {
            Ok(accepted) => accepted,
            Err(error) => {
                // Out of file descriptors, or the client has disconnected. Wait instead of
                // spinning.
                tracing::warn!(%error, "accept failed");
                tokio::time::sleep(ACCEPT_RETRY_DELAY).await;
                continue;
            }
        };
        set_nodelay(&stream);
        // A trusted proxy forwards for many clients.
        let client = (!proxies.trusts(peer.ip())).then(|| network(peer.ip()));
        let slot = match client {
            None => Some(None),
            Some(client) => slots.take(client).map(Some),
        };
        let permit = slot.and_then(|slot| {
            let permit = Arc::clone(permits).try_acquire_owned().ok()?;
            Some((slot, permit))
        });
        match permit {
            Some(permit) => {
                let served = connection::serve(
                    stream,
                    peer,
                    service.clone(),
                    options.clone(),
                    shutdown.clone(),
                    service.open_account(client),
                );
                connections.spawn(async move {
                    served.await;
                    drop(permit);
                });
            }
            // A rejection with a response needs time and a descriptor. Above the maximum the
            // connection is closed without one.
            None => {
                if let Ok(rejection) = Arc::clone(&rejections).try_acquire_owned() {
                    connections.spawn(async move {
                        overload::reject(stream, has_security_headers).await;
                        drop(rejection);
                    });
                }
            }
        }
    }
}

/// Sets the option on the listener, from which connections inherit it.
fn limit_unsent_bytes(listener: &TcpListener) {
    #[cfg(any(target_os = "linux", target_os = "android"))]
    if let Err(error) = socket2::SockRef::from(listener).set_tcp_notsent_lowat(MAX_UNSENT_BYTES) {
        tracing::debug!(%error, "no TCP_NOTSENT_LOWAT");
    }
    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    let _ = listener;
}

fn set_nodelay(stream: &TcpStream) {
    // Small responses must not wait for a full packet.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "no TCP_NODELAY");
    }
}
