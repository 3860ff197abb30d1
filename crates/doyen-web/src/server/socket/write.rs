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

/// How long a client may continue to send after the last response.
const LINGER_TIMEOUT: Duration = Duration::from_secs(1);

impl<S> ClientSocket<S> {
    /// Charges responses that the socket does not accept.
    fn charge_response(&mut self, result: &Poll<io::Result<usize>>) {
        if result.is_ready() {
            return;
        }
        let bytes = self.flow.unflushed();
        match &mut self.response_charge {
            Some(charge) => charge.set(bytes),
            None => self.response_charge = (bytes > 0).then(|| self.account.charge(bytes)),
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for ClientSocket<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.socket).poll_write(cx, bytes);
        self.flow.note(&result);
        self.charge_response(&result);
        result
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.socket).poll_write_vectored(cx, parts);
        self.flow.note(&result);
        self.charge_response(&result);
        result
    }

    fn is_write_vectored(&self) -> bool {
        self.socket.is_write_vectored()
    }

    /// The parser flushes after it has written everything.
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(Pin::new(&mut self.socket).poll_flush(cx))?;
        self.flow.flushed();
        self.response_charge = None;
        Poll::Ready(Ok(()))
    }

    /// Closes the sending side. To close a socket with unread bytes would reset the connection, and
    /// the client could lose the last response. So what it still sends is discarded for a moment.
    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if this.linger.is_none() {
            ready!(Pin::new(&mut this.socket).poll_shutdown(cx))?;
            if !this.may_still_send() {
                return Poll::Ready(Ok(()));
            }
        }
        let linger = this
            .linger
            .get_or_insert_with(|| Box::pin(sleep(LINGER_TIMEOUT)));
        let mut bytes = [const { MaybeUninit::uninit() }; READ_BYTES];
        while linger.as_mut().poll(cx).is_pending() {
            let mut read = ReadBuf::uninit(&mut bytes);
            let is_ok = ready!(Pin::new(&mut this.socket).poll_read(cx, &mut read)).is_ok();
            if !is_ok || read.filled().is_empty() {
                break;
            }
        }
        Poll::Ready(Ok(()))
    }
}
