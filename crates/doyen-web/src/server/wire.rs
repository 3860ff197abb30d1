//! The socket of a connection: what comes in is looked at before the parser sees it, what goes out is watched.
//!
//! A head is held back until it is whole and in order, then it goes on as it came. One that is refused never gets further: in its place the
//! parser reads a request of ours, of which the service knows that it is refused and why. So the refusal is an answer like any other, with an
//! id and a line in the log, it comes after the answers to what was asked before it, and nothing that was sent after it is read.
//!
//! An answer that was handed over may still be on its way to a slow reader. That is not idle as long as something moves.

use std::future::Future as _;
use std::io::{self, IoSlice};
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};

use super::Refused;
use super::budget::{Account, Charge};
use super::flow::Flow;
use super::frames::Frames;
use super::framing::{Framing, Wrong};
use super::head::Fault;

/// What an HTTP/2 connection begins with.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// With less room than this the parser only asks which protocol it is.
const ROOM: usize = 1024;

/// How often a connection that does not read looks whether there is memory again.
const PAUSE: Duration = Duration::from_millis(10);

/// How long a client that still sends may go on after our last word.
const LINGER: Duration = Duration::from_secs(1);

/// A socket, watched.
pub(super) struct Wire<S> {
    socket: S,
    flow: Arc<Flow>,
    speaks: Speaks,
    /// What was read and is not with the parser: first `free` bytes that may go there, then the begin of a head.
    held: Vec<u8>,
    free: usize,
    /// How many bytes a head may have.
    limit: usize,
    goodbye: Option<Pin<Box<Sleep>>>,
    account: Arc<Account>,
    /// For a head that is not complete.
    head_charge: Option<Charge>,
    /// For a response that the client does not read.
    response_charge: Option<Charge>,
    /// There while the server holds too much to read more.
    pause: Option<Pin<Box<Sleep>>>,
}

/// What comes from the client.
enum Speaks {
    /// Too little has come to tell.
    Unknown,
    Http1(Framing),
    /// It has a strict parser of its own; only the number of control frames is limited here.
    Http2(Frames),
    /// Nothing that is read any more: a head was refused.
    Refused,
    /// Nothing that is read any more: a body is not framed as it must be.
    Broken(&'static str),
}

impl<S> Wire<S> {
    pub(super) const fn new(
        socket: S,
        flow: Arc<Flow>,
        account: Arc<Account>,
        limit: usize,
    ) -> Self {
        Self {
            socket,
            flow,
            speaks: Speaks::Unknown,
            held: Vec::new(),
            free: 0,
            limit,
            goodbye: None,
            account,
            head_charge: None,
            response_charge: None,
            pause: None,
        }
    }

    /// Looks at all that is held.
    fn look(&mut self) {
        if matches!(self.speaks, Speaks::Unknown) {
            let known = self.held.len().min(PREFACE.len());
            if self.held[..known] != PREFACE[..known] {
                self.speaks = Speaks::Http1(Framing::new(self.limit));
            } else if known == PREFACE.len() {
                let mut frames = Frames::new(self.account.is_direct());
                let counted = frames.count(&self.held[known..], 0);
                self.speaks = counted.map_or_else(Speaks::Broken, |()| Speaks::Http2(frames));
                self.free = self.held.len();
            }
        }
        if let Speaks::Http1(framing) = &mut self.speaks {
            let seen = framing.look(&self.held);
            self.free = seen.fine;
            if let Some(wrong) = seen.wrong {
                let rest = self.held.split_off(seen.fine);
                self.stop(wrong, &rest);
            }
        }
        self.note();
    }

    /// Reads no more of this client; `rest` is what is wrong.
    fn stop(&mut self, wrong: Wrong, rest: &[u8]) {
        match wrong {
            Wrong::Head(fault) => self.refuse(&fault, rest),
            Wrong::Body(why) => self.speaks = Speaks::Broken(why),
        }
    }

    /// Puts a request of ours in the place of one that is refused.
    fn refuse(&mut self, fault: &Fault, head: &[u8]) {
        let heads = match &self.speaks {
            Speaks::Http1(framing) => framing.heads(),
            _ => 0,
        };
        self.flow.refuse(heads, fault.refused);
        let line = fault.request.clone().and_then(|line| head.get(line));
        self.held.extend_from_slice(line.unwrap_or(b"- * HTTP/1.1"));
        self.held
            .extend_from_slice(b"\r\nhost: refused\r\nconnection: close\r\n\r\n");
        self.free = self.held.len();
        self.speaks = Speaks::Refused;
    }

    /// True if nothing came.
    pub(super) fn is_untouched(&self) -> bool {
        self.held.is_empty()
    }

    /// The head that is held did not become whole in time.
    pub(super) fn give_up(&mut self) {
        let fault = match &self.speaks {
            Speaks::Http1(framing) => framing.give_up(Refused::Late),
            _ => Fault {
                refused: Refused::Late,
                request: None,
            },
        };
        let head = std::mem::take(&mut self.held);
        self.refuse(&fault, &head);
        self.note();
    }

    /// Hands over what may go on.
    fn hand_over(&mut self, into: &mut ReadBuf<'_>) {
        let some = self.free.min(into.remaining());
        into.put_slice(&self.held[..some]);
        self.free -= some;
        if some == self.held.len() {
            // Seldom used: most heads come whole, and the memory of a connection counts.
            self.held = Vec::new();
            self.head_charge = None;
        } else {
            self.held.drain(..some);
        }
    }

    fn note(&mut self) {
        self.flow.set_midway(self.held.len() > self.free);
        self.charge_head(self.held.capacity());
    }

    /// Charges the part of a request that came, until it is complete.
    fn charge_head(&mut self, bytes: usize) {
        match &mut self.head_charge {
            _ if bytes == 0 => self.head_charge = None,
            Some(charge) => charge.set(bytes),
            None => self.head_charge = Some(self.account.charge(bytes)),
        }
    }

    /// Waits while the server holds too much to read more.
    fn poll_pause(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        while self.account.must_pause() {
            let pause = self.pause.get_or_insert_with(|| Box::pin(sleep(PAUSE)));
            ready!(pause.as_mut().poll(cx));
            self.pause = None;
        }
        Poll::Ready(())
    }

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

    /// True when the client may be sending what nobody reads.
    const fn may_still_send(&self) -> bool {
        match &self.speaks {
            Speaks::Http1(framing) => framing.in_body(),
            Speaks::Refused | Speaks::Broken(_) => true,
            Speaks::Unknown | Speaks::Http2(_) => false,
        }
    }
}

impl<S: AsyncRead + Unpin> Wire<S> {
    /// Reads until it is known whether the client speaks HTTP/2. An error if it is gone before that.
    pub(super) fn poll_protocol(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<bool>> {
        while matches!(self.speaks, Speaks::Unknown) {
            ready!(self.poll_pause(cx));
            if !ready!(self.poll_more(cx))? {
                return Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into()));
            }
            self.look();
        }
        Poll::Ready(Ok(matches!(self.speaks, Speaks::Http2(_))))
    }

    /// Reads what comes into what is held. `false` at the end.
    fn poll_more(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<bool>> {
        let mut room = [const { MaybeUninit::uninit() }; 4096];
        let mut read = ReadBuf::uninit(&mut room);
        ready!(Pin::new(&mut self.socket).poll_read(cx, &mut read))?;
        self.held.extend_from_slice(read.filled());
        Poll::Ready(Ok(!read.filled().is_empty()))
    }

    /// Reads straight to where the parser reads: nearly always what comes is whole.
    fn poll_straight(
        &mut self,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<bool>> {
        let before = into.filled().len();
        ready!(Pin::new(&mut self.socket).poll_read(cx, into))?;
        let fresh = &into.filled()[before..];
        let Speaks::Http1(framing) = &mut self.speaks else {
            return Poll::Ready(Ok(true));
        };
        if fresh.is_empty() {
            return Poll::Ready(Ok(true));
        }
        let seen = framing.look(fresh);
        let fine = seen.fine;
        if fine < fresh.len() {
            let rest = &fresh[fine..];
            match seen.wrong {
                Some(wrong) => {
                    let rest = rest.to_vec();
                    self.stop(wrong, &rest);
                }
                None => self.held.extend_from_slice(rest),
            }
            into.set_filled(before + fine);
            self.note();
        }
        Poll::Ready(Ok(fine > 0))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Wire<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        ready!(this.poll_pause(cx));
        loop {
            if this.free > 0 {
                this.hand_over(into);
                return Poll::Ready(Ok(()));
            }
            match &mut this.speaks {
                Speaks::Http2(frames) => {
                    let before = into.filled().len();
                    ready!(Pin::new(&mut this.socket).poll_read(cx, into))?;
                    let fresh = &into.filled()[before..];
                    if let Err(why) = frames.count(fresh, this.flow.written()) {
                        tracing::debug!(why, "connection closed");
                        this.speaks = Speaks::Broken(why);
                        into.set_filled(before);
                        continue;
                    }
                    let incomplete = frames.incomplete();
                    this.charge_head(incomplete);
                    return Poll::Ready(Ok(()));
                }
                // Not the end either: that would tell the parser that nobody waits for the answer.
                Speaks::Refused => return Poll::Pending,
                Speaks::Broken(why) => {
                    return Poll::Ready(Err(io::Error::new(io::ErrorKind::InvalidData, *why)));
                }
                Speaks::Http1(_) if this.held.is_empty() && into.remaining() >= ROOM => {
                    if ready!(this.poll_straight(cx, into))? {
                        return Poll::Ready(Ok(()));
                    }
                }
                Speaks::Unknown | Speaks::Http1(_) => {
                    if !this.held.is_empty() && this.flow.is_expired() {
                        this.give_up();
                    } else if ready!(this.poll_more(cx))? {
                        this.look();
                    } else {
                        // The client has gone in the middle of a head.
                        return Poll::Ready(Ok(()));
                    }
                }
            }
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Wire<S> {
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

    /// The parser flushes once it has written all that it has.
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(Pin::new(&mut self.socket).poll_flush(cx))?;
        self.flow.flushed();
        self.response_charge = None;
        Poll::Ready(Ok(()))
    }

    /// Says that nothing more comes. Closing with unread bytes would reset the connection and take the last answer from the client before it
    /// has read it: what a client still sends is read for a moment, and forgotten.
    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if this.goodbye.is_none() {
            ready!(Pin::new(&mut this.socket).poll_shutdown(cx))?;
            if !this.may_still_send() {
                return Poll::Ready(Ok(()));
            }
        }
        let goodbye = this.goodbye.get_or_insert_with(|| Box::pin(sleep(LINGER)));
        let mut room = [const { MaybeUninit::uninit() }; 4096];
        while goodbye.as_mut().poll(cx).is_pending() {
            let mut read = ReadBuf::uninit(&mut room);
            let read_some = ready!(Pin::new(&mut this.socket).poll_read(cx, &mut read)).is_ok();
            if !read_some || read.filled().is_empty() {
                break;
            }
        }
        Poll::Ready(Ok(()))
    }
}
