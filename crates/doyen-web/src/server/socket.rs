//! The socket of a connection, which validates input before the parser reads it and observes
//! output.
//!
//! A request head is held back until it is complete and valid, then passed on unchanged. In place
//! of an invalid head the parser reads a substitute request, which the service knows to be
//! rejected. The rejection is therefore an ordinary response, with a request id and a log line, in
//! order after the responses to earlier requests. Nothing that follows it is read.
//!
//! A response can still be on its way to a slow client. The connection is not idle while bytes
//! move.
//!
//! The parser closes an idle connection when it reads the end of the stream. To close one from this
//! side, the socket pretends that end, after it has asked the kernel for bytes a last time. A
//! request that has arrived is therefore served.

mod inspect;
mod write;

use std::future::Future as _;
use std::io;
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use doyen_http1::Framing;
use tokio::io::{AsyncRead, ReadBuf};
use tokio::time::{Sleep, sleep};

use super::flow::Flow;
use super::frames::Frames;
use super::transport::Transport;
use crate::budget::{Account, Charge};

/// With less room than this the parser only detects the protocol.
const MIN_PARSER_BYTES: usize = 1024;

/// Maximum bytes that are discarded while a stream of events is sent.
const MAX_DISCARDED_BYTES: usize = 64 << 10;

/// Bytes that are read at once into the socket's own buffer.
const READ_BYTES: usize = 4096;

/// How often a connection that is not read checks whether memory is available again.
const PAUSE_POLL_INTERVAL: Duration = Duration::from_millis(10);

/// A socket that is observed.
pub(super) struct ClientSocket {
    socket: Transport,
    flow: Arc<Flow>,
    input: Input,
    /// Bytes that were read and not passed to the parser: first the `accepted` ones, then the start
    /// of a head.
    buffer: Vec<u8>,
    accepted: usize,
    /// Bytes that arrived after the last request.
    discarded: usize,
    max_head_bytes: usize,
    linger: Option<Pin<Box<Sleep>>>,
    account: Arc<Account>,
    /// For a head that is incomplete.
    head_charge: Option<Charge>,
    /// For a response that the client does not read.
    response_charge: Option<Charge>,
    /// Set while the server holds too much to read more.
    pause: Option<Pin<Box<Sleep>>>,
}

/// What the client sends.
enum Input {
    /// Too few bytes have arrived to tell.
    Unknown,
    Http1(Framing),
    /// Its parser is strict. Only the number of control frames is limited here.
    Http2(Frames),
    /// A head was rejected. Nothing more is read.
    Rejected,
    /// The framing of a body is invalid. Nothing more is read.
    Broken(&'static str),
}

impl ClientSocket {
    pub(super) const fn new(
        socket: Transport,
        flow: Arc<Flow>,
        account: Arc<Account>,
        max_head_bytes: usize,
    ) -> Self {
        Self {
            socket,
            flow,
            input: Input::Unknown,
            buffer: Vec::new(),
            accepted: 0,
            discarded: 0,
            max_head_bytes,
            linger: None,
            account,
            head_charge: None,
            response_charge: None,
            pause: None,
        }
    }

    /// Returns the socket without the observation, unless bytes are left that belong to no
    /// request.
    pub(super) fn into_stream(self) -> Option<Transport> {
        let is_clean = self.buffer.is_empty() && matches!(self.input, Input::Http1(_));
        is_clean.then_some(self.socket)
    }

    /// True if no byte has arrived.
    pub(super) fn is_untouched(&self) -> bool {
        self.buffer.is_empty()
    }

    /// Passes accepted bytes to the parser.
    fn pass_on(&mut self, into: &mut ReadBuf<'_>) {
        let length = self.accepted.min(into.remaining());
        into.put_slice(&self.buffer[..length]);
        self.accepted -= length;
        if length == self.buffer.len() {
            // Rarely used, because most heads arrive complete. Release it to save memory.
            self.buffer = Vec::new();
            self.head_charge = None;
        } else {
            self.buffer.drain(..length);
        }
    }

    /// Waits while the server holds too much to read more.
    fn poll_pause(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        while self.account.must_pause() {
            let pause = self
                .pause
                .get_or_insert_with(|| Box::pin(sleep(PAUSE_POLL_INTERVAL)));
            ready!(pause.as_mut().poll(cx));
            self.pause = None;
        }
        Poll::Ready(())
    }

    /// Reads from the socket, or the end of the stream if the connection closes.
    fn poll_socket(
        &mut self,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let result = Pin::new(&mut self.socket).poll_read(cx, into);
        if !self.flow.is_leaving() {
            return result;
        }
        if result.is_ready() {
            self.flow.stay();
        } else if self.is_between_requests() && !self.socket.has_input() {
            return Poll::Ready(Ok(()));
        }
        result
    }

    /// True if no part of a request is being received.
    const fn is_between_requests(&self) -> bool {
        self.buffer.is_empty()
            && match &self.input {
                Input::Unknown => true,
                Input::Http1(framing) => !framing.is_in_body(),
                Input::Http2(_) | Input::Rejected | Input::Broken(_) => false,
            }
    }

    /// Reads until the protocol is known. Returns true for HTTP/2, and an error if the client
    /// disconnects first.
    pub(super) fn poll_is_http2(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<bool>> {
        while matches!(self.input, Input::Unknown) {
            ready!(self.poll_pause(cx));
            if !ready!(self.poll_buffer(cx))? {
                return Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into()));
            }
            self.inspect();
        }
        Poll::Ready(Ok(matches!(self.input, Input::Http2(_))))
    }

    /// Completes when the client disconnects, or sends more than it may. What it sends is
    /// discarded.
    pub(super) fn poll_disconnected(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let mut bytes = [const { MaybeUninit::uninit() }; READ_BYTES];
        while self.discarded <= MAX_DISCARDED_BYTES {
            let mut read = ReadBuf::uninit(&mut bytes);
            match ready!(Pin::new(&mut self.socket).poll_read(cx, &mut read)) {
                Ok(()) if !read.filled().is_empty() => self.discarded += read.filled().len(),
                Ok(()) | Err(_) => break,
            }
        }
        Poll::Ready(())
    }

    /// Reads into the buffer. Returns false at the end of the stream.
    fn poll_buffer(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<bool>> {
        let mut bytes = [const { MaybeUninit::uninit() }; READ_BYTES];
        let mut read = ReadBuf::uninit(&mut bytes);
        ready!(self.poll_socket(cx, &mut read))?;
        self.buffer.extend_from_slice(read.filled());
        Poll::Ready(Ok(!read.filled().is_empty()))
    }

    /// Reads directly into the buffer of the parser: most reads end with a complete request.
    /// Returns false if no byte was accepted.
    fn poll_direct(
        &mut self,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<bool>> {
        let before = into.filled().len();
        ready!(self.poll_socket(cx, into))?;
        let bytes = &into.filled()[before..];
        let Input::Http1(framing) = &mut self.input else {
            return Poll::Ready(Ok(true));
        };
        if bytes.is_empty() {
            return Poll::Ready(Ok(true));
        }
        let scan = framing.scan(bytes);
        let accepted = scan.accepted;
        if accepted < bytes.len() {
            let rest = &bytes[accepted..];
            match scan.error {
                Some(error) => {
                    let rest = rest.to_vec();
                    self.stop(error, &rest);
                }
                None => self.buffer.extend_from_slice(rest),
            }
            into.set_filled(before + accepted);
            self.note();
        }
        Poll::Ready(Ok(accepted > 0))
    }
}

impl AsyncRead for ClientSocket {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        ready!(this.poll_pause(cx));
        loop {
            if this.accepted > 0 {
                this.pass_on(into);
                return Poll::Ready(Ok(()));
            }
            match &mut this.input {
                Input::Http2(frames) => {
                    let before = into.filled().len();
                    ready!(Pin::new(&mut this.socket).poll_read(cx, into))?;
                    let bytes = &mut into.filled_mut()[before..];
                    if let Err(why) = frames.count(bytes, this.flow.written()) {
                        tracing::debug!(why, "connection closed");
                        this.input = Input::Broken(why);
                        into.set_filled(before);
                        continue;
                    }
                    let incomplete = frames.incomplete();
                    this.flow.set_midway(frames.is_in_head());
                    this.charge_head(incomplete);
                    return Poll::Ready(Ok(()));
                }
                // Not the end of the stream: the parser would drop the response.
                Input::Rejected => return Poll::Pending,
                Input::Broken(why) => {
                    return Poll::Ready(Err(io::Error::new(io::ErrorKind::InvalidData, *why)));
                }
                Input::Http1(_)
                    if this.buffer.is_empty() && into.remaining() >= MIN_PARSER_BYTES =>
                {
                    if ready!(this.poll_direct(cx, into))? {
                        return Poll::Ready(Ok(()));
                    }
                }
                Input::Unknown | Input::Http1(_) => {
                    if !this.buffer.is_empty() && this.flow.is_expired() {
                        this.reject_late_head();
                    } else if ready!(this.poll_buffer(cx))? {
                        this.inspect();
                    } else {
                        // The client disconnected in the middle of a head.
                        return Poll::Ready(Ok(()));
                    }
                }
            }
        }
    }
}
