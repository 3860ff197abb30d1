//! A listener, on TCP or on a Unix socket.

use std::io;
use std::net::SocketAddr;

use tokio::net::TcpListener;
#[cfg(unix)]
use tokio::net::UnixListener;

use super::backlog;
use super::listen_address::ListenAddress;
use super::transport::Transport;
#[cfg(unix)]
use super::unix_socket::{self, SocketFile};
use super::{BindError, ServerOptions};

/// Maximum bytes that the kernel accepts before it can send them.
///
/// By default the kernel buffers megabytes for each client.
#[cfg(any(target_os = "linux", target_os = "android"))]
const MAX_UNSENT_BYTES: u32 = 128 << 10;

/// A listener that another process has opened.
#[derive(Debug)]
#[non_exhaustive]
pub enum OpenListener {
    /// A TCP listener.
    Tcp(std::net::TcpListener),
    /// A Unix socket. The other process also removes its file.
    #[cfg(unix)]
    Unix(std::os::unix::net::UnixListener),
}

impl From<std::net::TcpListener> for OpenListener {
    fn from(listener: std::net::TcpListener) -> Self {
        Self::Tcp(listener)
    }
}

#[cfg(unix)]
impl From<std::os::unix::net::UnixListener> for OpenListener {
    fn from(listener: std::os::unix::net::UnixListener) -> Self {
        Self::Unix(listener)
    }
}

impl OpenListener {
    /// Returns its address.
    ///
    /// # Errors
    ///
    /// Returns an error if it is a Unix socket without a file.
    pub fn address(&self) -> io::Result<ListenAddress> {
        match self {
            Self::Tcp(listener) => listener.local_addr().map(ListenAddress::Tcp),
            #[cfg(unix)]
            Self::Unix(listener) => {
                let address = listener.local_addr()?;
                let path = address.as_pathname().ok_or_else(|| {
                    io::Error::new(io::ErrorKind::Unsupported, "the Unix socket has no file")
                })?;
                Ok(ListenAddress::Unix(path.to_owned()))
            }
        }
    }
}

/// A listener of the server.
#[derive(Debug)]
pub(super) enum Listener {
    Tcp(TcpListener),
    #[cfg(unix)]
    Unix {
        /// `None` if another process removes the file. Dropped before the listener: otherwise a
        /// process that starts could replace the file in between.
        file: Option<SocketFile>,
        listener: UnixListener,
    },
}

impl Listener {
    /// Opens the address of these options.
    pub(super) async fn bind(options: &ServerOptions) -> Result<Self, BindError> {
        let failed = |cause, help| BindError {
            bind: options.bind.clone(),
            cause,
            help,
        };
        check(options)
            .map_err(|cause| failed(cause, "Remove the certificate, or choose a TCP address"))?;
        match &options.bind {
            ListenAddress::Tcp(address) => {
                let listener = TcpListener::bind(address).await.map_err(|cause| {
                    let help = "Stop the process that uses the address, or choose another one";
                    failed(cause, help)
                })?;
                limit_unsent_bytes(&listener);
                Ok(Self::Tcp(listener))
            }
            #[cfg(unix)]
            ListenAddress::Unix(path) => {
                let (listener, file) = unix_socket::open(path, options.socket_mode)
                    .await
                    .map_err(|error| failed(error.cause, error.help))?;
                let listener = UnixListener::from_std(listener)
                    .map_err(|cause| failed(cause, "Choose a TCP address"))?;
                let file = Some(file);
                Ok(Self::Unix { file, listener })
            }
            #[cfg(not(unix))]
            ListenAddress::Unix(_) => Err(failed(
                io::ErrorKind::Unsupported.into(),
                "Choose a TCP address",
            )),
        }
    }

    /// Uses a listener that another process has opened.
    pub(super) fn on(listener: OpenListener, options: &ServerOptions) -> io::Result<Self> {
        match listener {
            OpenListener::Tcp(listener) => {
                listener.set_nonblocking(true)?;
                let listener = TcpListener::from_std(listener)?;
                limit_unsent_bytes(&listener);
                Ok(Self::Tcp(listener))
            }
            #[cfg(unix)]
            OpenListener::Unix(listener) => {
                check(options)?;
                listener.set_nonblocking(true)?;
                Ok(Self::Unix {
                    file: None,
                    listener: UnixListener::from_std(listener)?,
                })
            }
        }
    }

    /// Returns the address with the port that was chosen for port 0.
    pub(super) fn address(&self, options: &ServerOptions) -> ListenAddress {
        match self {
            Self::Tcp(listener) => listener
                .local_addr()
                .map_or_else(|_| options.bind.clone(), ListenAddress::Tcp),
            #[cfg(unix)]
            Self::Unix { .. } => options.bind.clone(),
        }
    }

    /// Accepts a connection. The peer of a Unix socket has no address.
    pub(super) async fn accept(&self) -> io::Result<(Transport, Option<SocketAddr>)> {
        match self {
            Self::Tcp(listener) => {
                let (stream, peer) = listener.accept().await?;
                Ok((stream.into(), Some(peer)))
            }
            #[cfg(unix)]
            Self::Unix { listener, .. } => {
                let (stream, _) = listener.accept().await?;
                Ok((stream.into(), None))
            }
        }
    }

    /// Begins no new connections. Those in the queue can be accepted. Returns true if some may
    /// still be on their way to the queue.
    pub(super) fn refuse_new(&mut self) -> bool {
        match self {
            Self::Tcp(listener) => {
                backlog::refuse_new(listener);
                true
            }
            #[cfg(unix)]
            Self::Unix { file, listener } => {
                drop(file.take());
                // Refuses clients that have found the file before.
                let socket = socket2::SockRef::from(&*listener);
                if let Err(error) = socket.shutdown(std::net::Shutdown::Read) {
                    tracing::debug!(%error, "the Unix socket was not closed for new connections");
                }
                false
            }
        }
    }

    /// Closes it. Returns the connections in its queue, which the runtime may not have noticed yet.
    pub(super) fn close(self) -> io::Result<Vec<(Transport, Option<SocketAddr>)>> {
        match self {
            Self::Tcp(listener) => {
                let listener = listener.into_std()?;
                let mut waiting = Vec::new();
                backlog::drain(
                    || listener.accept(),
                    |(stream, peer)| {
                        stream.set_nonblocking(true)?;
                        let stream = tokio::net::TcpStream::from_std(stream)?;
                        waiting.push((stream.into(), Some(peer)));
                        Ok(())
                    },
                )?;
                Ok(waiting)
            }
            #[cfg(unix)]
            Self::Unix { listener, .. } => {
                let listener = listener.into_std()?;
                let mut waiting = Vec::new();
                backlog::drain(
                    || listener.accept(),
                    |(stream, _)| {
                        stream.set_nonblocking(true)?;
                        waiting.push((tokio::net::UnixStream::from_std(stream)?.into(), None));
                        Ok(())
                    },
                )?;
                Ok(waiting)
            }
        }
    }
}

/// Refuses TLS on a Unix socket: its bytes do not leave the machine.
fn check(options: &ServerOptions) -> io::Result<()> {
    if options.is_encrypted() && options.bind.unix().is_some() {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "a Unix socket does not speak TLS",
        ));
    }
    Ok(())
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
