//! The server: accepts connections until it is stopped, then drains.

use std::fmt;
use std::future::Future;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio_util::task::TaskTracker;

use super::ServerOptions;
use super::client_slots::{ClientSlots, network};
use super::listen_address::ListenAddress;
use super::listener::{Listener, OpenListener};
use super::shutdown::{Shutdown, Stage};
use super::transport::Transport;
use super::{connection, overload, signals};
use crate::service::Service;

/// Maximum time for the cleanup after the last requests.
const CLEANUP_TIMEOUT: Duration = Duration::from_secs(5);

/// Maximum number of connections that are being rejected with a response at once.
const MAX_REJECTIONS: usize = 256;

/// How long a listener that begins no new connections waits for those that have begun: more than
/// most handshakes take.
const HANDSHAKE_TIME: Duration = Duration::from_millis(100);

/// Stands for all clients of a Unix socket, which have no addresses.
const UNIX_CLIENT: IpAddr = IpAddr::V6(Ipv6Addr::UNSPECIFIED);

/// Delay after an error of `accept`.
const ACCEPT_RETRY_DELAY: Duration = Duration::from_millis(50);

/// A service that listens on an address.
#[derive(Debug)]
pub struct Server {
    service: Service,
    listener: Listener,
    options: ServerOptions,
    /// Another process keeps the listener, and its queue, when this one stops.
    is_shared: bool,
}

/// How a drain ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Drained {
    /// Connections that were closed before their requests had finished, at the deadline or by a
    /// second signal.
    pub cut: usize,
}

/// The server cannot listen on the address.
#[derive(Debug)]
pub struct BindError {
    pub(super) bind: ListenAddress,
    pub(super) cause: std::io::Error,
    /// What to do.
    pub(super) help: &'static str,
}

impl fmt::Display for BindError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { bind, cause, help } = self;
        write!(f, "cannot listen on {bind}: {cause}. {help}")
    }
}

impl std::error::Error for BindError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.cause)
    }
}

impl Server {
    /// Binds the address. The file of a Unix socket is created, and removed when the server stops.
    ///
    /// # Errors
    ///
    /// Returns an error if the address is in use or does not belong to this machine, and if the
    /// file of a Unix socket cannot be created.
    pub async fn bind(service: Service, options: ServerOptions) -> Result<Self, BindError> {
        Ok(Self {
            listener: Listener::bind(&options).await?,
            service,
            options,
            is_shared: false,
        })
    }

    /// Serves on a listener that another process has opened and keeps open, such as systemd (socket
    /// activation). Connections that this process does not accept wait for the next one.
    ///
    /// # Errors
    ///
    /// Returns an error if the runtime cannot use the listener.
    pub fn on(
        listener: impl Into<OpenListener>,
        service: Service,
        options: ServerOptions,
    ) -> std::io::Result<Self> {
        Ok(Self {
            listener: Listener::on(listener.into(), &options)?,
            service,
            options,
            is_shared: true,
        })
    }

    /// Returns the address that it listens on, with the port that was chosen for port 0.
    pub fn address(&self) -> ListenAddress {
        self.listener.address(&self.options)
    }

    /// Serves until this future completes, then drains. A SIGTERM or SIGINT during the drain ends
    /// it at once.
    ///
    /// The container of the service stays open: close it with `Container::close` when nothing uses
    /// its values any more.
    pub async fn run_until(self, stop: impl Future<Output = ()>) -> Drained {
        let Self {
            service,
            listener,
            options,
            is_shared,
        } = self;
        let address = listener.address(&options);
        let connections = TaskTracker::new();
        let shutdown = Shutdown::new();
        let acceptor = Acceptor {
            permits: Arc::new(Semaphore::new(options.max_connections)),
            rejections: Arc::new(Semaphore::new(MAX_REJECTIONS)),
            slots: ClientSlots::new(options.max_connections_per_client),
            service: &service,
            options: &options,
            connections: &connections,
            shutdown: &shutdown,
        };
        tokio::select! {
            () = acceptor.run(&listener) => {}
            () = stop => {}
        }
        // Not ready, but still listening: late requests get their responses.
        service.drain().begin();
        shutdown.enter(Stage::Announce);
        tracing::info!(%address, open = connections.len(), "draining");
        let drain = async {
            tokio::select! {
                () = acceptor.run(&listener) => {}
                () = tokio::time::sleep(options.drain_delay) => {}
            }
            // No new connections. Open ones finish their requests.
            shutdown.enter(Stage::Finish);
            let closed = async {
                if is_shared {
                    drop(listener);
                } else {
                    acceptor.close(listener).await;
                }
                connections.close();
                connections.wait().await;
            };
            tokio::time::timeout(options.drain_deadline, closed).await
        };
        tokio::select! {
            in_time = drain => if in_time.is_err() {
                tracing::warn!(%address, left = connections.len(), "connections closed at the drain deadline");
            },
            () = signals::shutdown_signal() => {
                tracing::warn!(%address, left = connections.len(), "connections closed by a second signal");
            }
        }
        // The rest is closed, and its units of work roll back, before the container is closed.
        connections.close();
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
        Drained {
            cut: shutdown.cut(),
        }
    }
}

/// Accepts connections, within the limits, and serves them in tasks of their own.
struct Acceptor<'a> {
    permits: Arc<Semaphore>,
    rejections: Arc<Semaphore>,
    slots: Arc<ClientSlots>,
    service: &'a Service,
    options: &'a ServerOptions,
    connections: &'a TaskTracker,
    shutdown: &'a Shutdown,
}

impl Acceptor<'_> {
    /// Accepts connections until it is dropped.
    async fn run(&self, listener: &Listener) {
        loop {
            match listener.accept().await {
                Ok((stream, peer)) => self.serve(stream, peer),
                Err(error) => {
                    // Out of file descriptors, or the client has disconnected. Wait instead of
                    // spinning.
                    tracing::warn!(%error, "accept failed");
                    tokio::time::sleep(ACCEPT_RETRY_DELAY).await;
                }
            }
        }
    }

    /// Closes the listener once every connection to it is accepted.
    async fn close(&self, mut listener: Listener) {
        if listener.refuse_new() {
            tokio::select! {
                () = self.run(&listener) => {}
                () = tokio::time::sleep(HANDSHAKE_TIME) => {}
            }
        }
        match listener.close() {
            Ok(waiting) => {
                for (stream, peer) in waiting {
                    self.serve(stream, peer);
                }
            }
            Err(error) => tracing::warn!(%error, "the queue of the listener was not read"),
        }
    }

    fn serve(&self, stream: Transport, peer: Option<SocketAddr>) {
        stream.set_nodelay();
        let proxies = &self.service.options().proxies;
        // A trusted proxy forwards for many clients.
        let client = match peer {
            Some(peer) => (!proxies.trusts(peer.ip())).then(|| network(peer.ip())),
            None => (!proxies.trust_unix()).then_some(UNIX_CLIENT),
        };
        let slot = match client {
            None => Some(None),
            Some(client) => self.slots.take(client).map(Some),
        };
        let permit = slot.and_then(|slot| {
            let permit = Arc::clone(&self.permits).try_acquire_owned().ok()?;
            Some((slot, permit))
        });
        match permit {
            Some(permit) => {
                let served = connection::serve(
                    stream,
                    peer,
                    self.service.clone(),
                    self.options.clone(),
                    self.shutdown.clone(),
                    self.service.open_account(client),
                );
                self.connections.spawn(async move {
                    served.await;
                    drop(permit);
                });
            }
            // A handshake costs more than the response would save.
            None if self.options.is_encrypted() => {}
            // A rejection with a response needs time and a descriptor. Above the maximum the
            // connection is closed without one.
            None => {
                if let Ok(rejection) = Arc::clone(&self.rejections).try_acquire_owned() {
                    let service = self.service.clone();
                    self.connections.spawn(async move {
                        overload::reject(stream, service).await;
                        drop(rejection);
                    });
                }
            }
        }
    }
}
