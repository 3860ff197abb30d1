//! A TLS session over a TCP connection: the handshake, and what the server has to know of the bytes
//! below.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::{TlsAcceptor, server};

use crate::tls::{ALPN_HTTP2, Tls};

/// Maximum bytes of a client before its handshake is complete: two hellos, and the first record of
/// a request, which can follow at once and has up to 16 KiB.
const MAX_HANDSHAKE_BYTES: u64 = 34 << 10;

/// Maximum bytes of encrypted responses that wait in the session until the socket accepts them.
const MAX_UNSENT_BYTES: usize = 32 << 10;

/// The first byte of a TLS connection: the type of a record with a handshake.
const HANDSHAKE_RECORD: u8 = 22;

/// A TLS session.
#[derive(Debug)]
pub(super) struct TlsStream(server::TlsStream<RecordSocket>);

impl TlsStream {
    /// Performs the handshake.
    pub(super) async fn accept(stream: TcpStream, tls: &Tls) -> io::Result<Self> {
        let socket = RecordSocket {
            stream,
            received: 0,
            sent: 0,
            is_established: false,
            records: Records::default(),
        };
        let acceptor = TlsAcceptor::from(tls.config());
        let accept = acceptor.accept_with(socket, |session| {
            session.set_buffer_limit(Some(MAX_UNSENT_BYTES));
        });
        let mut session = accept.await?;
        session.get_mut().0.is_established = true;
        Ok(Self(session))
    }

    /// True if the client has chosen HTTP/2.
    pub(super) fn is_http2(&self) -> bool {
        self.0.get_ref().1.alpn_protocol() == Some(ALPN_HTTP2)
    }

    /// True if a part of a record was read.
    pub(super) fn is_in_record(&self) -> bool {
        self.0.get_ref().0.records.is_in_record()
    }

    /// Returns the maximum of the bytes that wait in the session.
    pub(super) fn unsent(&self) -> usize {
        if self.0.get_ref().1.wants_write() {
            MAX_UNSENT_BYTES
        } else {
            0
        }
    }

    /// Returns the bytes that the socket has accepted so far.
    pub(super) fn sent(&self) -> u64 {
        self.0.get_ref().0.sent
    }

    pub(super) fn socket(&self) -> &TcpStream {
        &self.0.get_ref().0.stream
    }
}

/// Waits for the first byte of a client. Returns false if it speaks HTTP/1.1 without TLS: a method
/// has only capital letters.
pub(super) async fn speaks_tls(stream: &TcpStream) -> io::Result<bool> {
    let mut first = [0];
    stream.peek(&mut first).await?;
    Ok(first[0] == HANDSHAKE_RECORD || !first[0].is_ascii_uppercase())
}

impl AsyncRead for TlsStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, into)
    }
}

impl AsyncWrite for TlsStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write_vectored(cx, parts)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    /// Sends `close_notify`, then closes the sending side.
    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}

/// The socket below a session.
#[derive(Debug)]
struct RecordSocket {
    stream: TcpStream,
    received: u64,
    sent: u64,
    is_established: bool,
    records: Records,
}

impl AsyncRead for RecordSocket {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if !this.is_established && this.received > MAX_HANDSHAKE_BYTES {
            return Poll::Ready(Err(io::Error::new(
                io::ErrorKind::InvalidData,
                "the handshake is too large",
            )));
        }
        let before = into.filled().len();
        ready!(Pin::new(&mut this.stream).poll_read(cx, into))?;
        let bytes = &into.filled()[before..];
        this.received += bytes.len() as u64;
        this.records.advance(bytes);
        Poll::Ready(Ok(()))
    }
}

impl RecordSocket {
    fn note_sent(&mut self, result: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        if let Poll::Ready(Ok(bytes)) = &result {
            self.sent += *bytes as u64;
        }
        result
    }
}

impl AsyncWrite for RecordSocket {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.note_sent(result)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.stream).poll_write_vectored(cx, parts);
        self.note_sent(result)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

/// Where in its records a client is: a record of which a part has arrived can hold a request.
#[derive(Debug, Default)]
struct Records {
    /// Bytes of the header that were read: type, version, length.
    header: u8,
    /// Bytes of the content that are left.
    left: u16,
}

impl Records {
    const HEADER_BYTES: u8 = 5;

    fn advance(&mut self, mut bytes: &[u8]) {
        while let [first, rest @ ..] = bytes {
            if self.header < Self::HEADER_BYTES {
                self.header += 1;
                // The length is in the last two bytes.
                self.left = self.left << 8 | u16::from(*first);
                bytes = rest;
            } else {
                let length = bytes.len().min(usize::from(self.left));
                self.left -= u16::try_from(length).unwrap_or(self.left);
                bytes = &bytes[length..];
            }
            if self.header == Self::HEADER_BYTES && self.left == 0 {
                self.header = 0;
            }
        }
    }

    const fn is_in_record(&self) -> bool {
        self.header > 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_ends_with_its_last_byte_however_it_arrives() {
        let mut bytes = vec![23, 3, 3, 0, 3, 1, 2, 3];
        bytes.extend([23, 3, 3, 0, 0]);
        bytes.extend([23, 3, 3, 1, 4]);
        bytes.extend([0; 260]);
        let ends = [8, 13, bytes.len()];
        for piece in 1..=bytes.len() {
            let mut records = Records::default();
            let mut read = 0;
            for part in bytes.chunks(piece) {
                records.advance(part);
                read += part.len();
                assert_eq!(
                    !records.is_in_record(),
                    ends.contains(&read),
                    "{piece} {read}"
                );
            }
        }
    }
}
