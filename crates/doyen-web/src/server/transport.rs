//! What carries the bytes of a connection: TCP, TLS over TCP, or a Unix socket.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
#[cfg(unix)]
use tokio::net::UnixStream;

use super::kernel;
#[cfg(feature = "tls")]
use super::tls_stream::TlsStream;

/// The bytes of a connection, in both directions.
#[derive(Debug)]
pub struct Transport(Kind);

#[derive(Debug)]
enum Kind {
    Tcp(TcpStream),
    #[cfg(unix)]
    Unix(UnixStream),
    #[cfg(feature = "tls")]
    Tls(Box<TlsStream>),
}

/// Calls a function of the stream, whatever it is.
macro_rules! stream {
    ($transport:expr, $stream:ident => $call:expr) => {
        match &mut $transport.0 {
            Kind::Tcp($stream) => $call,
            #[cfg(unix)]
            Kind::Unix($stream) => $call,
            #[cfg(feature = "tls")]
            Kind::Tls($stream) => $call,
        }
    };
}

impl From<TcpStream> for Transport {
    fn from(stream: TcpStream) -> Self {
        Self(Kind::Tcp(stream))
    }
}

#[cfg(unix)]
impl From<UnixStream> for Transport {
    fn from(stream: UnixStream) -> Self {
        Self(Kind::Unix(stream))
    }
}

#[cfg(feature = "tls")]
impl From<TlsStream> for Transport {
    fn from(stream: TlsStream) -> Self {
        Self(Kind::Tls(Box::new(stream)))
    }
}

impl Transport {
    /// True if it is a Unix socket.
    pub(super) const fn is_unix(&self) -> bool {
        #[cfg(unix)]
        return matches!(self.0, Kind::Unix(_));
        #[cfg(not(unix))]
        false
    }

    /// Returns the TCP connection that a TLS session needs.
    #[cfg(feature = "tls")]
    pub(super) fn into_tcp(self) -> Option<TcpStream> {
        match self.0 {
            Kind::Tcp(stream) => Some(stream),
            _ => None,
        }
    }

    /// Sends small responses without waiting for a full packet.
    pub(super) fn set_nodelay(&self) {
        if let Kind::Tcp(stream) = &self.0
            && let Err(error) = stream.set_nodelay(true)
        {
            tracing::debug!(%error, "no TCP_NODELAY");
        }
    }

    /// Returns the maximum of the bytes that it has accepted and not yet passed to the system.
    pub(super) fn unsent(&self) -> usize {
        match &self.0 {
            Kind::Tcp(_) => 0,
            #[cfg(unix)]
            Kind::Unix(_) => 0,
            #[cfg(feature = "tls")]
            Kind::Tls(stream) => stream.unsent(),
        }
    }

    /// Returns the protocol that the client has chosen: true for HTTP/2. `None` without TLS.
    pub(super) fn is_http2(&self) -> Option<bool> {
        match &self.0 {
            Kind::Tcp(_) => None,
            #[cfg(unix)]
            Kind::Unix(_) => None,
            #[cfg(feature = "tls")]
            Kind::Tls(stream) => Some(stream.is_http2()),
        }
    }

    /// True if bytes of the client have arrived that are not read.
    pub(super) fn has_input(&self) -> bool {
        match &self.0 {
            Kind::Tcp(stream) => kernel::has_input(stream),
            #[cfg(unix)]
            Kind::Unix(stream) => kernel::has_input(stream),
            #[cfg(feature = "tls")]
            Kind::Tls(stream) => stream.is_in_record() || kernel::has_input(stream.socket()),
        }
    }

    /// Returns the bytes that the client has acknowledged so far, if the system counts them.
    pub(super) fn acknowledged(&self) -> Option<u64> {
        match &self.0 {
            Kind::Tcp(stream) => kernel::acknowledged(stream),
            #[cfg(unix)]
            Kind::Unix(_) => None,
            #[cfg(feature = "tls")]
            Kind::Tls(stream) => kernel::acknowledged(stream.socket()),
        }
    }

    /// Returns the bytes that the client has to acknowledge once `written` bytes are accepted.
    pub(super) fn sent(&self, written: u64) -> u64 {
        match &self.0 {
            Kind::Tcp(_) => written,
            #[cfg(unix)]
            Kind::Unix(_) => written,
            #[cfg(feature = "tls")]
            Kind::Tls(stream) => stream.sent(),
        }
    }
}

impl AsyncRead for Transport {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        stream!(self, stream => Pin::new(stream).poll_read(cx, into))
    }
}

impl AsyncWrite for Transport {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        stream!(self, stream => Pin::new(stream).poll_write(cx, bytes))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        stream!(self, stream => Pin::new(stream).poll_write_vectored(cx, parts))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        stream!(self, stream => Pin::new(stream).poll_flush(cx))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        stream!(self, stream => Pin::new(stream).poll_shutdown(cx))
    }
}
