//! Server-sent events over HTTP/1.1, written without the parser.
//!
//! A stream of events can last for days and is silent most of the time. The parser would keep its
//! buffers of 16 KiB meanwhile. So the connection leaves the parser once the head of the response
//! is known. The events are sent as chunks, and the connection closes after the last one, which the
//! head announces. What the client sends meanwhile is discarded.

use std::future::Future;
use std::io::{self, Write as _};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::SystemTime;

use http::{HeaderName, header};
use http_body::Body as _;
use tokio::io::AsyncWrite as _;

use crate::server::socket::ClientSocket;
use crate::{Body, Response};

/// Usual size of a head.
const HEAD_BYTES: usize = 1 << 10;

/// Maximum bytes of a chunk in addition to its content.
const CHUNK_OVERHEAD_BYTES: usize = 32;

/// Headers that this file writes itself.
const OWN: [HeaderName; 4] = [
    header::CONNECTION,
    header::CONTENT_LENGTH,
    header::DATE,
    header::TRANSFER_ENCODING,
];

/// A connection that sends a stream of events until it ends or the client disconnects.
pub(super) struct EventStream {
    socket: ClientSocket,
    body: Body,
    /// What is written now; empty and without memory between two events.
    output: Vec<u8>,
    written: usize,
    is_ended: bool,
}

impl EventStream {
    pub(super) fn new(socket: ClientSocket, response: Response) -> Self {
        let (head, body) = response.into_parts();
        Self {
            socket,
            body,
            output: write_head(&head),
            written: 0,
            is_ended: false,
        }
    }

    fn poll_write(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.written < self.output.len() {
            let rest = &self.output[self.written..];
            match ready!(Pin::new(&mut self.socket).poll_write(cx, rest))? {
                0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                count => self.written += count,
            }
        }
        if !self.output.is_empty() {
            ready!(Pin::new(&mut self.socket).poll_flush(cx))?;
            self.output = Vec::new();
            self.written = 0;
        }
        Poll::Ready(Ok(()))
    }
}

impl Future for EventStream {
    type Output = io::Result<()>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.socket.poll_disconnected(cx).is_ready() {
            return Poll::Ready(Ok(()));
        }
        loop {
            ready!(this.poll_write(cx))?;
            if this.is_ended {
                return Pin::new(&mut this.socket).poll_shutdown(cx);
            }
            match ready!(Pin::new(&mut this.body).poll_frame(cx)) {
                Some(Ok(frame)) => match frame.into_data() {
                    // An empty chunk would be the last one.
                    Ok(bytes) if !bytes.is_empty() => this.output = write_chunk(&bytes),
                    Ok(_) | Err(_) => {}
                },
                // Without the last chunk the client notices that the stream is incomplete.
                Some(Err(error)) => return Poll::Ready(Err(io::Error::other(error))),
                None => {
                    this.is_ended = true;
                    this.output = b"0\r\n\r\n".to_vec();
                    this.body = Body::empty();
                }
            }
        }
    }
}

fn write_head(head: &http::response::Parts) -> Vec<u8> {
    let mut text = Vec::with_capacity(HEAD_BYTES);
    text.extend_from_slice(b"HTTP/1.1 ");
    text.extend_from_slice(head.status.as_str().as_bytes());
    text.push(b' ');
    let reason = head.status.canonical_reason().unwrap_or_default();
    text.extend_from_slice(reason.as_bytes());
    text.extend_from_slice(b"\r\n");
    let headers = head.headers.iter();
    for (name, value) in headers.filter(|(name, _)| !OWN.contains(name)) {
        text.extend_from_slice(name.as_str().as_bytes());
        text.extend_from_slice(b": ");
        text.extend_from_slice(value.as_bytes());
        text.extend_from_slice(b"\r\n");
    }
    text.extend_from_slice(b"date: ");
    text.extend_from_slice(httpdate::fmt_http_date(SystemTime::now()).as_bytes());
    text.extend_from_slice(b"\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n");
    text
}

fn write_chunk(bytes: &[u8]) -> Vec<u8> {
    let mut chunk = Vec::with_capacity(bytes.len() + CHUNK_OVERHEAD_BYTES);
    // Writing to a vector does not fail.
    let _ = write!(chunk, "{:x}\r\n", bytes.len());
    chunk.extend_from_slice(bytes);
    chunk.extend_from_slice(b"\r\n");
    chunk
}
