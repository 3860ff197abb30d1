//! Observation of what is sent to a client.

use std::future::Future as _;
use std::io::{self, IoSlice};
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::sleep;

use super::{ClientSocket, READ_BYTES};

/// How long a client that has received everything may take to close its side.
const LINGER_TIMEOUT: Duration = Duration::from_secs(1);

impl ClientSocket {
    /// Observes a write. Responses that the socket does not accept are charged.
    fn note_write(&mut self, result: &Poll<io::Result<usize>>) {
        self.flow.note(result);
        if result.is_pending() {
            self.note_stall();
        }
    }

    /// Observes that the socket accepts no more bytes.
    fn note_stall(&mut self) {
        self.flow.set_stalled(true);
        self.flow.hold(self.socket.unsent());
        if let Some(bytes) = self.socket.acknowledged() {
            self.flow.acknowledge(bytes);
        }
        let bytes = self.flow.unflushed();
        match &mut self.response_charge {
            Some(charge) => charge.set(bytes),
            None => self.response_charge = (bytes > 0).then(|| self.account.charge(bytes)),
        }
    }
}

impl AsyncWrite for ClientSocket {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.socket).poll_write(cx, bytes);
        self.note_write(&result);
        result
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.socket).poll_write_vectored(cx, parts);
        self.note_write(&result);
        result
    }

    fn is_write_vectored(&self) -> bool {
        self.socket.is_write_vectored()
    }

    /// The parser flushes after it has written everything.
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let result = Pin::new(&mut self.socket).poll_flush(cx);
        if result.is_pending() {
            self.note_stall();
        }
        ready!(result)?;
        self.flow.flushed();
        self.response_charge = None;
        Poll::Ready(Ok(()))
    }

    /// Closes the sending side, then discards what the client still sends until it closes too. To
    /// close a socket with unread bytes would reset the connection, and the client could lose the
    /// last response. A client that does not close has a second once it has received everything.
    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if this.linger.is_none() {
            let result = Pin::new(&mut this.socket).poll_shutdown(cx);
            if result.is_pending() {
                this.note_stall();
            }
            ready!(result)?;
        }
        let mut bytes = [const { MaybeUninit::uninit() }; READ_BYTES];
        loop {
            let mut read = ReadBuf::uninit(&mut bytes);
            match Pin::new(&mut this.socket).poll_read(cx, &mut read) {
                Poll::Ready(Ok(())) if !read.filled().is_empty() => continue,
                Poll::Ready(_) => return Poll::Ready(Ok(())),
                Poll::Pending => {}
            }
            let linger = this
                .linger
                .get_or_insert_with(|| Box::pin(sleep(LINGER_TIMEOUT)));
            ready!(linger.as_mut().poll(cx));
            let sent = this.socket.sent(this.flow.written());
            let acknowledged = this.socket.acknowledged().unwrap_or(sent);
            this.flow.acknowledge(acknowledged);
            if acknowledged >= sent {
                return Poll::Ready(Ok(()));
            }
            // The connection is observed like one whose response is being written.
            this.flow.set_stalled(true);
            linger
                .as_mut()
                .reset(tokio::time::Instant::now() + LINGER_TIMEOUT);
        }
    }
}
